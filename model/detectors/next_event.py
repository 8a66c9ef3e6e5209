"""Next event: how surprising is the least expected event of a session?

DeepLog's idea (Du et al. 2017) with the network left open; each network is a module of
its own. The score is the highest −log p over the session, nats. As in DeepLog the ends
count where they are true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.detectors.neural import NeuralDetector
from model.detectors.protocol import Floats, Sample
from model.epochs import Setting
from model.events import EncodedSession
from model.language_model import LanguageModelConfig, fit_next_event
from model.network import NetworkConfig, NextEvent
from model.surprise import highest_surprises

CONFIG = LanguageModelConfig(epochs=30, patience=4, max_tokens=500_000)


class NextEventDetector(NeuralDetector):
    """Base of the detectors whose network says what comes next."""

    network: NextEvent

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """The highest −log p of any event, nats. sessions (N) → (N,)."""
        return highest_surprises(
            self.network, self._read(sessions), self.setting.device
        )

    def _config(self) -> NetworkConfig:
        return NetworkConfig(self.size)

    def _learn(
        self,
        learned: Sequence[EncodedSession],
        aside: Sequence[EncodedSession],
        targets: Sequence[float] | None = None,
        aside_targets: Sequence[float] | None = None,
    ) -> None:
        epochs = self.setting.epochs
        fit_next_event(
            self.network,
            learned,
            aside,
            CONFIG if epochs is None else replace(CONFIG, epochs=epochs),
            np.random.default_rng(self.setting.seed),
            Setting(self.setting.device),
        )
