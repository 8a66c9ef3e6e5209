"""Which documents of the overlap were read already, in bounded memory."""

from __future__ import annotations

import heapq
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, pairwise
from operator import attrgetter

from connector.records import LogDocument
from connector.seen_page import SeenPage, digest_of, microseconds
from connector.timestamps import EPOCH

DEFAULT_CAPACITY = 50_000
_COMPLETE_FROM = "from"
_PACKED = "packed"
_MICROSECOND = timedelta(microseconds=1)
_FRESH_SETS = 2


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
        self._fresh: list[SeenPage] = []
        self._newest: datetime | None = None
        self._complete_from_us: int | None = None

    @property
    def complete_from(self) -> datetime | None:
        """The cursor time from which on nothing was forgotten; None: nothing ever was.

        What was pruned does not count.
        """
        self._bound()
        from_us = self._complete_from_us
        return None if from_us is None else EPOCH + from_us * _MICROSECOND

    @property
    def newest(self) -> datetime | None:
        """The latest cursor time that was ever added; None: nothing ever was."""
        return self._newest

    def __len__(self) -> int:
        self._hash_fresh()
        return len(self._times_us)

    def __contains__(self, document: LogDocument) -> bool:
        self._hash_fresh()
        return _digest(document) in self._times_us

    def add(self, document: LogDocument) -> bool:
        """Remember a document; False when it was known already."""
        self._hash_fresh()
        time = document.cursor_time
        if not self._add(_digest(document), microseconds(time)):
            return False
        self._note_newest(time)
        return True

    def add_new(self, documents: Sequence[LogDocument]) -> None:
        """Remember documents that are known to be in it not yet.

        They are hashed when somebody asks, or a snapshot is taken: most of a backlog
        is pruned before.
        """
        if documents:
            page = SeenPage.of(documents)
            self._fresh.append(page)
            self._note_newest(page.latest)
            if (waiting := self._waiting()) > _FRESH_SETS * self.capacity:
                self._forget_fresh(waiting - self.capacity)

    def prune(self, before: datetime) -> None:
        """Forget, without counting, what stands before this cursor time."""
        self._fresh = [p.since(before) for p in self._fresh if p.latest >= before]
        bound_us = microseconds(before)
        while self._oldest and self._oldest[0][0] < bound_us:
            _, digest = heapq.heappop(self._oldest)
            del self._times_us[digest]

    def snapshot(self) -> tuple[str, ...]:
        """The set as texts for a cursor: one with all hashes and times, packed."""
        self._bound()
        times_us, digests = array("q"), array("Q")
        for time_us, digest in sorted(self._oldest):
            times_us.append(time_us)
            digests.append(digest)
        for page in self._fresh:
            for all_of, own in zip((times_us, digests), page.hashed(), strict=True):
                all_of.extend(own)
        texts = []
        if self._complete_from_us is not None:
            texts.append(f"{_COMPLETE_FROM}:{self._complete_from_us}")
        if times_us:
            packed = _little(times_us) + _little(digests)
            texts.append(f"{_PACKED}:{b64encode(packed).decode()}")
        return tuple(texts)

    @classmethod
    def restore(
        cls, snapshot: tuple[str, ...], capacity: int = DEFAULT_CAPACITY
    ) -> SeenIds:
        """The set that `snapshot` was taken of. Raises ValueError for other texts."""
        seen = cls(capacity)
        for text in snapshot:
            kind, _, rest = text.partition(":")
            if kind == _COMPLETE_FROM:
                seen._forgot_before(int(rest))
            elif kind == _PACKED:
                for time_us, digest in _unpacked(rest):
                    seen._add(digest, time_us)
            else:  # one hash and its time, as older versions wrote them
                seen._add(int(kind, 16), int(rest))
        if seen._times_us:
            newest_us = max(seen._times_us.values())
            seen._newest = EPOCH + newest_us * _MICROSECOND
        return seen

    def _waiting(self) -> int:
        return sum(map(len, self._fresh))

    def _bound(self) -> None:
        """What is too much is forgotten; the fresh ones are hashed only for that."""
        if len(self._times_us) + self._waiting() > self.capacity:
            self._hash_fresh()

    def _hash_fresh(self) -> None:
        """What came by `add_new` becomes like the rest."""
        if not self._fresh:
            return
        if (waiting := self._waiting()) > self.capacity:
            self._forget_fresh(waiting - self.capacity)
        known = self._times_us
        for time_us, digest in sorted(
            chain.from_iterable(zip(*p.hashed(), strict=True) for p in self._fresh)
        ):
            if digest not in known:
                known[digest] = time_us
                self._oldest.append((time_us, digest))
        self._fresh.clear()
        self._oldest.sort()  # which is a heap, too
        if (too_many := len(known) - self.capacity) > 0:
            for _, digest in self._oldest[:too_many]:
                del known[digest]
            self.forgotten += too_many
            self._forgot_before(self._oldest[too_many - 1][0] + 1)
            del self._oldest[:too_many]

    def _forget_fresh(self, count: int) -> None:
        """The earliest of the fresh ones were too many."""
        self.forgotten += count
        pages = sorted(self._fresh, key=attrgetter("earliest"))
        if any(one.latest > after.earliest for one, after in pairwise(pages)):
            pages = [SeenPage.joined(pages)]
        while count >= len(pages[0]):
            count -= len(pages[0])
            last = pages.pop(0).latest
        if count:
            last, pages[0] = pages[0].after_first(count)
        self._fresh = pages
        self._forgot_before(microseconds(last) + 1)

    def _note_newest(self, time: datetime) -> None:
        if self._newest is None or time > self._newest:
            self._newest = time

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


def _digest(document: LogDocument) -> int:
    return digest_of(document.index, document.doc_id)


def _little(numbers: array[int]) -> bytes:
    """The numbers as bytes that every machine reads alike."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _unpacked(text: str) -> Iterator[tuple[int, int]]:
    """(time, hash) of a packed text. Raises ValueError for a broken one."""
    packed = b64decode(text, validate=True)
    if len(packed) % 16:
        raise ValueError(f"a packed set of {len(packed)} bytes")
    half = len(packed) // 2
    times_us, digests = array("q", packed[:half]), array("Q", packed[half:])
    if sys.byteorder == "big":
        times_us.byteswap()
        digests.byteswap()
    return zip(times_us, digests, strict=True)
