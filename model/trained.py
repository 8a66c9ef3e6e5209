"""A trained model in memory: what a bundle holds and a classifier needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import torch

from model.catalogue import Entry
from model.detectors.protocol import Floats
from model.detectors.standing import Chosen
from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.kinds import KindModel
from model.lineage import Lineage, Remembered
from model.network import NextEventLSTM
from model.precision import FULL, at_precision
from model.presence import PresenceHead
from model.rates import NO_RATES, Rates
from model.scoring import Calibration, views
from model.templates.frozen import FrozenTemplates
from model.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A kind that the model knows: taught by labels, or discovered (`c01` …)."""

    class_id: str
    taught: bool
    pattern: str
    about: str
    members: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Baselines:
    """What the trivial baselines remember of the training set, for `evaluate`."""

    seen_counts: frozenset[str]
    seen_templates: frozenset[int]
    top_k: float


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """All parts of one model. `figures` are the quality figures of its training.

    `network` is as it was trained; it scores at `precision`. `trained_at` is known of a
    model that was loaded from a bundle. Where detectors are `chosen`, they decide, and
    the calibration is theirs; where there is a `presence` head, it does, for the model.
    """

    version: str
    templates: FrozenTemplates
    vocabulary: Vocabulary
    network: NextEventLSTM
    support: SupportDistance
    calibration: Calibration
    kinds: KindModel | None
    classes: tuple[ModelClass, ...]
    baselines: Baselines
    configuration: Mapping[str, Any]
    figures: Mapping[str, Any]
    trained_at: datetime | None = None
    lineage: Lineage = field(default_factory=Lineage)
    precision: str = FULL
    chosen: Chosen | None = None
    rates: Rates = NO_RATES
    presence: PresenceHead | None = None

    @property
    def known_classes(self) -> tuple[ModelClass, ...]:
        """The classes of the training, then those that people took on since."""
        own = {known.class_id for known in self.classes}
        late = [
            ModelClass(c.class_id, False, c.pattern, c.about, c.members, c.entry)
            for c in self.lineage.late
            if c.class_id not in own
        ]
        return (*self.classes, *with_own_names(late, self.lineage))

    @property
    def full_lineage(self) -> Lineage:
        """The lineage, also with the classes of a bundle of before it was kept."""
        known = {c.class_id for c in self.lineage.classes}
        added = [
            Remembered(c.class_id, c.taught, {}, c.members)
            for c in self.classes
            if c.class_id not in known
        ]
        return replace(self.lineage, classes=(*self.lineage.classes, *added))

    def network_on(self, device: torch.device) -> NextEventLSTM:
        """The next-event network ready to score on a device, at the precision."""
        return at_precision(self.network, self.precision, device)

    def scores(
        self,
        sessions: Sequence[EncodedSession],
        highest: Floats,
        threshold: float,
        left_out: int = 0,
    ) -> Floats:
        """The model's own scores, whoever is chosen. sessions (N), their highest
        surprises (N), nats → (N,). `left_out` 1: these were fitted on."""
        if self.presence is not None:
            return self.presence.score(sessions)
        fence = self.calibration.surprise_fence
        seen = views(self.support, highest, sessions, fence, left_out)
        return seen.joined(threshold)


def with_own_names(
    classes: Sequence[ModelClass], lineage: Lineage
) -> tuple[ModelClass, ...]:
    """The classes as people named them; what elkwatch says else of them is kept."""
    named = []
    for known in classes:
        remembered = lineage.of(known.class_id)
        if remembered is not None and remembered.own_name:
            entry = replace(known.entry, name={"en": remembered.own_name}, about={})
            known = replace(known, entry=entry, about="")
        named.append(known)
    return tuple(named)
