"""The two trivial baselines: one line each, and hard to beat on clean logs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.detectors.learning_set import usual
from model.detectors.leaving_out import by_leaving_out
from model.detectors.plain_files import read_json, write_json
from model.detectors.protocol import Floats, Kinds, Reason, Sample, Setting
from model.events import EncodedSession
from model.vocabulary import UNK


class UnseenTemplate:
    """Anomalous: holds a template that no training session holds.

    The score is the number of such templates.
    """

    name = "unseen-template"
    supervised = False

    def __init__(self, setting: Setting | None = None) -> None:
        self.threshold = 0.0
        self.seen: set[int] = set()

    def fit(
        self, sessions: Sequence[EncodedSession], labels: Kinds | None = None
    ) -> None:
        """Remembers all templates."""
        self.seen = {e for s in usual(sessions, labels) for e in s.ids} - {UNK}

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """sessions (N) → (N,) counts."""
        return np.array(
            [len(set(s.ids) - self.seen) for s in sessions], dtype=np.float64
        )

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By leaving templates out."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """Writes what was seen."""
        write_json(folder, {"seen": sorted(self.seen)})

    def load(self, folder: Path) -> None:
        """Reads what was seen."""
        self.seen = {int(seen) for seen in read_json(folder)["seen"]}


class UnseenCountVector:
    """Anomalous: its template counts equal no training session's."""

    name = "unseen-counts"
    supervised = False

    def __init__(self, setting: Setting | None = None) -> None:
        self.threshold = 0.5
        self.seen: set[str] = set()

    def fit(
        self, sessions: Sequence[EncodedSession], labels: Kinds | None = None
    ) -> None:
        """Remembers all count vectors, as digests."""
        self.seen = {counts_digest(s) for s in usual(sessions, labels)}

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """sessions (N) → (N,) of 0 or 1."""
        return np.array(
            [float(counts_digest(s) not in self.seen) for s in sessions],
            dtype=np.float64,
        )

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By leaving templates out."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """Writes what was seen."""
        write_json(folder, {"seen": sorted(self.seen)})

    def load(self, folder: Path) -> None:
        """Reads what was seen."""
        self.seen = {str(seen) for seen in read_json(folder)["seen"]}


def counts_digest(session: EncodedSession) -> str:
    """A digest of the template counts of a session."""
    counts = repr(sorted(Counter(session.ids).items())).encode()
    return hashlib.blake2b(counts, digest_size=8).hexdigest()
