"""Which documents of the overlap were read already, in bounded memory."""

import heapq
from datetime import datetime, timedelta
from hashlib import blake2b

from connector.records import LogDocument
from connector.timestamps import EPOCH

DEFAULT_CAPACITY = 50_000
_HASH_BYTES = 8
_COMPLETE_FROM = "from"
_MICROSECOND = timedelta(microseconds=1)


class SeenIds:
    """A bounded set of documents, each an 8-byte hash and its cursor time.

    When it is full the oldest (by cursor time) is forgotten and `forgotten` counts up:
    such a document would be taken for new, so nobody may ask about what stands before
    `complete_from`. 50,000 hashes meet by chance once in 15 thousand million such sets.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 1:
            raise ValueError(f"capacity {capacity}: at least 1")
        self.capacity = capacity
        self.forgotten = 0
        self._times_us: dict[int, int] = {}
        self._oldest: list[tuple[int, int]] = []
        self._complete_from_us: int | None = None

    @property
    def complete_from(self) -> datetime | None:
        """The cursor time from which on nothing was forgotten; None: nothing ever was.

        What was pruned does not count.
        """
        from_us = self._complete_from_us
        return None if from_us is None else EPOCH + from_us * _MICROSECOND

    def __len__(self) -> int:
        return len(self._times_us)

    def __contains__(self, document: LogDocument) -> bool:
        return _hashed(document) in self._times_us

    def add(self, document: LogDocument) -> bool:
        """Remember a document; False when it was known already."""
        time_us = _microseconds(document.cursor_time)
        return self._add(_hashed(document), time_us)

    def prune(self, before: datetime) -> None:
        """Forget, without counting, what stands before this cursor time."""
        bound_us = _microseconds(before)
        while self._oldest and self._oldest[0][0] < bound_us:
            _, digest = heapq.heappop(self._oldest)
            del self._times_us[digest]

    def snapshot(self) -> tuple[str, ...]:
        """The set as texts for a cursor, the oldest first."""
        held = (f"{digest:016x}:{us}" for us, digest in sorted(self._oldest))
        if self._complete_from_us is None:
            return tuple(held)
        return (f"{_COMPLETE_FROM}:{self._complete_from_us}", *held)

    @classmethod
    def restore(
        cls, snapshot: tuple[str, ...], capacity: int = DEFAULT_CAPACITY
    ) -> "SeenIds":
        """The set that `snapshot` was taken of. Raises ValueError for other texts."""
        seen = cls(capacity)
        for text in snapshot:
            digest, _, time_us = text.partition(":")
            if digest == _COMPLETE_FROM:
                seen._forgot_before(int(time_us))
            else:
                seen._add(int(digest, 16), int(time_us))
        return seen

    def _add(self, digest: int, time_us: int) -> bool:
        if digest in self._times_us:
            return False
        self._times_us[digest] = time_us
        heapq.heappush(self._oldest, (time_us, digest))
        if len(self._times_us) > self.capacity:
            oldest_us, oldest = heapq.heappop(self._oldest)
            del self._times_us[oldest]
            self.forgotten += 1
            self._forgot_before(oldest_us + 1)
        return True

    def _forgot_before(self, time_us: int) -> None:
        known_us = self._complete_from_us
        self._complete_from_us = max(time_us, known_us or time_us)


def _hashed(document: LogDocument) -> int:
    identity = f"{document.index}\0{document.doc_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(identity, digest_size=_HASH_BYTES).digest())


def _microseconds(time: datetime) -> int:
    return (time - EPOCH) // _MICROSECOND
