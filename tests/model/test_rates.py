"""What training tells of services over time."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from model import LogEvent, Session
from model.rates import ALL, NO_RATES, learn_rates, rates_from
from tests.model.builders import START

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def lines(times: Iterable[datetime], service: str | None = "shop") -> Session:
    """A session of lines at these times, in no order."""
    events = [LogEvent(time, "x", "k", service=service) for time in times]
    random.Random(1).shuffle(events)
    return Session("k", tuple(events))


def daytime(days: int, service: str = "shop") -> Session:
    """Four lines a minute from 6 to 22 o'clock, one every 10 minutes at night."""
    times = []
    for minute in range(days * 24 * 60):
        time = START.replace(hour=0) + minute * MINUTE
        if 6 <= time.hour < 22:
            times += [time] * 4
        elif time.minute % 10 == 0:
            times.append(time)
    return lines(times, service)


def test_nothing_is_known_of_no_lines() -> None:
    assert learn_rates([]) == NO_RATES


def test_the_longest_silence_is_known_by_the_hour_of_day() -> None:
    shop = learn_rates([daytime(7)]).services["shop"]
    noon, night = START.replace(hour=12), START.replace(hour=2)
    assert shop.longest_silence(noon, noon + HOUR) == MINUTE
    assert shop.longest_silence(night, night + MINUTE) == 10 * MINUTE
    assert shop.longest_silence(noon, night + DAY) == 10 * MINUTE


def test_a_silence_counts_for_every_hour_that_it_touches() -> None:
    times = [START + n * MINUTE for n in range(60)]
    times += [START + 5 * HOUR + n * MINUTE for n in range(60)]
    shop = learn_rates([lines(times)]).services["shop"]
    for hour in range(13, 17):
        assert shop.longest_silences[hour] == 241
    assert shop.longest_silences[START.hour + 8] == 1


def test_bands_by_the_hour_where_counts_repeat_by_the_day() -> None:
    rates = learn_rates([daytime(7)])
    shop = rates.services["shop"]
    assert rates.days == 7 - 9 / 24 / 60
    assert len(shop.bands) == 24
    assert shop.daily is not None
    assert shop.daily > 0.9
    assert shop.bands[12] is not None
    assert shop.bands[12].median == 20
    assert shop.bands[2] is not None
    assert shop.bands[2].highest == 1


def test_one_band_where_nothing_repeats() -> None:
    chance = random.Random(5)
    times = [START + chance.random() * 7 * DAY for _ in range(5000)]
    shop = learn_rates([lines(times)]).services["shop"]
    assert len(shop.bands) == 1
    assert shop.daily is not None
    assert abs(shop.daily) < 0.2


def test_services_are_told_apart_and_lines_without_one_count_for_all() -> None:
    rates = learn_rates([daytime(1, "a"), daytime(1, "b"), lines([START] * 5, None)])
    assert set(rates.services) == {ALL, "a", "b"}
    assert rates.services[ALL].lines == 2 * rates.services["a"].lines + 5


def test_of_many_services_those_that_say_most_are_known() -> None:
    said = [lines([START] * (n + 1), f"s{n}") for n in range(300)]
    names = set(learn_rates(said).services)
    assert len(names) == 201
    assert {"s299", "s100", ALL} <= names
    assert "s99" not in names


def test_rates_are_the_same_from_their_state() -> None:
    rates = learn_rates([daytime(3)])
    assert rates_from(rates.state()) == rates
