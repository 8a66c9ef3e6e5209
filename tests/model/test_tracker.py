from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from model import Arrival, Candidate, SessionTracker, TrackerLimits
from tests.model.builders import START

MINUTE = timedelta(minutes=1)
LIMITS = TrackerLimits(timeout=10 * MINUTE, max_age=60 * MINUTE)


def at(minutes: float) -> datetime:
    return START + minutes * MINUTE


def arrive(
    tracker: SessionTracker,
    key: str,
    minutes: float,
    event_id: int = 4,
    *,
    late: bool = False,
    keyless: bool = False,
    sequence: int = 0,
) -> None:
    when = at(minutes)
    tracker.add(Arrival(key, keyless, when, when, sequence, event_id, late))


def one(candidates: list[Candidate]) -> Candidate:
    assert len(candidates) == 1
    return candidates[0]


def test_a_session_closes_when_idle_by_the_sources_time() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "a", 0, 4)
    arrive(tracker, "a", 1, 5)
    assert tracker.close_due(at(10.9)) == []
    closed = one(tracker.close_due(at(11)))
    assert (closed.key, closed.encoded.ids, closed.reason) == ("a", (4, 5), "closed")
    assert closed.encoded.starts
    assert closed.encoded.ends
    assert not closed.recheck
    assert len(tracker) == 0
    assert tracker.open_from is None


def test_events_are_put_in_order_whatever_the_arrival() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "a", 1, 6, sequence=1)
    arrive(tracker, "a", 1, 5, sequence=0)
    arrive(tracker, "a", 0, 4)
    assert one(tracker.close_due(at(30))).encoded.ids == (4, 5, 6)


def test_growing_sessions_are_given_out_once_per_growth_and_not_as_ended() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "a", 0)
    assert not one(tracker.growing()).encoded.ends
    assert tracker.growing() == []
    arrive(tracker, "a", 1)
    assert len(one(tracker.growing()).encoded.ids) == 2


def test_documents_for_a_closed_key_ask_for_the_whole_session() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "a", 0)
    tracker.close_due(at(20))
    arrive(tracker, "a", 5)
    assert one(tracker.close_due(at(40))).recheck


def test_a_late_document_asks_for_the_whole_session() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "a", 0, late=True)
    assert one(tracker.growing()).recheck


def test_a_reported_session_is_judged_again_when_it_closes() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "a", 0)
    tracker.reported("a", None)
    assert one(tracker.close_due(at(20))).recheck


def test_a_key_that_lives_too_long_is_cut_on_epoch_windows() -> None:
    tracker = SessionTracker(LIMITS)
    for minute in range(30, 100, 5):
        arrive(tracker, "a", minute)
    cut = one([c for c in tracker.close_due(at(95)) if c.reason == "cut"])
    assert cut.recheck
    windows = tracker.close_due(at(180))
    assert [w.window_start for w in windows] == [at(60)]
    assert not windows[0].encoded.starts
    assert not windows[0].encoded.ends


def test_windows_of_keys_that_never_end_close_at_their_bound() -> None:
    limits = TrackerLimits(10 * MINUTE, 60 * MINUTE, window=5 * MINUTE)
    tracker = SessionTracker(limits)
    arrive(tracker, "web|a", 1)
    arrive(tracker, "web|a", 6)
    assert tracker.close_due(at(4.9)) == []
    closed = one(tracker.close_due(at(5)))
    assert (closed.window_start, closed.end) == (at(0), at(1))


def test_keyless_documents_are_windows_of_their_own_length() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "-|web|a", 1, keyless=True)
    closed = one(tracker.close_due(at(5)))
    assert closed.keyless
    assert closed.window_start == at(0)


def test_open_sessions_are_capped_the_oldest_are_judged_early() -> None:
    limits = TrackerLimits(10 * MINUTE, 60 * MINUTE, max_open=3)
    tracker = SessionTracker(limits)
    for minute, key in enumerate("abcd"):
        arrive(tracker, key, minute)
    early = one(tracker.close_due(at(4)))
    assert (early.key, early.reason, early.recheck) == ("a", "evicted", True)
    assert not early.encoded.ends
    assert len(tracker) == 3


def test_events_of_a_session_are_capped_and_counted() -> None:
    limits = TrackerLimits(10 * MINUTE, 60 * MINUTE, max_events=5)
    tracker = SessionTracker(limits)
    for _ in range(8):
        arrive(tracker, "a", 0)
    assert len(one(tracker.growing()).encoded.ids) == 5
    assert tracker.overflowed == 3


def test_open_from_is_the_earliest_event_of_any_open_session() -> None:
    tracker = SessionTracker(LIMITS)
    arrive(tracker, "a", 3)
    arrive(tracker, "b", 1)
    assert tracker.open_from == at(1)
    tracker.close_due(at(12))
    assert tracker.open_from == at(3)


@st.composite
def pages_of_arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Events of few keys, mostly close together, few of them late or keyless."""
    minutes = st.one_of(st.integers(0, 12), st.integers(0, 12), st.integers(0, 90))
    usual = st.tuples(
        st.sampled_from("abc"),
        st.one_of(st.integers(0, 12), minutes),
        st.integers(0, 9),
        st.integers(-1, 2),
        st.integers(1, 5),
    )
    events = draw(st.lists(usual, min_size=8, max_size=40))
    places = st.integers(0, len(events) - 1)
    late, keyless = (draw(st.sets(places, max_size=2)) for _ in range(2))
    return [
        Arrival(
            key,
            place in keyless,
            at(minute),
            at(minute + read),
            sequence,
            event_id,
            place in late,
        )
        for place, (key, minute, read, sequence, event_id) in enumerate(events)
    ]


def placed(candidates: Sequence[Candidate]) -> list[Candidate]:
    """In an order of their own: that of keys in a page says nothing."""
    return sorted(candidates, key=lambda c: (c.key, c.keyless, str(c.window_start)))


MOST_OPEN = st.one_of(st.integers(40, 80), st.integers(40, 80), st.integers(2, 6))


@settings(max_examples=400)
@given(pages_of_arrivals(), st.sampled_from([None, None, 7 * MINUTE]), MOST_OPEN)
def test_a_page_at_once_is_as_one_by_one(
    arrivals: list[Arrival], window: timedelta | None, most: int
) -> None:
    limits = TrackerLimits(
        timeout=10 * MINUTE,
        max_age=30 * MINUTE,
        window=window,
        max_open=most,
        max_events=9,
    )
    one_by_one, at_once = SessionTracker(limits), SessionTracker(limits)
    half = len(arrivals) // 2
    for page, watermark in ((arrivals[:half], 12), (arrivals[half:], 200)):
        for arrival in page:
            one_by_one.add(arrival)
        at_once.add_all(page)
        assert placed(at_once.growing()) == placed(one_by_one.growing())
        assert at_once.open_from == one_by_one.open_from
        due, expected = (t.close_due(at(watermark)) for t in (at_once, one_by_one))
        assert placed(due) == placed(expected)
    assert at_once.overflowed == one_by_one.overflowed
