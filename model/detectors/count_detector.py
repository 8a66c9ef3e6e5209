"""What the detectors have in common that judge counts with a scikit-learn estimator.

One subclass a method says how its estimator learns and how it scores; columns,
threshold, reasons and files are the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from model.detectors.counts import CountTurn, Rows, pages
from model.detectors.learning_set import (
    alarm_threshold,
    held_out,
    told_apart,
    usual,
)
from model.detectors.leaving_out import by_leaving_out
from model.detectors.plain_files import (
    read_estimator,
    read_json,
    write_estimator,
    write_json,
)
from model.detectors.protocol import Flags, Floats, Kinds, Reason, Sample, Setting


class CountDetector(ABC):
    """Fit, score, explain, save and load around one estimator."""

    name: str
    supervised: bool = False
    bigrams: ClassVar[bool] = False

    def __init__(self, setting: Setting) -> None:
        self.threshold = 0.0
        self.seed = setting.seed
        self.turn = CountTurn(bigrams=self.bigrams)
        self.estimator: Any = None

    @abstractmethod
    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Columns, estimator, threshold."""

    @abstractmethod
    def judge(self, rows: Rows) -> Floats:
        """Scores by the estimator. rows (N, V) → (N,)."""

    def rows(self, sessions: Sequence[Sample]) -> Rows:
        """What the estimator sees. sessions (N) → (N, V)."""
        return self.turn.rows(sessions)

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """Pages of sessions → rows → scores. sessions (N) → (N,)."""
        found = [
            self.judge(self.rows(sessions[page]))
            for page in pages(len(sessions), self.turn.width)
        ]
        return np.concatenate([*found, np.zeros(0)]).astype(np.float64)

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By leaving templates out."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """Writes columns as JSON, the estimator as skops."""
        write_json(folder, {"turn": self.turn.state()})
        write_estimator(folder, self.estimator)

    def load(self, folder: Path) -> None:
        """Reads what `save` wrote."""
        self.turn = CountTurn.from_state(read_json(folder)["turn"])
        self.estimator = read_estimator(folder)


class UsualCounts(CountDetector):
    """Learns usual counts; the threshold is that of held-out sessions."""

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Learns what is usual, then sets the threshold on what was held out."""
        learned, aside = held_out(usual(sessions, labels), self.seed)
        self.turn.fit(learned)
        self.estimator = self.learn(self.rows(learned))
        self.threshold = alarm_threshold(self.score(aside))

    @abstractmethod
    def learn(self, rows: Rows) -> Any:
        """The estimator of usual rows (N, V)."""


class TaughtCounts(CountDetector):
    """Learns from labels; the score is the probability, the threshold ½.

    Anomalous sessions are learned twice, once with the templates that no normal session
    holds made unknown: so an unknown template speaks for trouble as far as new
    templates did in the labelled logs. Without it, what was never seen would count for
    nothing.
    """

    supervised = True

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Learns to tell sessions (N) apart by their labels (N)."""
        told, odd = told_apart(self.name, sessions, labels, self.seed)
        self.turn.fit(told)
        rows = self.turn.rows(told)
        strange: Flags = ~np.any(rows[~odd], axis=0)
        unknown = self.turn.made_unknown(rows[odd], strange)
        truth = np.concatenate([odd, np.ones(len(unknown), dtype=bool)])
        self.estimator = self.teach(np.vstack([rows, unknown]), truth)
        self.threshold = 0.5

    def judge(self, rows: Rows) -> Floats:
        """The probability of trouble. rows (N, V) → (N,)."""
        found: Floats = self.estimator.predict_proba(rows)[:, 1]
        return found

    @abstractmethod
    def teach(self, rows: Rows, odd: Flags) -> Any:
        """The estimator that tells rows (N, V) by odd (N,)."""
