"""What every detector with a network does alike: split, fit, threshold, save, load.

A module of its own says what the network is, what it loses and how it scores:

    class Mine(NeuralDetector):
        name = "mine"
        def _build(self) -> nn.Module: ...
        def _losses(self, ids, targets) -> Tensor: ...     (B, T), (B,) → (B,)
        def _scores(self, ids) -> Tensor: ...              (B, T) → (B,)

Ids that were not learned are read as UNK, which no network ever saw as an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from model.detectors.learning_set import alarm_threshold, held_out, usual
from model.detectors.leaving_out import by_leaving_out
from model.detectors.plain_files import read_json, write_json
from model.detectors.protocol import Floats, Kinds, Reason, Sample, Setting
from model.detectors.sequences import Fitting, batches, fit_network, highest_scores
from model.events import EncodedSession
from model.vocabulary import UNK

WEIGHTS = "network.safetensors"


class NeuralDetector:
    """Base of the detectors that learn a network without labels."""

    name = ""
    supervised = False

    def __init__(self, setting: Setting) -> None:
        self.threshold = 0.0
        self.setting = setting
        self.network: nn.Module = nn.Identity()
        self._seen: frozenset[int] = frozenset()

    @property
    def size(self) -> int:
        """How many event ids the network has."""
        return self.setting.vocabulary.size

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Learns what is usual; the threshold comes from sessions held out."""
        learned, aside = held_out(usual(sessions, labels), self.setting.seed)
        self._fit(learned, aside)
        self.threshold = alarm_threshold(self.score(aside))

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """The highest score of any 256 events of a session. sessions (N) → (N,)."""
        self.network.eval()
        return highest_scores(self._scores, self._read(sessions), self.setting.device)

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By how much the score falls without each template."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """Weights as safetensors, the rest as JSON."""
        weights = {k: v.cpu() for k, v in self.network.state_dict().items()}
        save_file(weights, folder / WEIGHTS)
        write_json(folder, {"seen": sorted(self._seen)})

    def load(self, folder: Path) -> None:
        """Reads what `save` wrote, for the same vocabulary."""
        self._seen = frozenset(int(event) for event in read_json(folder)["seen"])
        self.network = self._build()
        self.network.load_state_dict(load_file(folder / WEIGHTS))
        self.network.to(self.setting.device).eval()

    def _build(self) -> nn.Module:
        raise NotImplementedError

    def _losses(self, ids: Tensor, targets: Tensor) -> Tensor:
        raise NotImplementedError

    def _scores(self, ids: Tensor) -> Tensor:
        raise NotImplementedError

    def _fitting(self) -> Fitting:
        """How long and how fast it learns."""
        epochs = self.setting.epochs
        return Fitting() if epochs is None else replace(Fitting(), epochs=epochs)

    def _fit(
        self,
        learned: Sequence[Sample],
        aside: Sequence[Sample],
        targets: Sequence[float] | None = None,
        aside_targets: Sequence[float] | None = None,
    ) -> None:
        """Builds the network and fits it; `aside` says when to stop."""
        self._remember(learned)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.setting.seed)
            self.network = self._build().to(self.setting.device)
            self._learn(self._read(learned), self._read(aside), targets, aside_targets)

    def _learn(
        self,
        learned: Sequence[EncodedSession],
        aside: Sequence[EncodedSession],
        targets: Sequence[float] | None = None,
        aside_targets: Sequence[float] | None = None,
    ) -> None:
        config = self._fitting()
        fit_network(
            self.network,
            self._losses,
            batches(learned, config, targets),
            batches(aside, config, aside_targets),
            config,
            self.setting.seed,
            self.setting.device,
        )

    def _remember(self, sessions: Iterable[EncodedSession]) -> None:
        known = {event for session in sessions for event in session.ids}
        self._seen = frozenset(event for event in known - {UNK} if event < self.size)

    def _read(self, sessions: Sequence[EncodedSession]) -> list[EncodedSession]:
        seen = self._seen
        return [
            EncodedSession(
                tuple(e if e in seen else UNK for e in s.ids), s.starts, s.ends
            )
            for s in sessions
        ]
