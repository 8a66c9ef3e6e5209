"""Settling behind: what waits for others is done while the next step is prepared.

    steps ──▶ give(job) ──▶ [ one thread, one job ] ──▶ its failure, at the next give

Jobs run one after the other, in the order given, at most one at a time: whoever gives
the next waits until the one before is done, and gets what it raised.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Behind:
    """Use it as a context manager, in one thread. Leaving it waits for the last job.

    `threaded` False: each job is done at once, by whoever gives it.
    """

    def __init__(self, *, threaded: bool = True) -> None:
        self._pool = ThreadPoolExecutor(1, "writer") if threaded else None
        self._job: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises what the last job raised, unless something else is on its way."""
        if self._pool is not None:
            self._pool.shutdown()
        if error is None:
            self.settle()

    @property
    def busy(self) -> bool:
        """Whether a job is at work: who gives the next one now would wait."""
        return self._job is not None and not self._job.done()

    def give(self, job: Callable[[], None]) -> None:
        """Has it done once the one before is. Raises what that one raised."""
        self.settle()
        if self._pool is None:
            job()
        else:
            self._job = self._pool.submit(job)

    def settle(self) -> None:
        """Waits until all that was given is done. Raises what it raised."""
        job, self._job = self._job, None
        if job is not None:
            job.result()
