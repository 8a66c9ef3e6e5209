"""Templates that come far more or less often, while their service says as much."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from model import EPOCH, LogEvent, Session, TemplateMiner
from model.bands import WINDOW, Band, bands_near, learn_bands
from model.rates import Rates, learn_rates, rates_from
from model.spell import Spell
from model.spells import Watch, WatchRules
from model.template_rates import MAX_TEMPLATES, TemplateRates
from model.template_watch import TemplateWatch
from model.templates.frozen import FrozenTemplates
from model.vocabulary import event_ids
from tests.model.builders import START
from tests.model.test_rates import DAY, HOUR, MINUTE

Counts = NDArray[np.int64]
NOON = START.replace(hour=12) + 8 * DAY
LINES = ("order accepted", "payment booked", "cache refreshed", "stock looked up")
USUAL = dict.fromkeys(LINES, 5)
BATCH = "nightly export wrote a row"


def day(start: datetime, said: Mapping[str, int], minutes: int = 24 * 60) -> Session:
    """A day on which each line comes so many times a minute."""
    events = [
        LogEvent(start + minute * MINUTE + n * MINUTE / 60, text, "k", service="shop")
        for minute in range(minutes)
        for text, count in said.items()
        for n in range(count)
    ]
    return Session("k", tuple(events))


def batch(start: datetime) -> Session:
    """What says nothing but in ten minutes of a night."""
    events = [
        LogEvent(start + 2 * HOUR + n * MINUTE / 60, BATCH, "b", service="shop")
        for n in range(600)
    ]
    return Session("b", tuple(events))


@dataclass
class Site:
    """A source whose lines are read every minute."""

    rates: Rates
    templates: FrozenTemplates
    now: datetime = NOON
    told: list[Spell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(self.rates, WatchRules(silence=None))

    def run(
        self, minutes: int, a_minute: Mapping[str, int], service: str = "shop"
    ) -> list[Spell]:
        """So many of each line a minute; → what was told."""
        told = []
        for _ in range(minutes):
            for text, count in a_minute.items():
                (event,) = event_ids(self.templates, [text])
                for n in range(count):
                    time = self.now + n * MINUTE / count
                    self.watch.take(time, service, event, new=True)
            self.now += MINUTE
            told += self.watch.judge(self.now)
        self.told += told
        return told

    def restart(self) -> None:
        """As a new process that reads what was kept."""
        state = json.loads(json.dumps(self.watch.state(), allow_nan=False))
        self.watch = Watch(self.rates, WatchRules(silence=None))
        self.watch.restore(state)


@pytest.fixture(scope="module")
def templates() -> FrozenTemplates:
    miner = TemplateMiner()
    miner.learn_all([*LINES * 10, BATCH, "something new"])
    return miner.freeze()


@pytest.fixture(scope="module")
def rates(templates: FrozenTemplates) -> Rates:
    first = START.replace(hour=0)
    days = [day(first + n * DAY, USUAL) for n in range(2)]
    nights = [batch(first + n * DAY) for n in range(2)]
    return learn_rates([*days, *nights], templates)


@pytest.fixture
def site(rates: Rates, templates: FrozenTemplates) -> Site:
    return Site(rates, templates)


def test_steady_templates_are_known_and_others_are_not(rates: Rates) -> None:
    assert {known.text for known in rates.templates} == set(LINES)
    assert {known.service for known in rates.templates} == {"shop"}
    (median,) = {b.median for t in rates.templates for b in t.bands if b is not None}
    assert median == 25
    assert rates_from(json.loads(json.dumps(rates.state()))) == rates


@pytest.mark.parametrize(("count", "sign"), [(0, -1), (1, -1), (22, 1)])
def test_one_line_that_stops_or_storms_is_one_spell_of_its_service(
    site: Site, count: int, sign: int
) -> None:
    assert site.run(60, USUAL) == []
    start, odd = site.now, {**USUAL, "payment booked": count}
    odd["stock looked up"] += 5 - count if count < 5 else 0
    site.run(15, odd)
    site.restart()
    site.run(15, odd)
    assert {(s.pattern, s.name, s.start) for s in site.told} == {
        ("template-rate", "shop", start)
    }
    assert {rate.text for s in site.told for rate in s.lines} == {"payment booked"}
    assert {rate.excess * sign > 1 for s in site.told for rate in s.lines} == {True}
    (end,) = [spell for spell in site.run(30, USUAL) if spell.over]
    assert (end.found, end.usual) == (5 * count, 25)
    assert end.end == start + 30 * MINUTE
    assert site.run(60, USUAL) == []


def test_many_lines_at_once_are_one_spell_that_names_some(site: Site) -> None:
    site.run(60, USUAL)
    odd = {"order accepted": 0, "payment booked": 0, "cache refreshed": 20}
    site.run(30, {**USUAL, **odd})
    starts = {(s.pattern, s.service, s.start) for s in site.told}
    assert len(starts) == 1
    assert {rate.text for rate in site.told[-1].lines} == set(odd)


def test_what_the_load_explains_is_no_news(site: Site) -> None:
    site.run(60, USUAL)
    for times in (2, 1, 0.6, 1):
        site.run(30, {text: round(5 * times) for text in LINES})
    assert site.told == []


def test_where_the_service_itself_is_out_its_spell_names_the_lines(
    site: Site,
) -> None:
    site.run(60, USUAL)
    site.run(30, {**USUAL, "order accepted": 900})
    assert {spell.pattern for spell in site.told} == {"service-rate"}
    assert {rate.text for rate in site.told[-1].lines} == {"order accepted"}


def test_one_window_alone_is_no_spell(site: Site) -> None:
    site.run(60, USUAL)
    site.run(5, {**USUAL, "payment booked": 0})
    assert site.run(60, USUAL) == []


def test_lines_of_another_service_tell_nothing_of_one_that_is_silent(
    site: Site,
) -> None:
    for _ in range(60):
        site.run(1, USUAL)
        site.now -= MINUTE
        site.run(1, {"something new": 30}, "pay")
    site.told.clear()
    site.run(60, {"something new": 30}, "pay")
    assert [s for s in site.told if s.pattern == "template-rate"] == []


def test_after_a_training_what_is_kept_goes_by_the_text(site: Site) -> None:
    """Event ids of another model are other templates."""
    site.run(60, USUAL)
    miner = TemplateMiner()
    miner.learn_all(["something new", *reversed(LINES)] * 2)
    other = miner.freeze()
    first = START.replace(hour=0)
    again = learn_rates([day(first + n * DAY, USUAL) for n in range(2)], other)
    site.rates, site.templates = again, other
    site.restart()
    assert site.run(60, USUAL) == []


def test_of_many_templates_the_largest_are_watched() -> None:
    words = [f"step {chr(97 + n % 26)}{chr(97 + n // 26)} done" for n in range(80)]
    texts = {
        f"{word} in room {word[5:7]}": 3 + (n > 40) for n, word in enumerate(words)
    }
    miner = TemplateMiner()
    miner.learn_all([text for text, n in texts.items() for _ in range(n)])
    rates = learn_rates([day(START, texts, 150)], miner.freeze())
    assert len(rates.templates) == MAX_TEMPLATES


def test_a_clean_day_tells_nothing_and_what_changes_is_found() -> None:
    """Twenty lines by the hour of day, their load uneven; a week is learned."""
    rng = np.random.default_rng(11)
    windows = np.arange(8 * 288)
    day = 1 + 0.5 * np.sin(2 * np.pi * windows / 288)
    load = day * rng.gamma(1 / 0.15**2, 0.15**2, len(windows))
    uneven = rng.gamma(25, 1 / 25, (len(load), 20))
    counts = rng.poisson(load[:, None] * rng.uniform(30, 60, 20) * uneven)
    learned = counts[: 7 * 288].astype(float)
    week, first = 7 * 288, (START - EPOCH) // WINDOW
    known = [
        TemplateRates(4 + n, f"line {n}", "", learn_bands(learned[:, n], first).bands)
        for n in range(20)
    ]
    of_all = learn_bands(learned.sum(axis=1), first).bands
    told = []
    for times in (1, 0, 12):
        watch = TemplateWatch(known)
        rows = counts[week:].copy()
        rows[100:106, 7] *= times
        for n, row in enumerate(rows):
            lines = _judged(watch, first + week + n, row, of_all)
            told += [(times, n, text) for text in lines]
    assert told == [(times, n, "line 7") for times in (0, 12) for n in range(101, 106)]


def _judged(
    watch: TemplateWatch, window: int, row: Counts, bands: Sequence[Band | None]
) -> list[str]:
    for event, count in enumerate(row, start=4):
        for _ in range(count):
            watch.take(event, window)
    usual = bands_near(bands, EPOCH + window * WINDOW)[0].median
    lines = watch.judge(window, {"": float(row.sum()) / usual}, 5.0)
    return [rate.text for rate in lines.get("", ())]
