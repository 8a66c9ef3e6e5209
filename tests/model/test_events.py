import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from model import LogEvent, group_sessions, in_order, window_start
from tests.model.builders import START, shop_session


def event(seconds: float, key: str | None, message: str = "m", **rest) -> LogEvent:  # type: ignore[no-untyped-def]
    return LogEvent(START + timedelta(seconds=seconds), message, key, **rest)


def test_a_keys_events_are_one_session_however_far_apart() -> None:
    found = group_sessions([event(0, "a"), event(90_000, "a"), event(1, "b")])
    assert [(s.key, len(s.events)) for s in found] == [("a", 2), ("b", 1)]
    assert all(s.starts and s.ends for s in found)


def test_windows_are_aligned_to_the_epoch() -> None:
    found = group_sessions(
        [event(10, "a"), event(299, "a"), event(301, "a")],
        window=timedelta(minutes=5),
    )
    assert [s.window_start for s in found] == [START, START + timedelta(minutes=5)]
    assert [len(s.events) for s in found] == [2, 1]
    assert not any(s.starts or s.ends for s in found)
    assert found[0].unit == "a@2026-11-22T12:00:00Z"


def test_events_without_a_key_are_windows_per_service_and_host() -> None:
    found = group_sessions(
        [
            event(0, None, service="web", host="a"),
            event(1, None, service="web", host="b"),
            event(2, None, service="web", host="a"),
        ]
    )
    assert [(s.key, len(s.events)) for s in found] == [("-|web|a", 2), ("-|web|b", 1)]


def test_equal_times_are_ordered_by_sequence() -> None:
    late, early = event(0, "a", "2nd", sequence=2), event(0, "a", "1st", sequence=1)
    assert [e.message for e in in_order([late, early])] == ["1st", "2nd"]


@given(st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(rng: random.Random) -> None:
    session = shop_session("a", random.Random(3))
    shuffled = list(session.events)
    rng.shuffle(shuffled)
    assert group_sessions(shuffled)[0].events == session.events


@given(st.datetimes(min_value=START.replace(tzinfo=None)), st.integers(1, 100_000))
def test_a_window_holds_its_time(naive, seconds: int) -> None:  # type: ignore[no-untyped-def]
    time, length = naive.replace(tzinfo=START.tzinfo), timedelta(seconds=seconds)
    start = window_start(time, length)
    assert start <= time < start + length
    assert window_start(start, length) == start
