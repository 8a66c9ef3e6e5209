"""Who filters documents is tried, and the clock's word is kept."""

from __future__ import annotations

import pytest

from connector.filtering import FEW, MOST_BYTES, Filtering

SIZE = 2000


def tried(filtered_s: float, whole_s: float, *, size_bytes: int = 500) -> Filtering:
    """After as many full pages as it wants to try."""
    filtering = Filtering()
    for _ in range(20):
        ask = filtering.ask(SIZE, may_try=True)
        if ask.trial is None:
            break
        each = whole_s if ask.whole else filtered_s
        filtering.came(ask, ask.size, ask.size * size_bytes, ask.size * each)
    return filtering


@pytest.mark.parametrize(
    ("filtered_s", "whole_s", "expected"),
    [(2.0, 1.0, True), (1.0, 2.0, False), (1.0, 0.95, False)],
)
def test_the_faster_way_is_kept(
    filtered_s: float, whole_s: float, expected: bool
) -> None:
    filtering = tried(filtered_s, whole_s)
    assert filtering.decided
    for may_try in (True, False):
        ask = filtering.ask(SIZE, may_try=may_try)
        assert (ask.whole, ask.size, ask.trial) == (expected, SIZE, None)


def test_a_slow_answer_of_each_kind_decides_nothing() -> None:
    filtering, slow = Filtering(), {True, False}
    while (ask := filtering.ask(SIZE, may_try=True)).trial is not None:
        each = 1.0 if ask.whole else 2.0
        if ask.trial > 1 and ask.whole in slow:
            slow.discard(ask.whole)
            each *= 9
        filtering.came(ask, ask.size, 500 * ask.size, ask.size * each)
    assert filtering.ask(SIZE, may_try=True).whole


def test_until_then_the_engine_filters() -> None:
    filtering = Filtering()
    assert not filtering.ask(SIZE, may_try=False).whole
    assert not filtering.ask(SIZE, may_try=True).whole


def test_the_first_whole_documents_are_few() -> None:
    filtering = Filtering()
    sizes = []
    while (ask := filtering.ask(SIZE, may_try=True)).trial is not None:
        sizes.append((ask.whole, ask.size))
        filtering.came(ask, ask.size, 500 * ask.size, 1.0)
    first_whole = next(size for whole, size in sizes if whole)
    assert first_whole == FEW
    assert sizes.count((True, SIZE)) == sizes.count((False, SIZE)) - 1 == 3


def test_large_documents_end_it_at_once_and_for_good() -> None:
    filtering = tried(2.0, 1.0, size_bytes=MOST_BYTES + 1)
    assert not filtering.allowed
    assert not filtering.ask(SIZE, may_try=True).whole
    late = tried(2.0, 1.0)
    ask = late.ask(SIZE, may_try=True)
    assert ask.whole
    late.came(ask, SIZE, SIZE * (MOST_BYTES + 1), 1.0)
    assert not late.ask(SIZE, may_try=True).whole


def test_pages_that_are_not_full_teach_nothing() -> None:
    filtering = Filtering()
    for _ in range(50):
        ask = filtering.ask(SIZE, may_try=True)
        filtering.came(ask, 3, 1500, 0.001)
    assert not filtering.decided
    assert not filtering.ask(SIZE, may_try=True).whole


def test_it_may_be_forbidden() -> None:
    filtering = Filtering(allowed=False)
    assert filtering.decided
    ask = filtering.ask(SIZE, may_try=True)
    assert (ask.whole, ask.trial) == (False, None)
