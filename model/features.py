"""Stage 2: what a session's deviation looks like, as numbers.

    deviation   per template: how surprising its events were; how often it was expected
                and did not come
    statistics  length, diversity, transitions, repeats, unknown share, end
    windows     the most surprising stretch of 10, 15 and 20 events
    hidden      the network's state before the most surprising event

Only templates that carry deviation get a column of their own. Scaling is fitted on
training data once and kept in the bundle, never fitted per call.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.surprise import Surprise
from model.vocabulary import EOS, RESERVED, UNK

WINDOWS = (10, 15, 20)
MAX_COLUMNS = 256
USUAL_NATS = 2.0
HALF, MAX_MISSING = 0.5, 5.0
STATISTICS = 9
COUNT_WEIGHT = 0.25

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """Which event ids have columns, and the scaling of all features (F,)."""

    columns: tuple[int, ...]
    mean: Matrix
    scale: Matrix

    def scaled(self, features: Matrix) -> Matrix:
        """features (N, F) → (N, F), standardised and bounded."""
        result: Matrix = np.clip((features - self.mean) / self.scale, -8, 8)
        return result.astype(np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, Matrix]]:
        """JSON values and arrays that `from_state` needs."""
        return {"columns": list(self.columns)}, {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(
        cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> FeatureSpace:
        """A feature space as `state` described it."""
        return cls(
            tuple(int(c) for c in meta["columns"]),
            np.asarray(arrays["mean"], dtype=np.float32),
            np.asarray(arrays["scale"], dtype=np.float32),
        )


def choose_columns(
    sessions: Sequence[EncodedSession], surprises: Sequence[Surprise]
) -> tuple[int, ...]:
    """UNK, EOS, and the event ids with the most deviation over these sessions."""
    mass: defaultdict[int, float] = defaultdict(float)
    for session, surprise in zip(sessions, surprises, strict=True):
        for event, nats in zip(session.ids, surprise.nats, strict=False):
            mass[event] += max(0.0, float(nats) - USUAL_NATS)
        for event, missing in _missing(session, surprise).items():
            mass[event] += missing if missing > HALF else 0.0
    ranked = sorted(mass, key=lambda event: (-mass[event], event))
    chosen = [e for e in ranked if e >= RESERVED and mass[e] > 0]
    return (UNK, EOS, *sorted(chosen[: MAX_COLUMNS - 2]))


def deviation(
    sessions: Sequence[EncodedSession],
    surprises: Sequence[Surprise],
    columns: tuple[int, ...],
) -> Matrix:
    """What is odd about each session, as a unit vector.

    sessions (N), columns (C) → (N, 2C): surprise per template, then what was missing.
    """
    place = {event: column for column, event in enumerate(columns)}
    rows = np.zeros((len(sessions), 2 * len(columns)), dtype=np.float32)
    for row, session, surprise in zip(rows, sessions, surprises, strict=True):
        excess: dict[int, float] = {}
        judged = (*session.ids, EOS)
        for event, nats in zip(judged, surprise.nats, strict=True):
            over = float(nats) - USUAL_NATS
            if over > 0:
                excess[event] = max(over, excess.get(event, 0.0))
        for event, over in excess.items():
            row[place.get(event, 0)] = over
        if session.ends:  # of a unit that is still open it may yet come
            for event, missing in _missing(session, surprise).items():
                if event in place:
                    row[len(columns) + place[event]] = 2.0 * min(missing, MAX_MISSING)
    return _unit(rows)


def kind_rows(
    sessions: Sequence[EncodedSession],
    surprises: Sequence[Surprise],
    columns: tuple[int, ...],
    support: SupportDistance,
) -> Matrix:
    """What kinds are told apart by, as unit vectors: (N, 3C).

    The deviation, where many lines count more than one loud line (square roots), and
    how many more or fewer of each template there are than in the nearest normal
    session: repetition and left-out steps, with their sign.
    """
    odd = np.sqrt(deviation(sessions, surprises, columns))
    place = {event: column for column, event in enumerate(columns)}
    counts = np.zeros((len(sessions), len(columns)), dtype=np.float32)
    known: dict[EncodedSession, Matrix] = {}
    for row, session in enumerate(sessions):
        if session not in known:
            known[session] = _signed_counts(session, support, place)
        counts[row] = known[session]
    joined = np.concatenate([_unit(odd), COUNT_WEIGHT * _unit(counts)], axis=1)
    return _unit(joined)


def _signed_counts(
    session: EncodedSession, support: SupportDistance, place: Mapping[int, int]
) -> Matrix:
    """Signed count differences (C), damped; none for a unit that is still open."""
    row = np.zeros(len(place), dtype=np.float32)
    if not (session.starts and session.ends):
        return row
    own, usual = Counter(session.ids), support.nearest_counts(session)
    for event in {*own, *usual} & set(place):
        gap = own[event] - usual.get(event, 0.0)
        row[place[event]] = np.sign(gap) * np.sqrt(np.log1p(abs(gap)))
    return row


def _unit(rows: Matrix) -> Matrix:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Matrix = (rows / np.maximum(norms, 1e-6)).astype(np.float32)
    return result


def deep_features(
    sessions: Sequence[EncodedSession],
    surprises: Sequence[Surprise],
    columns: tuple[int, ...],
) -> Matrix:
    """All features of stage 2: sessions (N) → (N, 2C + STATISTICS + 3 + H)."""
    if not sessions:
        return np.zeros((0, 2 * len(columns) + STATISTICS + 3), dtype=np.float32)
    statistics = np.array(
        [_statistics(s, u) for s, u in zip(sessions, surprises, strict=True)],
        dtype=np.float32,
    )
    hidden = np.stack([u.hidden for u in surprises])
    return np.concatenate(
        [deviation(sessions, surprises, columns), statistics, hidden], axis=1
    )


def fit_space(
    columns: tuple[int, ...],
    sessions: Sequence[EncodedSession],
    surprises: Sequence[Surprise],
    *,
    statistics: bool = True,
    windows: bool = True,
) -> FeatureSpace:
    """The scaling of the features over these training sessions.

    What is left out, and what never varies, says nothing: it is scaled to 0.
    """
    features = deep_features(sessions, surprises, columns)
    spread = features.std(axis=0)
    spread[spread < 1e-3] = 1.0
    at = 2 * len(columns)
    if not statistics:
        spread[at : at + STATISTICS] = np.inf
    if not windows:
        spread[at + STATISTICS : at + STATISTICS + len(WINDOWS)] = np.inf
    return FeatureSpace(columns, features.mean(axis=0), spread)


def _missing(session: EncodedSession, surprise: Surprise) -> dict[int, float]:
    """How often events were expected more than they came: half a time or more."""
    counts = Counter(session.ids)
    if session.ends:
        counts[EOS] += 1
    gaps = {e: float(often - counts[e]) for e, often in surprise.expected.items()}
    return {event: gap for event, gap in gaps.items() if gap >= HALF}


def _statistics(session: EncodedSession, surprise: Surprise) -> list[float]:
    ids, nats = session.ids, surprise.nats
    length = max(len(ids), 1)
    counts = Counter(ids)
    moves = Counter(pairwise(ids))
    shares = np.array(list(counts.values()), dtype=np.float64) / length
    return [
        float(np.log1p(length)),
        len(counts) / length,
        len(moves) / length,
        float(-(shares * np.log(shares)).sum()) if len(shares) else 0.0,
        float(np.log1p(max(counts.values(), default=0))),
        sum(a == b for a, b in pairwise(ids)) / length,
        counts[UNK] / length,
        float(nats.mean()),
        float(nats[-1]),
        *(_window_peak(nats, size) for size in WINDOWS),
    ]


def _window_peak(nats: NDArray[np.float32], size: int) -> float:
    """The highest mean surprise over any `size` events in a row."""
    if len(nats) <= size:
        return float(nats.mean())
    sums = np.convolve(nats, np.ones(size, dtype=np.float32), mode="valid")
    return float(sums.max() / size)
