"""Random forest on counts, from labels: many trees vote."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import RandomForestClassifier

from model.detectors.count_detector import TaughtCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Flags

TREES = 100


class RandomForest(TaughtCounts):
    """The mean of the trees' shares of trouble."""

    name = "random-forest"

    def teach(self, rows: Rows, odd: Flags) -> Any:
        """A hundred trees for rows (N, V) and truth (N,)."""
        forest = RandomForestClassifier(n_estimators=TREES, random_state=self.seed)
        return forest.fit(rows, odd)
