"""Support vector machine on counts, with radial kernels, from labels."""

from __future__ import annotations

from typing import Any

from scipy.special import expit
from sklearn.svm import SVC

from model.detectors.count_detector import TaughtCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Flags, Floats


class SupportVectors(TaughtCounts):
    """Which side of the margin; the logistic function of the distance to it."""

    name = "svm"

    def teach(self, rows: Rows, odd: Flags) -> Any:
        """The margin between rows (N, V) by truth (N,)."""
        return SVC(random_state=self.seed).fit(rows, odd)

    def judge(self, rows: Rows) -> Floats:
        """rows (N, V) → (N,); ½ on the margin itself. No calibrated probability."""
        found: Floats = expit(self.estimator.decision_function(rows))
        return found
