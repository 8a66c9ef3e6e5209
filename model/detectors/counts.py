"""Sessions → numbers, for detectors that judge how often each template comes.

A column a template (with `bigrams`: a column a pair in a row too), in the order of how
many sessions hold it, fixed at fit; the last column counts everything else. Values are
ln(1 + count): a loop of a thousand lines is far away, yet not a thousand times as far.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.detectors.protocol import Flags
from model.events import EncodedSession
from model.vocabulary import UNK

MAX_COLUMNS = 2000
Rows = NDArray[np.float32]
Term = tuple[int, ...]


class CountTurn:
    """Sessions → rows of ln(1 + count)."""

    def __init__(self, *, bigrams: bool = False) -> None:
        self.bigrams = bigrams
        self._columns: dict[Term, int] = {}

    @property
    def width(self) -> int:
        """The number of columns, that of everything else included."""
        return len(self._columns) + 1

    def fit(self, sessions: Sequence[EncodedSession]) -> None:
        """Fixes the columns: the terms that most sessions hold, at most 2,000."""
        holding = Counter(term for s in sessions for term in set(self._terms(s)))
        holding.pop((UNK,), None)
        ranked = sorted(holding, key=lambda term: (-holding[term], term))
        self._columns = {t: i for i, t in enumerate(ranked[:MAX_COLUMNS])}

    def rows(self, sessions: Sequence[EncodedSession]) -> Rows:
        """sessions (N) → (N, width)."""
        rows = np.zeros((len(sessions), self.width), dtype=np.float32)
        for place, session in enumerate(sessions):
            for term, count in Counter(self._terms(session)).items():
                rows[place, self._columns.get(term, -1)] += count
        return np.log1p(rows)

    def made_unknown(self, rows: Rows, strange: Flags) -> Rows:
        """Rows (N, width), what is in strange columns (width,) moved to the last."""
        counts = np.expm1(rows)
        counts[:, -1] += counts[:, :-1][:, strange[:-1]].sum(axis=1)
        counts[:, :-1][:, strange[:-1]] = 0
        moved: Rows = np.log1p(counts)
        return moved

    def state(self) -> dict[str, Any]:
        """All that `from_state` needs, as JSON."""
        return {"bigrams": self.bigrams, "terms": [list(t) for t in self._columns]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CountTurn:
        """The turn that `state` described."""
        turn = cls(bigrams=bool(state["bigrams"]))
        turn._columns = {
            tuple(int(e) for e in term): i for i, term in enumerate(state["terms"])
        }
        return turn

    def _terms(self, session: EncodedSession) -> Iterator[Term]:
        yield from zip(session.ids)
        if self.bigrams:
            yield from pairwise(session.ids)


def pages(count: int, width: int, numbers: int = 4_000_000) -> Iterator[slice]:
    """Slices of N rows that hold so many numbers at most: bounded memory."""
    size = max(1, math.floor(numbers / max(width, 1)))
    for at in range(0, count, size):
        yield slice(at, at + size)
