"""Long steps where little is found, short ones where much is; bounded either way."""

from __future__ import annotations

import pytest

from elkwatch.pace import FEWEST_PAGES, MOST_PAGES, USUAL_PAGES, Pace


def pages_of_a_step(pace: Pace, *, busy: bool = False) -> int:
    for taken in range(1, MOST_PAGES + 2):
        pace.page_taken()
        if pace.is_over(busy=busy):
            return taken
    raise AssertionError("a step without an end")


@pytest.mark.parametrize(
    ("a_page", "expected"),
    [(0, USUAL_PAGES), (1, USUAL_PAGES), (10, 10), (12.5, 8), (500, FEWEST_PAGES)],
)
def test_the_more_is_found_the_shorter_the_next_step(
    a_page: float, expected: int
) -> None:
    pace = Pace()
    first = pages_of_a_step(pace)
    assert first == FEWEST_PAGES
    pace.found(int(a_page * first))
    assert pages_of_a_step(pace) == expected


def test_a_step_goes_on_while_the_one_before_is_written() -> None:
    pace = Pace()
    for _ in range(FEWEST_PAGES):
        pace.page_taken()
    assert not pace.is_over(busy=True)
    assert pace.is_over(busy=False)
    pace.found(0)
    assert pages_of_a_step(pace, busy=True) == MOST_PAGES


def test_an_end_without_a_page_is_one() -> None:
    pace = Pace()
    pace.found(3)
    assert pages_of_a_step(pace) == USUAL_PAGES
