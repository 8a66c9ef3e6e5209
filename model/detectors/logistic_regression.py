"""Logistic regression on counts: a weight a template, from labels."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression

from model.detectors.count_detector import TaughtCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Flags


class LogisticDetector(TaughtCounts):
    """The probability of trouble is the logistic function of weighted counts."""

    name = "logistic-regression"

    def teach(self, rows: Rows, odd: Flags) -> Any:
        """Weights for rows (N, V) and truth (N,)."""
        return LogisticRegression(max_iter=1000, random_state=self.seed).fit(rows, odd)
