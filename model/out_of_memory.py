"""When memory ends: the same work in smaller parts, on CUDA and on the CPU alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from model.errors import OutOfMemoryError

T = TypeVar("T")
R = TypeVar("R")
_SAID = ("out of memory", "allocate memory", "not enough memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is how torch or Python says that there is no memory left.

    On the CPU torch says so in words alone, and so do the libraries below it.
    """
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in said for word in _SAID)


def give_back() -> None:
    """What torch keeps for later goes back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def in_parts(work: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R]:
    """`work(items)`, where memory ends in halves, and halves of these.

    Raises OutOfMemoryError where one item alone is too much.
    """
    try:
        return work(items)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(items) < 2:
            raise OutOfMemoryError(
                "out of memory with a single session; use --device cpu, a machine "
                "with more memory, or --window to cut long sessions"
            ) from error
    give_back()
    half = len(items) // 2
    return [*in_parts(work, items[:half]), *in_parts(work, items[half:])]
