"""What every detector can do: fit on sessions, score, explain, be saved and loaded.

One method a module, each easy to delete; registry.py knows them by name, store.py
writes them with digests. Score is apart from decide: scores are comparable within one
fitted detector only, and a session is anomalous where `score > threshold`.

Sessions come as `Sample`: event ids, and behind each id its line with time and
severity. Most detectors need the ids alone and take any `EncodedSession`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from model.events import EncodedSession, LogEvent, Session
from model.templates.frozen import FrozenTemplates
from model.vocabulary import Vocabulary, encode

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
S = TypeVar("S", bound=EncodedSession)
S_contra = TypeVar("S_contra", bound=EncodedSession, contravariant=True)
Kinds = Sequence[str | None]
"""A label a session: `normal`, `ignore`, `anomalous`, a kind's name, None: unknown."""


@dataclass(frozen=True, slots=True)
class Sample(EncodedSession):
    """A session as detectors see it: its event ids, and the line behind each.

    Equal where the event ids and bounds are: lines do not count.
    """

    lines: tuple[LogEvent, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a detector is made for. `epochs`: at most so many, None its own choice."""

    vocabulary: Vocabulary
    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    epochs: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One event of a session and what its template adds to the score."""

    position: int
    event_id: int
    contribution: float


class Detector(Protocol):
    """Tells anomalous sessions from what it was fitted on.

    `supervised`: it learns from labels, and does not without.
    """

    name: str
    supervised: bool
    threshold: float

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Learns from sessions (N), mostly normal, and their labels (N).

        An unsupervised detector leaves out what labels call anomalous. Raises
        TrainingError: nothing to learn from, or a supervised one without labels of
        both sorts.
        """

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """Higher is more anomalous; each session alone counts. sessions (N) → (N,)."""

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """The events that make the score, the one that adds most first."""

    def save(self, folder: Path) -> None:
        """Writes JSON, npz, safetensors or skops into an empty folder; no pickle."""

    def load(self, folder: Path) -> None:
        """Reads what `save` wrote. Any error is told by store.py in one line."""


def samples(sessions: Sequence[Session], templates: FrozenTemplates) -> list[Sample]:
    """Sessions with their event ids. sessions (N) → N samples."""
    return [
        Sample(found.ids, found.starts, found.ends, session.events)
        for session, found in zip(sessions, encode(sessions, templates), strict=True)
    ]


def part_of(session: Sample, positions: Iterable[int]) -> Sample:
    """The session with these positions alone."""
    kept = list(positions)
    lines = tuple(session.lines[i] for i in kept) if session.lines else ()
    ids = tuple(session.ids[i] for i in kept)
    return Sample(ids, session.starts, session.ends, lines)


class Scoring(Protocol[S_contra]):
    """What can score, and decide by its threshold."""

    threshold: float

    def score(self, sessions: Sequence[S_contra]) -> Floats:
        """Higher is more anomalous. sessions (N) → (N,)."""


def detect(detector: Scoring[S], sessions: Sequence[S]) -> Flags:
    """`score > threshold`. sessions (N) → (N,)."""
    return detector.score(sessions) > detector.threshold
