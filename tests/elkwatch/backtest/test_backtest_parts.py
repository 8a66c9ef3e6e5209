"""The parts of a backtest: its period, its coverage, its books, its words."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerting import AlertStore, Episode, OutboxRow, Policy
from connector import Finding, Page
from elkwatch.alert_store import AlertStateStore
from elkwatch.backtest.book import MAX_CLASSES, OTHERS, Book
from elkwatch.backtest.coverage import Coverage
from elkwatch.backtest.levels import FACTORS, Levels, level_settings
from elkwatch.backtest.parts import SteppedClock
from elkwatch.backtest.period import Period, day_of, days_of, period_of, step_for
from elkwatch.backtest.rehearsal import ChannelName, Rehearsal
from elkwatch.config import AlertingSettings, ScheduleSettings
from elkwatch.errors import ConfigError
from elkwatch.translate import notice
from tests.alerting.store_contract import AlertStoreContract, Settle
from tests.connector.samples import document, finding

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("days", "start", "end", "wanted"),
    [
        (7, None, None, Period(NOW - 7 * DAY, NOW)),
        (1, None, "now-1d", Period(NOW - 2 * DAY, NOW - DAY)),
        (None, "now-1h", None, Period(NOW - HOUR, NOW)),
        (None, "2026-11-01", "2026-11-02T00:00:00Z",
         Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_the_period(
    days: int | None, start: str | None, end: str | None, wanted: Period
) -> None:
    assert period_of(days, start, end, NOW) == wanted


@pytest.mark.parametrize(
    ("days", "start", "end"),
    [
        (None, None, None),
        (1, "now-1d", None),
        (None, "now-1h", "now-1h"),
        (None, "earliest", None),
        (None, "soon", None),
        (None, "now-400d", None),
        (None, "0001-01-01", None),
        (1, None, "2027-01-01"),
    ],
)
def test_a_period_that_cannot_be(
    days: int | None, start: str | None, end: str | None
) -> None:
    with pytest.raises(ConfigError):
        period_of(days, start, end, NOW)


def test_ticks_end_where_the_period_does() -> None:
    period = Period(NOW, NOW + 5 * MINUTE)
    ticks = list(period.ticks(2 * MINUTE))
    assert ticks == [NOW + n * MINUTE for n in (2, 4, 5)]
    assert period.count(2 * MINUTE) == 3


@pytest.mark.parametrize(
    ("length", "interval", "wanted"),
    [
        (1 * DAY, "60s", MINUTE),
        (7 * DAY, "60s", 5 * MINUTE),
        (30 * DAY, "60s", 7 * MINUTE),  # half of resolve_after is the most
        (366 * DAY, "60s", 7 * MINUTE),
        (30 * DAY, "20m", 20 * MINUTE),  # never more often than the service
    ],
)
def test_the_step_is_quick_and_changes_no_decision(
    length: timedelta, interval: str, wanted: timedelta
) -> None:
    schedule = ScheduleSettings.model_validate({"interval": interval})
    period = Period(NOW - length, NOW)
    assert step_for(period, schedule, AlertingSettings()) == wanted


def test_days_are_those_of_the_readers_zone() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    period = Period(NOW, NOW + DAY)  # from 20:00 to 20:00 there
    assert days_of(period, zone) == ["2026-11-26", "2026-11-27"]
    assert day_of(NOW + 5 * HOUR, period, zone) == "2026-11-27"
    assert day_of(NOW - 9 * DAY, period, zone) == "2026-11-26"
    assert day_of(NOW + 9 * DAY, period, zone) == "2026-11-27"


def _page(*times: datetime) -> Page:
    return Page(tuple(document(str(n), time=t) for n, t in enumerate(times)))


def test_gaps_of_a_source() -> None:
    period = Period(NOW - 2 * DAY, NOW)
    coverage = Coverage(period)
    for hour in (2, 3, 4, 30):
        for minute in range(60):
            coverage.add(_page(period.start + hour * HOUR + minute * MINUTE))
    coverage.add(_page(period.start - DAY, NOW + DAY))  # outside, and no harm
    held = coverage.held(NOW)
    assert held.lasted == 4 * HOUR
    assert held.gaps_in_all == 3
    assert [g.length for g in held.gaps] == [2 * HOUR, 25 * HOUR, 17 * HOUR]
    assert held.gaps[1].start == period.start + 5 * HOUR
    until = period.start + 4 * HOUR
    assert coverage.held(until).lasted == 2 * HOUR
    assert Coverage(period).held(NOW).lasted == timedelta()


def test_many_gaps_are_counted_and_the_longest_named() -> None:
    coverage = Coverage(Period(NOW - 10 * DAY, NOW))
    for number in range(40):
        coverage.add(_page(NOW - 10 * DAY + number * 5 * HOUR))
    held = coverage.held(NOW)
    assert held.gaps_in_all == 40
    assert len(held.gaps) == 10


def _book(watch: list[Finding] | None = None) -> Book:
    period = Period(NOW - 7 * DAY, NOW)
    seen = watch if watch is not None else []
    return Book(lambda time: day_of(time, period, UTC), seen.append)


def _found(number: int = 1, **changes: Any) -> Finding:
    end = NOW - DAY + number * MINUTE
    values = {"session": f"s{number}", "start": end - MINUTE, "end": end}
    return finding(**(values | changes))


def test_the_book_follows_findings_that_change() -> None:
    watched: list[Finding] = []
    book = _book(watched)
    one = _found()
    book.write([one, _found(2, risk=60)])
    book.write([one])
    assert (book.sources["shop-db"], book.days["2026-11-25"]) == (2, 2)
    assert len(watched) == 2  # not again what stands there already
    book.write([replace(one, class_id="c09", class_name="another", severity="low")])
    assert {c.class_id: c.findings for c in book.classes()} == {"c07": 1, "c09": 1}
    assert [c.class_id for c in book.classes()] == ["c07", "c09"]
    book.write([replace(one, class_id="normal", status="withdrawn", anomaly=False)])
    assert book.sources["shop-db"] == 1
    assert book.withdrawn["shop-db"] == 1
    assert {c.class_id: c.findings for c in book.classes()} == {"c07": 1}
    assert sum(len(c.examples) for c in book.classes()) == 1


def test_the_riskiest_are_the_examples() -> None:
    book = _book()
    order = list(range(51, 99))
    random.Random(2).shuffle(order)
    book.write([_found(risk, risk=risk) for risk in order])
    (kind,) = book.classes()
    assert [f.risk for f in kind.examples] == [98, 97, 96]
    assert kind.findings == 48


def test_classes_beyond_the_bound_are_counted_together() -> None:
    book = _book()
    book.write([_found(n, class_id=f"k{n}") for n in range(MAX_CLASSES + 7)])
    counts = {c.class_id: c.findings for c in book.classes()}
    assert len(counts) == MAX_CLASSES + 1
    assert counts[OTHERS] == 7
    assert book.more_classes == 7


def _rehearsal(
    clock: SteppedClock, told: list[OutboxRow], over: list[Episode]
) -> Rehearsal:
    names = (ChannelName("mail", "email"), ChannelName("hook", "webhook"))
    return Rehearsal(
        Policy(), names, clock, lambda row, _: told.append(row), over.append
    )


def test_messages_are_counted_as_they_would_go_out() -> None:
    clock = SteppedClock(NOW)
    told: list[OutboxRow] = []
    over: list[Episode] = []
    rehearsal = _rehearsal(clock, told, over)
    tracker, outbox = rehearsal.alerts.tracker, rehearsal.alerts.outbox
    recent = finding(start=NOW - MINUTE, end=NOW - MINUTE)
    tracker.note([notice(recent)], NOW)
    outbox.deliver(NOW)
    old = finding(session="old", start=NOW - DAY, end=NOW - DAY, fingerprint="x")
    tracker.note([notice(old)], NOW)  # too old to be sent one by one
    tracker.catch_up_done("shop-db", NOW)
    clock.time = later = NOW + HOUR
    tracker.advance("shop-db", later, later)
    outbox.deliver(later)
    rehearsal.settle(later)
    counts = Counter((row.kind, row.channel) for row in told)
    assert counts == {
        (kind, channel): 1
        for kind in ("opened", "resolved", "catch-up")
        for channel in ("mail", "hook")
    }
    rehearsal.end()
    assert sorted(e.findings for e in over) == [1, 1]


def test_a_long_period_takes_no_more_memory_than_a_short_one() -> None:
    clock = SteppedClock(NOW)
    told: list[OutboxRow] = []
    over: list[Episode] = []
    rehearsal = _rehearsal(clock, told, over)
    tracker = rehearsal.alerts.tracker
    held = []
    for number in range(400):
        now = clock.time = NOW + number * 2 * HOUR
        one = finding(session=f"s{number}", start=now - MINUTE, end=now - MINUTE)
        tracker.advance("shop-db", now, now)
        tracker.note([notice(one)], now)
        rehearsal.alerts.outbox.deliver(now)
        rehearsal.settle(now)
        state = rehearsal.state
        held.append(
            sum(
                len(state.find(kind, {}, limit=10_000))
                for kind in ("episodes", "outbox", "deliveries", "catchups")
            )
        )
    assert max(held) < 80
    rehearsal.end()
    assert len(over) == 400
    assert len({e.episode_id for e in over}) == 400
    assert len(told) == 2 * (400 + 399)


class TestTheStoreOfARehearsal(AlertStoreContract):
    @pytest.fixture
    def store(self) -> AlertStore:
        clock = SteppedClock(NOW)
        return AlertStateStore(_rehearsal(clock, [], []).state)

    @pytest.fixture
    def settle(self) -> Settle:
        return lambda: None


def test_a_higher_level_sees_what_is_above_it() -> None:
    clock = SteppedClock(NOW)
    settings = level_settings("shop-db", 5.0, (4.0, 6.0, 9.0))
    levels = Levels(settings, Policy(), clock, lambda text: text)
    now = NOW
    for number, score in enumerate((5.5, 6.5, 7.5, 9.5)):
        end = now - MINUTE
        levels.take(_found(number, score=score, start=end, end=end))
    levels.tick(now, now)
    levels.take(_found(2, score=5.2, start=end, end=end))  # amended: lower now
    levels.take(_found(3, status="withdrawn", anomaly=False, score=1.0))
    levels.tick(now, now)
    figures = levels.figures()
    assert [(f.threshold, f.exact, f.findings) for f in figures] == [
        (4.0, False, 3),
        (6.0, True, 1),
        (9.0, True, 0),
    ]
    assert [f.episodes for f in figures] == [1, 1, 1]
    assert [f.messages for f in figures] == [1, 1, 2]  # opened, and withdrawn


def test_the_usual_levels_stand_around_the_models_threshold() -> None:
    settings = level_settings("s", 2.0, ())
    assert [s.threshold for s in settings] == [2.0 * f for f in FACTORS]
    assert [s.exact for s in settings] == [False, False, True, True, True, True]
