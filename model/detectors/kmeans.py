"""k-means: far from every centre of normal counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.cluster import KMeans

from model.detectors.count_detector import UsualCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Floats

CENTRES = 16


class NearestCentre(UsualCounts):
    """The distance to the nearest of 16 centres."""

    name = "k-means"

    def learn(self, rows: Rows) -> Any:
        """The centres of usual rows (N, V); fewer where fewer rows differ."""
        different = len(np.unique(rows, axis=0))
        centres = KMeans(min(CENTRES, different), n_init=3, random_state=self.seed)
        return centres.fit(rows.astype(np.float64))

    def judge(self, rows: Rows) -> Floats:
        """rows (N, V) → (N,) distances."""
        found: Floats = self.estimator.transform(rows.astype(np.float64)).min(axis=1)
        return found
