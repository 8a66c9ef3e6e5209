"""Where scores stand, on one scale for all detectors; and what several say together.

    0 … 1   the share of held-out sessions, of those not flagged, that score less
    1       the threshold
    1 …     how far past it, in distances from the median of held-out to the threshold

Ensembles: *any* is the highest of its members, *majority* what more than half of them
reach, *mean-rank* the mean of s/2 up to the threshold and 1 − 1/(2s) past it, so that a
member that is very sure outweighs one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from model.detectors.protocol import Detector, Floats, Sample
from model.events import EncodedSession

Rule = Literal["any", "majority", "mean-rank"]
RULES: tuple[Rule, ...] = get_args(Rule)


@dataclass(frozen=True, slots=True)
class Standing:
    """A detector's threshold, and its scores of held-out sessions in their order."""

    threshold: float
    held_out: tuple[float, ...]

    def scaled(self, scores: Floats) -> Floats:
        """Raw scores (N,) → (N,), 1 at the threshold."""
        sample = np.array(self.held_out, dtype=np.float64)
        below = np.sort(sample[sample <= self.threshold])
        low = np.searchsorted(below, scores, "left")
        high = np.searchsorted(below, scores, "right")
        ranks = (low + high) / 2 / max(len(below), 1)
        middle = float(np.median(sample)) if len(sample) else 0.0
        spread = self.threshold - middle
        if spread <= 0:
            spread = abs(self.threshold) or 1.0
        past = 1.0 + (scores - self.threshold) / spread
        return np.where(scores > self.threshold, past, np.minimum(ranks, 1.0))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Detectors that decide instead of a model, alone or together.

    One of `standings` may have no detector: the model itself, which then brings its
    own scores; `own_threshold` is theirs.
    """

    detectors: Mapping[str, Detector]
    standings: Mapping[str, Standing]
    rule: Rule
    own_threshold: float

    @property
    def asks_model(self) -> bool:
        """Whether the model is a member itself."""
        return len(self.standings) > len(self.detectors)

    def score(
        self, sessions: Sequence[EncodedSession], own: Floats | None = None
    ) -> Floats:
        """sessions (N), the model's own scores of them (N) → (N,), 1 at the threshold.

        Where lines are known, sessions are `Sample`s.
        """
        given = [
            s if isinstance(s, Sample) else Sample(s.ids, s.starts, s.ends)
            for s in sessions
        ]
        parts = []
        for name, standing in self.standings.items():
            detector = self.detectors.get(name)
            raw = own if detector is None else detector.score(given)
            if raw is not None:
                parts.append(standing.scaled(raw))
        return joined(parts, self.rule)


def joined(scores: Sequence[Floats], rule: Rule) -> Floats:
    """What M members say together, each (N,) and scaled → (N,), 1 at the threshold."""
    rows = np.stack(scores)
    if rule == "any" or len(rows) == 1:
        highest: Floats = rows.max(axis=0)
        return highest
    if rule == "majority":
        reached: Floats = -np.sort(-rows, axis=0)[len(rows) // 2]
        return reached
    shares = np.where(rows <= 1, rows / 2, 1 - 1 / (2 * np.maximum(rows, 1)))
    mean = shares.mean(axis=0)
    together: Floats = np.where(
        mean <= 0.5, 2 * mean, 1 / (2 * np.maximum(1 - mean, 1e-9))
    )
    return together
