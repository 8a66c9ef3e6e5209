"""Documents that were read at once, as columns; hashed when somebody asks."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import chain

from connector.records import LogDocument
from connector.timestamps import EPOCH

_HASH_BYTES = 8
_Hashed = tuple["array[int]", "array[int]"]


class SeenPage:
    """Cursor time, index and id of N ≥ 1 documents. Lists, not records: no object a
    document is left for the garbage collector to look at."""

    __slots__ = ("_hashed", "_ids", "_indices", "_times", "earliest", "latest")

    def __init__(
        self,
        times: list[datetime],
        indices: list[str],
        ids: list[str],
        hashed: _Hashed | None = None,
    ) -> None:
        self._times, self._indices, self._ids = times, indices, ids
        self._hashed = hashed
        self.earliest, self.latest = min(times), max(times)

    @classmethod
    def of(cls, documents: Sequence[LogDocument]) -> SeenPage:
        """One or more documents, in any order."""
        return cls(
            [d.cursor_time for d in documents],
            [d.index for d in documents],
            [d.doc_id for d in documents],
        )

    @classmethod
    def joined(cls, pages: Sequence[SeenPage]) -> SeenPage:
        """One page of all that is in these."""
        return cls(
            list(chain.from_iterable(p._times for p in pages)),
            list(chain.from_iterable(p._indices for p in pages)),
            list(chain.from_iterable(p._ids for p in pages)),
        )

    def __len__(self) -> int:
        return len(self._times)

    def since(self, time: datetime) -> SeenPage:
        """What of it stands at this time or later; its `latest` does."""
        if self.earliest >= time:
            return self
        return self._of([i for i, each in enumerate(self._times) if each >= time])

    def after_first(self, count: int) -> tuple[datetime, SeenPage]:
        """The rest without its `count` earliest, 0 < count < N; the time of the last
        of these."""
        order = sorted(range(len(self)), key=self._times.__getitem__)
        return self._times[order[count - 1]], self._of(order[count:])

    def hashed(self) -> _Hashed:
        """Cursor times, microseconds, and hashes; each (N)."""
        if self._hashed is None:
            times_us = array("q", map(microseconds, self._times))
            self._hashed = times_us, _digests(self._indices, self._ids)
        return self._hashed

    def _of(self, places: Sequence[int]) -> SeenPage:
        hashed = None
        if self._hashed is not None:
            times_us, digests = self._hashed
            hashed = (
                array("q", [times_us[i] for i in places]),
                array("Q", [digests[i] for i in places]),
            )
        return SeenPage(
            [self._times[i] for i in places],
            [self._indices[i] for i in places],
            [self._ids[i] for i in places],
            hashed,
        )


def digest_of(index: str, doc_id: str) -> int:
    """The hash that stands for a document."""
    return _digests([index], [doc_id])[0]


def _digests(indices: Sequence[str], ids: Sequence[str]) -> array[int]:
    """Hashes of N documents → (N). Few indices: each is hashed once."""
    begun = {index: blake2b(digest_size=_HASH_BYTES) for index in set(indices)}
    for index, hasher in begun.items():
        hasher.update(f"{index}\0".encode("utf-8", "surrogatepass"))
    found = []
    for index, doc_id in zip(indices, ids, strict=True):
        hasher = begun[index].copy()
        hasher.update(doc_id.encode("utf-8", "surrogatepass"))
        found.append(hasher.digest())
    digests = array("Q", b"".join(found))
    if sys.byteorder == "little":
        digests.byteswap()
    return digests


def microseconds(time: datetime) -> int:
    """Since the epoch."""
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
