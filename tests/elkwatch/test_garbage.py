"""The collector is asked seldom within a round, and as ever after it."""

import gc
import weakref

import pytest

from elkwatch.garbage import YOUNG, seldom_collected


class _Node:
    other: object = None


def test_it_is_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with seldom_collected():
        assert gc.get_threshold() == (YOUNG, *before[1:])
    assert gc.get_threshold() == before
    with pytest.raises(ZeroDivisionError), seldom_collected():
        1 // (before[0] - before[0])
    assert gc.get_threshold() == before


def test_cycles_are_freed_within_it() -> None:
    with seldom_collected():
        one, two = _Node(), _Node()
        one.other, two.other = two, one
        gone = weakref.ref(one)
        del one, two
        kept = [[] for _ in range(2 * YOUNG)]  # type: list[list[int]]
        assert gone() is None
        assert len(kept) == 2 * YOUNG


def test_who_switched_it_off_keeps_it_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with seldom_collected():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
