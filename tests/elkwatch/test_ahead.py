"""Reading ahead: bounded, in order, closed whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from elkwatch.ahead import Ahead

WAIT_S = 20.0


@dataclass
class Told:
    """A source that tells what is done with it."""

    count: int
    fails_at: int | None = None
    fails_closing: bool = False
    given: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    closed_in: list[str] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    until: int = -1

    def pages(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                if number == self.fails_at:
                    raise OSError("the source is gone")
                self.threads.add(threading.current_thread().name)
                self.given.append(number)
                if number == self.until:
                    self.reached.set()
                yield number
        finally:
            self.closed_in.append(threading.current_thread().name)
            if self.fails_closing:
                raise OSError("cannot be closed")


def test_all_items_come_in_order_from_another_thread() -> None:
    told = Told(500)
    with Ahead(told.pages(), most=3, heaviest=100) as ahead:
        assert list(ahead) == list(range(500))
    assert told.threads == {"reader"}
    assert told.closed_in == ["reader"]


def test_it_reads_ahead_but_no_further_than_it_may() -> None:
    told = Told(100, until=3)
    with Ahead(told.pages(), most=3) as ahead:
        assert told.reached.wait(WAIT_S)  # three wait, one is in the reader's hands
        assert not _grows(told, beyond=4)
        assert next(ahead) == 0
    assert len(told.given) <= 5


def test_weight_bounds_it_too_but_one_heavy_item_passes() -> None:
    told = Told(100, until=2)
    with Ahead(
        told.pages(), most=50, weigh=lambda n: 1000 if n == 0 else 10, heaviest=25
    ) as ahead:
        assert next(ahead) == 0
        assert told.reached.wait(WAIT_S)
        assert not _grows(told, beyond=4)  # 1 and 2 wait, 3 would be too heavy
        assert next(ahead) == 1


def test_a_failure_comes_after_what_was_read_and_the_source_is_closed() -> None:
    told = Told(10, fails_at=4)
    with Ahead(told.pages(), most=10) as ahead:
        assert [next(ahead) for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(OSError, match="the source is gone"):
            next(ahead)
    assert told.closed_in == ["reader"]


def test_a_failure_of_the_caller_closes_the_source() -> None:
    told = Told(1000)
    with pytest.raises(ValueError, match="mine"):
        _fails_after_one(told)
    assert told.closed_in == ["reader"]
    assert len(told.given) < 10


def test_leaving_early_closes_the_source_and_ends_the_thread() -> None:
    told = Told(1000)
    with Ahead(told.pages(), most=2) as ahead:
        next(ahead)
    assert told.closed_in == ["reader"]
    assert "reader" not in [thread.name for thread in threading.enumerate()]


def test_what_fails_while_closing_is_raised_at_the_end() -> None:
    told = Told(2, fails_closing=True)
    with Ahead(told.pages(), most=5) as ahead:
        assert [next(ahead), next(ahead)] == [0, 1]
        with pytest.raises(OSError, match="cannot be closed"):
            next(ahead)


def test_an_empty_source_ends_at_once() -> None:
    with Ahead(Told(0).pages(), most=5) as ahead:
        assert list(ahead) == []
        assert list(ahead) == []


def _fails_after_one(told: Told) -> None:
    with Ahead(told.pages(), most=2) as ahead:
        next(ahead)
        raise ValueError("mine")


def _grows(told: Told, *, beyond: int) -> bool:
    """Whether the reader goes on past so many within a moment."""
    threading.Event().wait(0.2)
    return len(told.given) > beyond
