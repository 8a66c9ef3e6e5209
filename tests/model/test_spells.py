"""A service that falls silent, or says far more or less: told once, ended once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from model.bands import WINDOW, Band, excess
from model.rates import NO_RATES, Rates, learn_rates
from model.spell import Spell
from model.spells import Watch, WatchRules
from tests.model.builders import START
from tests.model.test_rates import DAY, HOUR, MINUTE, daytime

NOON = START.replace(hour=12) + 8 * DAY
FIXED = WatchRules(silence=10 * MINUTE, rate_factor=None)


@pytest.fixture(scope="module")
def rates() -> Rates:
    return learn_rates([daytime(7, "a"), daytime(7, "b")])


@dataclass
class Site:
    """A source that is read every minute; services say four lines a minute."""

    rates: Rates
    rules: WatchRules
    now: datetime = NOON
    told: list[Spell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(self.rates, self.rules)

    def run(self, minutes: int, **a_minute: int) -> list[Spell]:
        """So many lines a minute of each service; → the spells that were told."""
        told = [spell for _ in range(minutes) for spell in self._minute(a_minute)]
        self.told += told
        return told

    def _minute(self, a_minute: dict[str, int]) -> Iterator[Spell]:
        for service, count in a_minute.items():
            for n in range(count):
                time = self.now + n * MINUTE / count
                self.watch.take(time, service, new=True)
        self.now += MINUTE
        yield from self.watch.judge(self.now)

    def restart(self) -> None:
        """As a new process that reads what was kept."""
        state = json.loads(json.dumps(self.watch.state(), allow_nan=False))
        self.watch = Watch(self.rates, self.rules)
        self.watch.restore(state)

    def begun(self) -> set[tuple[str, str, datetime]]:
        """What was told, each once."""
        return {(s.pattern, s.name, s.start) for s in self.told}


def test_a_service_that_falls_silent_is_told_once_until_it_speaks(
    rates: Rates,
) -> None:
    site = Site(rates, FIXED)
    assert site.run(30, a=4, b=4) == []
    last = site.now - MINUTE / 4
    assert site.run(10, a=4) == []
    site.run(20, a=4)
    assert site.begun() == {("flatline", "b", last)}
    site.restart()
    (end,) = [s for s in site.run(3, a=4, b=4) if s.over]
    assert end.real
    assert end.end - end.start == 30 * MINUTE + MINUTE / 4
    assert site.run(30, a=4, b=4) == []
    assert site.begun() == {("flatline", "b", last)}


def test_while_nothing_comes_no_service_is_blamed_but_the_source(
    rates: Rates,
) -> None:
    site = Site(rates, FIXED)
    site.run(30, a=4, b=4)
    last = site.now - MINUTE / 4
    site.run(60)
    assert site.begun() == {("flatline", "", last)}
    end = site.run(30, a=4, b=4)
    assert [s.over for s in end] == [True]
    assert site.begun() == {("flatline", "", last)}


def test_a_source_of_one_service_is_called_by_its_name(rates: Rates) -> None:
    site = Site(rates, FIXED)
    site.run(5, a=4)
    site.run(20)
    assert {s.name for s in site.told} == {"a"}
    assert {s.service for s in site.told} == {""}


def test_one_round_alone_tells_nothing_of_the_source(rates: Rates) -> None:
    site = Site(rates, FIXED)
    site.run(5, a=4, b=4)
    site.now += HOUR  # nobody looked meanwhile: what was shipped may be on its way
    assert site.run(1) == []
    assert len(site.run(1)) == 1


def test_late_lines_take_a_silence_back(rates: Rates) -> None:
    site = Site(rates, FIXED)
    site.run(30, a=4, b=4)
    silent = site.now
    site.run(12, a=4)
    assert {s.name for s in site.told} == {"b"}
    for n in range(12):
        site.watch.take(silent + n * MINUTE, "b", new=True)
    (end,) = site.run(1, a=4, b=4)
    assert end.over
    assert not end.real
    assert site.run(30, a=4, b=4) == []


def test_how_long_is_learned_and_depends_on_the_hour(rates: Rates) -> None:
    by_day = Site(rates, WatchRules(rate_factor=None))
    by_day.run(30, a=4, b=4)
    assert len(by_day.run(12, a=4)) == 2
    at_night = Site(rates, WatchRules(rate_factor=None), now=NOON + 14 * HOUR)
    at_night.run(30, a=4, b=4)
    assert at_night.run(20, a=4) == []
    assert at_night.run(2, a=4) != []


def test_a_service_nobody_knows_is_not_watched_unless_a_length_is_given() -> None:
    learned = Site(NO_RATES, WatchRules())
    learned.run(5, a=4, b=4)
    assert learned.run(300, a=4) == []


def test_a_service_that_is_gone_for_a_day_is_told_of_no_more(rates: Rates) -> None:
    site = Site(rates, FIXED)
    site.run(5, a=1, b=1)
    site.run(24 * 60 + 5, a=1)
    assert site.run(60, a=1) == []
    assert len(site.begun()) == 1


@pytest.mark.parametrize(("times", "found"), [(16, 80), (0.1, 2)])
def test_far_more_or_far_less_is_told_once(
    rates: Rates, times: float, found: int
) -> None:
    site = Site(rates, WatchRules(silence=None))
    site.run(60, a=4, b=4)
    start = site.now
    site.restart()
    count = int(4 * times)
    for minute in range(30):
        if count:
            site.run(1, a=4, b=count)
        else:
            site.run(1, a=4, b=int(minute % 3 == 0))
    site.restart()
    site.run(30, a=4, b=4)
    assert site.begun() == {("service-rate", "b", start)}
    (end,) = [s for s in site.told if s.over]
    assert end.end == start + 30 * MINUTE
    assert end.usual == 20
    assert end.excess > 1


def test_where_all_say_more_it_is_the_source(rates: Rates) -> None:
    site = Site(rates, WatchRules(silence=None))
    site.run(60, a=4, b=4)
    site.run(30, a=40, b=40)
    site.run(30, a=4, b=4)
    assert {(s.pattern, s.name) for s in site.told} == {("service-rate", "")}


def test_one_window_alone_and_what_training_showed_is_no_change(rates: Rates) -> None:
    site = Site(rates, WatchRules(silence=None))
    site.run(60, a=4, b=4)
    site.run(5, a=4, b=80)
    site.run(60, a=4, b=8)
    assert site.told == []


def test_lines_read_again_are_counted_once(rates: Rates) -> None:
    site = Site(rates, WatchRules(silence=None))
    for _ in range(60):
        site.run(1, a=4, b=4)
        for _ in range(20):
            site.watch.take(site.now, "b", new=False)
    assert site.told == []


def test_what_training_showed_now_and_then_is_no_change() -> None:
    bands = [Band(median=20, spread=0, lowest=5, highest=80)]
    assert excess(150, bands, 5.0) == 0
    assert excess(170, bands, 5.0) > 1
    assert excess(3, bands, 1.0) == 0
    assert excess(2, bands, 1.0) < -1


def test_memory_is_bounded_whatever_comes(rates: Rates) -> None:
    watch = Watch(rates, WatchRules())
    for n in range(2000):
        watch.take(NOON + n * WINDOW, f"service-{n}", new=True)
        watch.take(NOON + n * WINDOW, "a", new=True)
    state = watch.state()["heard"]
    assert len(state) <= 502
    assert max(len(windows) for _, _, windows, _, _ in state.values()) <= 24
