"""kNN on counts, from labels: what the five nearest labelled sessions were."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from model.detectors.count_detector import TaughtCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Flags, Floats

NEIGHBOURS = 5


class Neighbours(TaughtCounts):
    """The share of trouble among the five nearest, near ones counting more."""

    name = "knn"

    def teach(self, rows: Rows, odd: Flags) -> Any:
        """Keeps rows (N, V) and truth (N,)."""
        nearest = KNeighborsClassifier(
            min(NEIGHBOURS, len(rows)), weights="distance", algorithm="brute"
        )
        return nearest.fit(rows.astype(np.float64), odd)

    def judge(self, rows: Rows) -> Floats:
        """rows (N, V) → (N,) shares; equal rows are looked up once."""
        different, which = np.unique(rows, axis=0, return_inverse=True)
        found: Floats = super().judge(different)[which.ravel()]
        return found
