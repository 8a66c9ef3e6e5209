"""The two trivial baselines: one line each, and hard to beat on clean logs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.vocabulary import UNK


class UnseenTemplate:
    """Anomalous: holds a template that no training session holds.

    The score is the number of such templates.
    """

    name = "unseen template"

    def __init__(self) -> None:
        self.threshold = 0.0
        self.seen: set[int] = set()

    def fit(self, sessions: Sequence[EncodedSession]) -> None:
        """Remembers all templates."""
        self.seen = {event for s in sessions for event in s.ids} - {UNK}

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """sessions (N) → (N,) counts."""
        return np.array(
            [len(set(s.ids) - self.seen) for s in sessions], dtype=np.float64
        )


class UnseenCountVector:
    """Anomalous: its template counts equal no training session's."""

    name = "unseen count vector"

    def __init__(self) -> None:
        self.threshold = 0.5
        self.seen: set[str] = set()

    def fit(self, sessions: Sequence[EncodedSession]) -> None:
        """Remembers all count vectors, as digests."""
        self.seen = {counts_digest(s) for s in sessions}

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """sessions (N) → (N,) of 0 or 1."""
        return np.array(
            [float(counts_digest(s) not in self.seen) for s in sessions],
            dtype=np.float64,
        )


def counts_digest(session: EncodedSession) -> str:
    """A digest of the template counts of a session."""
    counts = repr(sorted(Counter(session.ids).items())).encode()
    return hashlib.blake2b(counts, digest_size=8).hexdigest()
