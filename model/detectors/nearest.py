"""kNN distance: far from its fifth nearest normal neighbour.

Rows that are equal are one neighbour each time they came; of more than 5,000 sessions
5,000 are kept, evenly in the order given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from model.detectors.count_detector import UsualCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Floats

NEIGHBOURS = 5
MAX_KEPT = 5000


class NearestDistance(UsualCounts):
    """The distance to the fifth nearest session that was learned."""

    name = "knn-distance"

    def learn(self, rows: Rows) -> Any:
        """Keeps usual rows (N, V)."""
        places = np.linspace(0, len(rows) - 1, min(len(rows), MAX_KEPT)).astype(int)
        kept = rows[places].astype(np.float64)
        count = min(NEIGHBOURS, len(kept))
        return NearestNeighbors(n_neighbors=count, algorithm="brute").fit(kept)

    def judge(self, rows: Rows) -> Floats:
        """rows (N, V) → (N,) distances; equal rows are looked up once."""
        different, which = np.unique(rows, axis=0, return_inverse=True)
        distances, _ = self.estimator.kneighbors(different.astype(np.float64))
        found: Floats = distances[:, -1][which.ravel()]
        return found
