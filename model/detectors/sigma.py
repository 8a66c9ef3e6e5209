"""μ + kσ: some number of the session is far from its mean.

The numbers are the counts of each template, the length, the number of distinct
templates and the events a second; all as ln(1 + number). The score is the largest
distance from the mean in standard deviations, of which none counts as less than 0.1;
a rate that the lines do not tell is no distance. k is 3, or more where held-out
sessions need more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from model.detectors.count_detector import UsualCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Floats, Kinds, Sample

MIN_SIGMAS = 3.0
MIN_DEVIATION = 0.1


class Sigma(UsualCounts):
    """The largest distance from the mean, in standard deviations."""

    name = "sigma"

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Means and deviations; k by held-out sessions, 3 at least."""
        super().fit(sessions, labels)
        self.threshold = max(MIN_SIGMAS, self.threshold)

    def rows(self, sessions: Sequence[Sample]) -> Rows:
        """Counts, length, distinct templates, events a second. (N) → (N, V + 3)."""
        whole = [(len(s.ids), len(set(s.ids)), _rate_per_s(s)) for s in sessions]
        others = np.log1p(np.array(whole, dtype=np.float32).reshape(-1, 3))
        return np.hstack([self.turn.rows(sessions), others])

    def learn(self, rows: Rows) -> Any:
        """Mean and deviation of each column of (N, V + 3)."""
        scaler = StandardScaler().fit(rows)
        deviation = np.sqrt(scaler.var_)
        scaler.scale_ = np.maximum(deviation, MIN_DEVIATION)
        return scaler

    def judge(self, rows: Rows) -> Floats:
        """(N, V + 3) → (N,) deviations."""
        far = np.abs(self.estimator.transform(rows))
        found: Floats = np.nan_to_num(far, nan=0.0).max(axis=1)
        return found


def _rate_per_s(session: Sample) -> float:
    """Events a second; NaN where the lines tell no duration."""
    if len(session.lines) < 2:
        return math.nan
    seconds = (session.lines[-1].time - session.lines[0].time).total_seconds()
    return len(session.lines) / seconds if seconds > 0 else math.nan
