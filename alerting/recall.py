"""What this process remembers of its own writes, because a search may lag behind.

Only hints: each is looked up in real time before anything rests on it, and after a
restart the searches alone are enough, for by then they show everything.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import (
    Callable,
    Generator,
    Hashable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from alerting.episode import Episode
from alerting.store import Stored

MAX_HINTS = 20_000
MAX_WRITTEN = 1000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedMap(Generic[K, V]):
    """A mapping that forgets what was written longest ago."""

    def __init__(self, limit: int = MAX_HINTS) -> None:
        self._held: OrderedDict[K, V] = OrderedDict()
        self._limit = limit

    def get(self, key: K) -> V | None:
        return self._held.get(key)

    def put(self, key: K, value: V) -> None:
        self._held[key] = value
        self._held.move_to_end(key)
        if len(self._held) > self._limit:
            self._held.popitem(last=False)

    def drop(self, key: K) -> None:
        self._held.pop(key, None)

    def keys_where(self, wanted: Callable[[V], bool]) -> list[K]:
        return [key for key, value in self._held.items() if wanted(value)]


@dataclass(frozen=True, slots=True)
class Held:
    """An episode and the version it stands in, without the body that it came from."""

    episode: Episode
    version: Stored

    @classmethod
    def of(cls, episode: Episode, stored: Stored) -> Held:
        return cls(episode, replace(stored, body={}))


class Recall:
    """Numbers of newest episodes, homes of findings, and who awaits what."""

    def __init__(self) -> None:
        self.numbers: BoundedMap[tuple[str, str], int] = BoundedMap()
        self.homes: BoundedMap[str, str] = BoundedMap()
        self.written: BoundedMap[str, Held] = BoundedMap(MAX_WRITTEN)
        self._open: BoundedMap[str, str] = BoundedMap()
        self._pending: BoundedMap[str, str] = BoundedMap()

    def stored(self, episode: Episode, finding_ids: Iterable[str]) -> None:
        """Takes note of an episode just written and the findings that it took in."""
        for finding_id in finding_ids:
            self.homes.put(finding_id, episode.episode_id)
        if episode.resolved:
            self._open.drop(episode.episode_id)
        else:
            self._open.put(episode.episode_id, episode.source)
        if episode.silent.pending:
            self._pending.put(episode.episode_id, episode.source)
        else:
            self._pending.drop(episode.episode_id)

    def unresolved(self, source: str) -> list[str]:
        return self._open.keys_where(lambda its: its == source)

    def pending(self, source: str) -> list[str]:
        return self._pending.keys_where(lambda its: its == source)


def newest_of_each(
    read: Callable[[Sequence[tuple[K, int]]], Mapping[tuple[K, int], V]],
    hints: Mapping[K, int | None],
) -> dict[K, tuple[int, V | None]]:
    """The highest number from 1 on that exists, by key, with what stands there.

    (0, None) where there is none. Numbers have no gaps, so doubling steps and then
    halving find the last one in a few rounds of real-time reads; all keys go through
    the same rounds, and a right hint makes it one.
    """
    searches: dict[K, _Search[V]] = {key: _search(hint) for key, hint in hints.items()}
    asked = {key: next(search) for key, search in searches.items()}
    newest: dict[K, tuple[int, V | None]] = {}
    while asked:
        found = read([(key, n) for key, numbers in asked.items() for n in numbers])
        further: dict[K, tuple[int, ...]] = {}
        for key, numbers in asked.items():
            there = {n: found[key, n] for n in numbers if (key, n) in found}
            try:
                further[key] = searches[key].send(there)
            except StopIteration as end:
                newest[key] = end.value
        asked = further
    return newest


_Search = Generator[tuple[int, ...], Mapping[int, V], tuple[int, V | None]]


def _search(hint: int | None) -> _Search[V]:
    """Asks for numbers, is told what stands there, and returns the highest."""
    low = hint or 1
    found = yield low, low + 1
    if low not in found and low > 1:
        low = 1
        found = yield low, low + 1
    if low not in found:
        return 0, None
    held = found[low]
    step = 1
    while low + step in found:
        low, held = low + step, found[low + step]
        step *= 2
        found = yield (low + step,)
    missing = low + step
    while missing - low > 1:
        middle = (low + missing) // 2
        found = yield (middle,)
        if middle in found:
            low, held = middle, found[middle]
        else:
            missing = middle
    return low, held
