"""Settling behind: in order, one at a time, and no failure is lost."""

from __future__ import annotations

from threading import Event, current_thread

import pytest

from elkwatch.behind import Behind


def test_the_giver_goes_on_while_the_job_is_done() -> None:
    may_end = Event()
    with Behind() as behind:
        behind.give(lambda: _wait(may_end))
        assert behind.busy
        may_end.set()
        behind.settle()
        assert not behind.busy


def test_jobs_are_done_one_after_the_other_in_order() -> None:
    done: list[int] = []

    def job(number: int) -> None:
        done.append(number)

    with Behind() as behind:
        for number in range(20):
            behind.give(lambda number=number: job(number))  # type: ignore[misc]
            assert number < 1 or number - 1 in done
    assert done == list(range(20))


def test_what_a_job_raised_comes_out_at_the_next_and_that_is_not_done() -> None:
    done: list[int] = []
    with Behind() as behind:
        behind.give(_fail)
        with pytest.raises(ZeroDivisionError):
            behind.give(lambda: done.append(1))
        behind.settle()
    assert done == []


def test_leaving_waits_for_the_last_and_raises_what_it_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        _last_fails()


def _last_fails() -> None:
    with Behind() as behind:
        behind.give(lambda: None)
        behind.give(_fail)


def test_another_failure_is_not_hidden_by_that_of_a_job() -> None:
    with pytest.raises(KeyError):
        _both_fail()


def _both_fail() -> None:
    with Behind() as behind:
        behind.give(_fail)
        raise KeyError


def test_without_a_thread_all_is_done_by_the_giver() -> None:
    names: list[str] = []
    with Behind(threaded=False) as behind:
        behind.give(lambda: names.append(current_thread().name))
        assert names == [current_thread().name]
        with pytest.raises(ZeroDivisionError):
            behind.give(_fail)


def _wait(event: Event) -> None:
    assert event.wait(10)


def _fail() -> None:
    raise ZeroDivisionError
