"""Decision tree on counts, from labels: a few questions that people can read."""

from __future__ import annotations

from typing import Any

from sklearn.tree import DecisionTreeClassifier

from model.detectors.count_detector import TaughtCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Flags

MAX_DEPTH = 10


class DecisionTree(TaughtCounts):
    """The share of trouble in the leaf that a session falls into."""

    name = "decision-tree"

    def teach(self, rows: Rows, odd: Flags) -> Any:
        """Questions that part rows (N, V) by truth (N,)."""
        tree = DecisionTreeClassifier(max_depth=MAX_DEPTH, random_state=self.seed)
        return tree.fit(rows, odd)
