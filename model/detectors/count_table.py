"""How far the template counts of sessions are from those of others: Bray-Curtis.

    sessions ─▶ rows: only what is not 0 ─▶ different rows, and how often each came
                                                 └─▶ distance of any other row to each

    distance of counts x, y  =  Σ|x − y| / Σ(x + y)     0 equal … 1 nothing in common

A session holds few of the templates. Memory and time follow what rows hold, not how
many templates there are: with 100,000 of them a matrix of all counts fits nowhere.
Columns that many rows hold are compared as a small full matrix; of the others only
what two rows share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.vocabulary import UNK

MAX_NEIGHBOURS = 4000
PART = 2048
ROWS_AT_ONCE = 512
DENSE_SHARE = 1 / 32
KEY_BYTES = 1 << 27
_ENTRY = np.dtype(">u4")
_HIGHEST = np.iinfo(_ENTRY).max


class CountTable:
    """Count rows of normal sessions (M), and their `weights`: how many have each.

    `width`: how many event ids there are; what is beyond counts as UNK.
    """

    def __init__(self, rows: csr_array, weights: NDArray[np.int64]) -> None:
        self.width = int(rows.shape[1])
        self.weights = weights
        self._rows = rows
        holding = np.bincount(rows.indices, minlength=self.width)
        often = np.flatnonzero(holding >= max(2.0, DENSE_SHARE * rows.shape[0]))
        self._place = np.full(self.width, -1)  # of the events that many rows hold
        self._place[often] = np.arange(len(often))
        self._often = self._full(rows, len(often))
        self._columns = rows.tocsc()
        self._sums = _sums(rows)

    @classmethod
    def of(cls, sessions: Sequence[EncodedSession]) -> CountTable:
        """The different rows of sessions, at most MAX_NEIGHBOURS: the most frequent."""
        width = max((max(s.ids, default=UNK) for s in sessions), default=UNK) + 1
        times = Counter(sessions)
        found: Counter[bytes] = Counter()
        held = 0
        for part in _parts(list(times)):
            for session, key in zip(part, _keys(part, width), strict=True):
                held += 0 if key in found else len(key)
                found[key] += times[session]
            if held > KEY_BYTES:  # the rare half is forgotten: few are kept anyway
                found = Counter(dict(found.most_common(len(found) // 2)))
                held = sum(map(len, found))
        keys = sorted(found)
        if len(keys) > MAX_NEIGHBOURS:
            keys.sort(key=lambda key: -found[key])
            keys = keys[:MAX_NEIGHBOURS]
        weights = np.array([found[key] for key in keys], dtype=np.int64)
        return cls(_rows(keys, width), weights)

    def __len__(self) -> int:
        return len(self.weights)

    def counts(self, place: int) -> dict[int, float]:
        """The counts of one row by event id."""
        part = slice(*self._rows.indptr[place : place + 2])
        events, counts = self._rows.indices[part], self._rows.data[part]
        return dict(zip(events.tolist(), counts.tolist(), strict=True))

    def distances(
        self, sessions: Sequence[EncodedSession]
    ) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """Pages of different rows: places of the sessions (n) that have one of them,
        as (place in `sessions`, row), (n, 2); their distances to all here, (R, M)."""
        for at in range(0, len(sessions), PART):
            index: dict[bytes, list[int]] = {}
            for place, key in enumerate(
                _keys(sessions[at : at + PART], self.width), start=at
            ):
                index.setdefault(key, []).append(place)
            keys = list(index)
            for first in range(0, len(keys), ROWS_AT_ONCE):
                page = keys[first : first + ROWS_AT_ONCE]
                places = [
                    (place, row) for row, key in enumerate(page) for place in index[key]
                ]
                yield (
                    np.array(places, dtype=np.int64),
                    self._distances(_rows(page, self.width)),
                )

    def own_distances(self) -> Iterator[Floats]:
        """The distances of the rows here to all rows here, in pages of rows."""
        for at in range(0, len(self), ROWS_AT_ONCE):
            yield self._distances(self._rows[at : at + ROWS_AT_ONCE])

    def kth_distances(self, sessions: Sequence[EncodedSession], k: int) -> Floats:
        """Distance of sessions (N) to the k-th nearest of those here → (N,)."""
        found = np.zeros(len(sessions))
        for places, distances in self.distances(sessions):
            found[places[:, 0]] = self.kth(distances, k)[places[:, 1]]
        return found

    def kth(self, distances: Floats, k: int) -> Floats:
        """The k-th smallest of distances (N, M) in each row → (N,).

        Each stands for as many sessions as have these counts, so the k-th is
        among the k smallest.
        """
        most = min(k, len(self))
        near = np.argpartition(distances, most - 1, axis=1)[:, :most]
        distances = np.take_along_axis(distances, near, axis=1)
        order = np.argsort(distances, axis=1, kind="stable")
        weights = self.weights[np.take_along_axis(near, order, axis=1)]
        reached = np.cumsum(weights, axis=1) < k
        column = np.minimum(reached.sum(axis=1), most - 1)
        nearest = np.take_along_axis(order, column[:, None], axis=1)
        kth: Floats = np.take_along_axis(distances, nearest, axis=1)[:, 0]
        return kth

    def state(self) -> dict[str, NDArray[Any]]:
        """All that `from_state` needs."""
        return {
            "starts": self._rows.indptr.astype(np.int64),
            "events": self._rows.indices.astype(np.int64),
            "counts": self._rows.data.astype(np.float32),
            "width": np.array([self.width], dtype=np.int64),
            "weights": self.weights,
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> CountTable:
        """A table as `state` described it, or as older bundles hold it: a matrix.

        Raises ValueError where the arrays do not fit together.
        """
        weights = np.asarray(arrays["weights"], dtype=np.int64)
        counts = np.asarray(arrays["counts"], dtype=np.float64)
        if counts.ndim == 2:
            rows = csr_array(counts)
        else:
            shape = (len(weights), int(arrays["width"].item()))
            parts = counts, arrays["events"], arrays["starts"]
            rows = csr_array(parts, shape=shape)
            rows.check_format(full_check=True)
        if rows.shape[0] != len(weights):
            raise ValueError("counts and weights differ in number")
        return cls(rows, weights)

    def _distances(self, rows: csr_array) -> Floats:
        """rows (R) → (R, M). All sums are of whole numbers, so they are exact."""
        whole = _sums(rows)[:, None] + self._sums  # (R, M)
        own = self._full(rows, self._often.shape[1])
        often = own.sum(axis=1)[:, None] + self._often.sum(axis=1)
        apart = whole - self._shared_seldom(rows) - often
        if own.shape[1]:
            apart += cdist(own, self._often, "cityblock")
        with np.errstate(invalid="ignore"):
            found: Floats = np.nan_to_num(apart / whole)
        return found

    def _full(self, rows: csr_array, columns: int) -> Floats:
        """The columns that many rows here hold, in full: (R, columns)."""
        found: Floats = np.zeros((rows.shape[0], columns))
        places = self._place[rows.indices]
        held = places >= 0
        found[_row_of(rows)[held], places[held]] = rows.data[held]
        return found

    def _shared_seldom(self, rows: csr_array) -> Floats:
        """2·Σ min(x, y) over the columns that few rows here hold: (R, M)."""
        entries = np.flatnonzero(self._place[rows.indices] < 0)
        events = rows.indices[entries]
        first = self._columns.indptr[events].astype(np.int64)
        lengths = self._columns.indptr[events + 1] - first
        # For each entry of the rows all entries of its column, one after the other.
        skipped = np.repeat(first - lengths.cumsum() + lengths, lengths)
        places = skipped + np.arange(lengths.sum())
        start = _row_of(rows)[entries] * len(self)
        cells = np.repeat(start, lengths) + self._columns.indices[places]
        shared = np.minimum(
            np.repeat(rows.data[entries], lengths), self._columns.data[places]
        )
        count = rows.shape[0] * len(self)
        found: Floats = np.bincount(cells, shared, minlength=count).astype(np.float64)
        return 2 * found.reshape(rows.shape[0], len(self))


def _row_of(rows: csr_array) -> NDArray[np.int64]:
    """The row of each entry."""
    found: NDArray[np.int64] = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return found


def _sums(rows: csr_array) -> Floats:
    found: Floats = np.asarray(rows.sum(axis=1), dtype=np.float64).ravel()
    return found


def _parts(sessions: Sequence[EncodedSession]) -> Iterator[Sequence[EncodedSession]]:
    for at in range(0, len(sessions), PART):
        yield sessions[at : at + PART]


def _keys(sessions: Sequence[EncodedSession], width: int) -> list[bytes]:
    """The count rows of sessions (N) as bytes, equal where the rows are.

    Their order is that of the rows as full vectors: pairs (highest − event, count),
    big-endian, since the first event that one has and the other lacks decides.
    """
    lengths = [len(session.ids) for session in sessions]
    ids = np.fromiter(
        chain.from_iterable(session.ids for session in sessions),
        dtype=np.int64,
        count=sum(lengths),
    )
    ids[ids >= width] = UNK
    cells, counts = np.unique(
        np.repeat(np.arange(len(sessions)) * width, lengths) + ids, return_counts=True
    )
    pairs = np.empty((len(cells), 2), dtype=_ENTRY)
    pairs[:, 0], pairs[:, 1] = _HIGHEST - cells % width, counts
    bounds = np.searchsorted(cells, np.arange(len(sessions) + 1) * width).tolist()
    data, size = pairs.tobytes(), 2 * _ENTRY.itemsize
    return [data[size * start : size * end] for start, end in pairwise(bounds)]


def _rows(keys: Sequence[bytes], width: int) -> csr_array:
    """What `_keys` made, as a sparse matrix (N, width)."""
    pairs = np.frombuffer(b"".join(keys), dtype=_ENTRY).reshape(-1, 2)
    events = (_HIGHEST - pairs[:, 0].astype(np.int64)).astype(np.int64)
    lengths = [len(key) // (2 * _ENTRY.itemsize) for key in keys]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    counts = pairs[:, 1].astype(np.float64)
    return csr_array((counts, events, starts), shape=(len(keys), width))
