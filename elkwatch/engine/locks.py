"""A lock between processes that says so when it makes its caller wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from elkwatch.engine.progress import Progress, Step


@contextmanager
def alone(lock: Path, progress: Progress, others_do: str) -> Iterator[None]:
    """Hold `lock`; the system drops it however its holder dies.

    `others_do` completes "another process …" for a caller who has to wait.
    """
    hold = FileLock(lock)
    try:
        hold.acquire(timeout=0)
    except Timeout:
        progress(Step("wait", f"another process {others_do}; waiting for it"))
        hold.acquire()
    try:
        yield
    finally:
        hold.release()
