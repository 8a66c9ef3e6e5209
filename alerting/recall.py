"""What this process remembers of its own writes, because a search may lag behind.

Only hints: each is looked up in real time before anything rests on it, and after a
restart the searches alone are enough, for by then they show everything.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
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


class Recall:
    """Numbers of newest episodes, homes of findings, and who awaits what."""

    def __init__(self) -> None:
        self.numbers: BoundedMap[tuple[str, str], int] = BoundedMap()
        self.homes: BoundedMap[str, str] = BoundedMap()
        self.written: BoundedMap[str, Stored] = BoundedMap(MAX_WRITTEN)
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


def newest(
    get: Callable[[int], Stored | None], hint: int | None
) -> tuple[int, Stored | None]:
    """The highest number from 1 on that exists, with its document; (0, None) if none.

    Numbers have no gaps, so doubling steps and then halving find the last one in a few
    real-time reads; a right hint makes it two.
    """
    low, held = 0, None
    if hint is not None and (found := get(hint)) is not None:
        low, held = hint, found
    step = 1
    while (found := get(low + step)) is not None:
        low, held = low + step, found
        step *= 2
    missing = low + step
    while missing - low > 1:
        middle = (low + missing) // 2
        if (found := get(middle)) is None:
            missing = middle
        else:
            low, held = middle, found
    return low, held
