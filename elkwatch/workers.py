"""Several processes at one work: each has the model loaded once, the parent merges.

    parts ──▶ worker 1: function(model, part) ──┐
          └─▶ worker 2: function(model, part) ──┴─▶ results, in the order of the parts

Processes are spawned, not forked: torch and the client have threads. What a worker
raises is raised here; the others are waited for.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

M = TypeVar("M")
P = TypeVar("P")
R = TypeVar("R")


class Workers(Generic[M]):
    """A pool of `count` processes; with one, all is done in this process.

    `begin` makes what every worker works with, such as a model; it, the functions, the
    parts and the results must pickle. Use it as a context manager.
    """

    def __init__(self, count: int, begin: Callable[[], M]) -> None:
        if count < 1:
            raise ValueError(f"{count} workers: at least 1")
        self.count = count
        self._begin = begin
        self._own: M | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self.count > 1:
            self._pool = ProcessPoolExecutor(
                self.count,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin_worker,
                initargs=(self._begin,),
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def map(self, function: Callable[[M, P], R], parts: Iterable[P]) -> list[R]:
        """What `function` makes of each part, in their order.

        Raises what `begin` and `function` raise.
        """
        return list(self.each(function, parts))

    def each(self, function: Callable[[M, P], R], parts: Iterable[P]) -> Iterator[R]:
        """As `map`, each as soon as it and those before it are there."""
        if self._pool is None:
            if self._own is None:
                self._own = self._begin()
            for part in parts:
                yield function(self._own, part)
            return
        work = [self._pool.submit(_work, function, part) for part in parts]
        for one in work:
            yield one.result()


class _Worker:
    """What this process works with, or why it has nothing to work with."""

    model: Any = None
    failure: Exception | None = None


def _begin_worker(begin: Callable[[], Any]) -> None:
    """Keeps a failure for the first part: an initialiser's own breaks the pool."""
    import torch

    torch.set_num_threads(1)
    try:
        _Worker.model = begin()
    except Exception as error:
        _Worker.failure = error


def _work(function: Callable[[Any, Any], Any], part: Any) -> Any:
    if _Worker.failure is not None:
        raise _Worker.failure
    return function(_Worker.model, part)
