"""Isolation forest: few random cuts part it from the rest (Liu et al. 2008).

A forest cuts only where its sessions differ, so a template that none of them holds
would count for nothing. Therefore one session in a hundred is learned once more with
its rarest template unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest

from model.detectors.count_detector import UsualCounts
from model.detectors.counts import Rows
from model.detectors.protocol import Floats

TREES = 100
UNKNOWN_EVERY = 100


class Isolation(UsualCounts):
    """The mean depth at which random cuts isolate a session, as a score in 0…1."""

    name = "isolation-forest"

    def learn(self, rows: Rows) -> Any:
        """A forest of usual rows (N, V)."""
        unknown = rows[::UNKNOWN_EVERY].copy()
        rarest = [int(np.flatnonzero(row[:-1])[-1:].sum()) for row in unknown]
        places = np.arange(len(unknown))
        unknown[:, -1] += unknown[places, rarest]
        unknown[places, rarest] = 0
        forest = IsolationForest(n_estimators=TREES, random_state=self.seed)
        return forest.fit(np.vstack([rows, unknown]))

    def judge(self, rows: Rows) -> Floats:
        """rows (N, V) → (N,), 1 where the first cut would do."""
        found: Floats = -self.estimator.score_samples(rows)
        return found
