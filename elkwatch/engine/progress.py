"""What `start` tells its caller while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Stage = Literal["wait", "fetch", "unpack", "start"]

_MEGABYTE = 1_000_000
_UPDATES_A_DOWNLOAD = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens now; `done_mb` and `total_mb` during a download."""

    stage: Stage
    message: str
    done_mb: int | None = None
    total_mb: int | None = None


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """A progress callback for callers who want none."""


@contextmanager
def download(
    what: str, total_bytes: int, progress: Progress
) -> Iterator[Callable[[int], None]]:
    """Turn byte counts into at most ten steps. Yields a function of bytes."""
    total_mb = round(total_bytes / _MEGABYTE)
    done_bytes = 0
    told = 0

    def advance(count: int) -> None:
        nonlocal done_bytes, told
        done_bytes += count
        due = _UPDATES_A_DOWNLOAD * done_bytes // max(total_bytes, 1)
        if due > told:
            told = due
            done_mb = round(done_bytes / _MEGABYTE)
            message = f"fetching {what}: {done_mb} of {total_mb} MB"
            progress(Step("fetch", message, done_mb, total_mb))

    progress(Step("fetch", f"fetching {what}: {total_mb} MB", 0, total_mb))
    yield advance
