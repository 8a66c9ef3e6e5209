"""The garbage collector, seldom: what a page of logs makes dies without its help.

It looks at young objects whenever 700 more were made than freed, and finds no cycles
among them. What that cost: docs/benchmarks.md.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 50_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it the collector waits for 50,000 objects; cycles are freed as ever."""
    before = gc.get_threshold()
    gc.set_threshold(max(YOUNG, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
