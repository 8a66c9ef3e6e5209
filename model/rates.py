"""What is usual of a service over time: how long it is silent, how much it says.

    times of all lines ─▶ lines a minute and service ─▶ longest silence by hour of day
                                                     ─▶ lines in 5 minutes (bands.py)
                       ─▶ lines in 5 minutes and template (template_rates.py)

Minutes are counted, so neither the order of the lines nor their number matters to
memory. Hours are UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bands import (
    HOURS_A_DAY,
    WINDOW_MIN,
    Band,
    bands_from,
    bands_near,
    bands_state,
    learn_bands,
)
from model.events import EPOCH, LogEvent, Session
from model.template_rates import TemplateCounts, TemplateRates, template_from
from model.templates.frozen import FrozenTemplates
from model.vocabulary import PAGE

MINUTE = timedelta(minutes=1)
MAX_SERVICES = 200
MAX_COUNTED = 5000
MIN_DAYS = 6.5
ALL = ""
"""The name of all services together; lines without a service count here alone."""


@dataclass(frozen=True, slots=True)
class ServiceRates:
    """What is usual of one service.

    `longest_silences` (24): by hour of day, in minutes, each silence counted for all
    hours that it touches. `bands`: one, or one an hour of day (24) or week (168).
    `daily`, `weekly`: autocorrelation of the counts at that lag; None where the logs
    are too short to tell.
    """

    lines: int
    longest_silences: tuple[float, ...]
    bands: tuple[Band | None, ...]
    daily: float | None = None
    weekly: float | None = None

    def longest_silence(self, since: datetime, until: datetime) -> timedelta:
        """The longest in training at these hours, and an hour around: clocks change."""
        first = _hour(since) - 1
        hours = min(_hour(until) + 1 - first, HOURS_A_DAY - 1)
        return MINUTE * max(
            self.longest_silences[hour % HOURS_A_DAY]
            for hour in range(first, first + hours + 1)
        )

    def bands_at(self, start: datetime) -> list[Band]:
        """The band of a window's hour, then those beside it; none if unknown."""
        return bands_near(self.bands, start)


@dataclass(frozen=True, slots=True)
class Rates:
    """What is usual of the services of a source, and of the `templates` that come
    evenly; `days` of logs told it."""

    days: float = 0.0
    services: Mapping[str, ServiceRates] = field(default_factory=dict)
    templates: tuple[TemplateRates, ...] = ()

    @property
    def tell_enough(self) -> bool:
        """Whether they saw all days of a week, so that quiet ones are no surprise."""
        return self.days >= MIN_DAYS

    def state(self) -> dict[str, Any]:
        """All that `rates_from` needs, as JSON."""
        return {
            "days": self.days,
            "services": {n: _state(s) for n, s in sorted(self.services.items())},
            "templates": [template.state() for template in self.templates],
        }


NO_RATES = Rates()


def learn_rates(
    sessions: Iterable[Session], templates: FrozenTemplates | None = None
) -> Rates:
    """What is usual of each service, the 200 that say most, and of their templates.

    Any order will do; the sessions are read once.
    """
    minutes: dict[str, Counter[int]] = {ALL: Counter()}
    counts = None if templates is None else TemplateCounts(templates)
    for page in _pages(event for session in sessions for event in session.events):
        for event in page:
            minute = (event.time - EPOCH) // MINUTE
            minutes[ALL][minute] += 1
            name = event.service
            if name and (name in minutes or len(minutes) <= MAX_COUNTED):
                minutes.setdefault(name, Counter())[minute] += 1
        if counts is not None:
            counts.take(page)
    if not minutes[ALL]:
        return NO_RATES
    span = min(minutes[ALL]), max(minutes[ALL])
    most = sorted(minutes, key=lambda name: -minutes[name].total())
    return Rates(
        days=(span[1] - span[0] + 1) / (60 * HOURS_A_DAY),
        services={n: _rates(minutes[n], span) for n in most[: MAX_SERVICES + 1]},
        templates=() if counts is None else tuple(counts.rates(*_whole(span))),
    )


def rates_from(state: Mapping[str, Any]) -> Rates:
    """The rates that `Rates.state` described."""
    return Rates(
        float(state["days"]),
        {str(n): _service_from(s) for n, s in state["services"].items()},
        tuple(map(template_from, state.get("templates", ()))),
    )


def _pages(events: Iterable[LogEvent]) -> Iterator[list[LogEvent]]:
    rest = iter(events)
    while page := list(islice(rest, PAGE)):
        yield page


def _rates(minutes: Counter[int], span: tuple[int, int]) -> ServiceRates:
    found = learn_bands(_windows(minutes, span), _whole(span)[0])
    return ServiceRates(
        lines=minutes.total(),
        longest_silences=_silences(sorted(minutes), span),
        bands=found.bands,
        daily=found.daily,
        weekly=found.weekly,
    )


def _whole(span: tuple[int, int]) -> tuple[int, int]:
    """The first whole window between two minutes, and the one after the last."""
    return -(-span[0] // WINDOW_MIN), (span[1] + 1) // WINDOW_MIN


def _silences(occupied: Sequence[int], span: tuple[int, int]) -> tuple[float, ...]:
    """The longest silence by hour of day, minutes. occupied: sorted minutes."""
    longest = [1.0] * HOURS_A_DAY
    bounds = [span[0] - 1, *occupied, span[1] + 1]
    for before, after in pairwise(bounds):
        length = float(after - before)
        if length <= 1:
            continue
        first, last = before // 60, after // 60
        for hour in range(first, min(last, first + HOURS_A_DAY - 1) + 1):
            place = hour % HOURS_A_DAY
            longest[place] = max(longest[place], length)
    return tuple(longest)


def _windows(minutes: Counter[int], span: tuple[int, int]) -> NDArray[np.float64]:
    """Lines in each whole window between the bounds, (W,)."""
    first, last = _whole(span)
    counts = np.zeros(max(last - first, 0))
    for minute, count in minutes.items():
        place = minute // WINDOW_MIN - first
        if 0 <= place < len(counts):
            counts[place] += count
    return counts


def _hour(time: datetime) -> int:
    return (time - EPOCH) // timedelta(hours=1)


def _state(known: ServiceRates) -> dict[str, Any]:
    return {
        "lines": known.lines,
        "longest_silences_min": list(known.longest_silences),
        "bands": bands_state(known.bands),
        "daily": known.daily,
        "weekly": known.weekly,
    }


def _service_from(state: Mapping[str, Any]) -> ServiceRates:
    silences = tuple(float(m) for m in state["longest_silences_min"])
    if len(silences) != HOURS_A_DAY:
        raise ValueError("rates of another form")
    return ServiceRates(
        int(state["lines"]),
        silences,
        bands_from(state),
        state["daily"],
        state["weekly"],
    )
