"""PCA: what the main directions of normal counts do not explain (Xu et al. 2009).

The score is the squared prediction error (the Q statistic): the squared length of what
is left of a row after the directions that hold 95 % of the variance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from model.detectors.count_detector import UsualCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Floats

EXPLAINED = 0.95


class Pca(UsualCounts):
    """Squared prediction error of counts."""

    name = "pca"

    def learn(self, rows: Rows) -> Any:
        """The directions of usual rows (N, V)."""
        twice = rows if len(rows) > 1 else np.vstack([rows, rows])
        with np.errstate(invalid="ignore"):  # rows that are all alike vary by 0 of 0
            return PCA(EXPLAINED, random_state=self.seed).fit(twice)

    def judge(self, rows: Rows) -> Floats:
        """rows (N, V) → (N,) squared errors."""
        centred = rows - self.estimator.mean_
        along = self.estimator.components_
        rest = centred - centred @ along.T @ along
        found: Floats = (rest**2).sum(axis=1)
        return found
