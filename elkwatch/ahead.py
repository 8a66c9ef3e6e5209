"""Reading ahead: what is slow to come is fetched while what came is worked on.

    source ──▶ reader thread ──▶ [ bounded queue ] ──▶ who iterates

The queue is bounded by number and by weight; the reader waits while it is full. What
the reader raises comes out where the item would have come. Leaving the block stops the
reader after the item it is at, closes its source in the reader's own thread (a
generator's `finally` runs), and waits for that.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")

SWITCH_S = 0.0005
"""How long a thread that could go on waits for one that computes, seconds.

By default 5 ms, at every piece of an answer that comes in.
"""


class Ahead(Generic[T]):
    """Iterates over `source` in a thread of its own, a bounded way ahead.

    At most `most` items wait, and no more weight than `heaviest` but for one item that
    is heavier alone. Use it as a context manager and iterate over it once, in one
    thread. Raises what the source raises, after the items before.
    """

    def __init__(
        self,
        source: Iterator[T],
        *,
        most: int,
        weigh: Callable[[T], int] = lambda _: 0,
        heaviest: int = 1,
    ) -> None:
        self._source = source
        self._most = most
        self._weigh = weigh
        self._heaviest = heaviest
        self._waiting: deque[tuple[T, int]] = deque()
        self._weight = 0
        self._changed = threading.Condition()
        self._over = False
        self._left = False
        self._failure: BaseException | None = None
        self._reader = threading.Thread(target=self._read, name="reader", daemon=True)

    def __enter__(self) -> Self:
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(SWITCH_S, self._switch_s))
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._left = True
            self._waiting.clear()
            self._changed.notify_all()
        self._reader.join()
        sys.setswitchinterval(self._switch_s)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over)
            if self._waiting:
                item, weight = self._waiting.popleft()
                self._weight -= weight
                self._changed.notify_all()
                return item
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            raise StopIteration

    def _read(self) -> None:
        failure: BaseException | None = None
        try:
            for item in self._source:
                if not self._put(item):
                    break
        except BaseException as error:  # whoever iterates raises it
            failure = error
        try:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            failure = failure or error
        with self._changed:
            self._over, self._failure = True, failure
            self._changed.notify_all()

    def _put(self, item: T) -> bool:
        """Waits for room; False when nobody wants more."""
        weight = self._weigh(item)
        with self._changed:
            self._changed.wait_for(lambda: self._left or self._room(weight))
            if self._left:
                return False
            self._waiting.append((item, weight))
            self._weight += weight
            self._changed.notify_all()
            return True

    def _room(self, weight: int) -> bool:
        if not self._waiting:
            return True
        return (
            len(self._waiting) < self._most and self._weight + weight <= self._heaviest
        )
