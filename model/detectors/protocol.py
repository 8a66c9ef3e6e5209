"""What every detector can do: fit on sessions, score sessions.

One method a module; score is apart from decide. Scores are comparable within one
fitted detector only; a session is anomalous where `score > threshold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.events import EncodedSession

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Detector(Protocol):
    """Tells anomalous sessions from what it was fitted on."""

    name: str
    threshold: float

    def fit(self, sessions: Sequence[EncodedSession]) -> None:
        """Learns what is usual. sessions: mostly normal, unlabelled."""

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """Higher is more anomalous. sessions (N) → (N,)."""


def detect(detector: Detector, sessions: Sequence[EncodedSession]) -> Flags:
    """`score > threshold`. sessions (N) → (N,)."""
    return detector.score(sessions) > detector.threshold
