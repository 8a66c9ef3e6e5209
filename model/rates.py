"""What is usual of a service over time: how long it is silent, how much it says.

    times of all lines ─▶ lines a minute and service ─▶ longest silence by hour of day
                                                     ─▶ lines in 5 minutes: its band

A band is median, spread (MAD) and range of the windows of an hour of the day, or of the
week, where the counts repeat with that period: their autocorrelation says so. Minutes
are counted, so neither the order of the lines nor their number matters to memory.
Hours are UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.events import EPOCH, Session

MINUTE = timedelta(minutes=1)
WINDOW_MIN = 5
WINDOW = WINDOW_MIN * MINUTE
HOURS_A_DAY, HOURS_A_WEEK = 24, 168
MAX_SERVICES = 200
MIN_DAYS = 6.5
SEASONAL = 0.3
WEEK_GAIN = 0.1
ALL = ""
"""The name of all services together; lines without a service count here alone."""

_A_WINDOW_HOUR = 60 // WINDOW_MIN
_MAD_TO_SPREAD = 1.4826


@dataclass(frozen=True, slots=True)
class Band:
    """Lines in 5 minutes, of all windows of an hour: median, spread, least, most."""

    median: float
    spread: float
    lowest: float
    highest: float


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
        hour, period = _hour(start), len(self.bands)
        if self.bands[hour % period] is None:
            return []
        near = (self.bands[h % period] for h in (hour, hour - 1, hour + 1))
        return [band for band in near if band is not None]


@dataclass(frozen=True, slots=True)
class Rates:
    """What is usual of the services of a source; `days` of logs told it."""

    days: float = 0.0
    services: Mapping[str, ServiceRates] = field(default_factory=dict)

    @property
    def tell_enough(self) -> bool:
        """Whether they saw all days of a week, so that quiet ones are no surprise."""
        return self.days >= MIN_DAYS

    def state(self) -> dict[str, Any]:
        """All that `rates_from` needs, as JSON."""
        return {
            "days": self.days,
            "services": {n: _state(s) for n, s in sorted(self.services.items())},
        }


NO_RATES = Rates()


def learn_rates(sessions: Iterable[Session]) -> Rates:
    """What is usual of each service, the 200 that say most. Any order will do."""
    minutes: dict[str, Counter[int]] = {ALL: Counter()}
    for session in sessions:
        for event in session.events:
            minute = (event.time - EPOCH) // MINUTE
            minutes[ALL][minute] += 1
            if event.service:
                minutes.setdefault(event.service, Counter())[minute] += 1
    if not minutes[ALL]:
        return NO_RATES
    span = min(minutes[ALL]), max(minutes[ALL])
    most = sorted(minutes, key=lambda name: -minutes[name].total())
    return Rates(
        days=(span[1] - span[0] + 1) / (60 * HOURS_A_DAY),
        services={n: _rates(minutes[n], span) for n in most[: MAX_SERVICES + 1]},
    )


def rates_from(state: Mapping[str, Any]) -> Rates:
    """The rates that `Rates.state` described."""
    return Rates(
        float(state["days"]),
        {str(n): _service_from(s) for n, s in state["services"].items()},
    )


def _rates(minutes: Counter[int], span: tuple[int, int]) -> ServiceRates:
    counts = _windows(minutes, span)
    daily = _autocorrelation(counts, HOURS_A_DAY * _A_WINDOW_HOUR)
    weekly = _autocorrelation(counts, HOURS_A_WEEK * _A_WINDOW_HOUR)
    period = 1
    if daily is not None and daily >= SEASONAL:
        period = HOURS_A_DAY
    if weekly is not None and weekly >= max(SEASONAL, (daily or 0.0) + WEEK_GAIN):
        period = HOURS_A_WEEK
    first_window = -(-span[0] // WINDOW_MIN)
    return ServiceRates(
        lines=minutes.total(),
        longest_silences=_silences(sorted(minutes), span),
        bands=_bands(counts, first_window, period),
        daily=daily,
        weekly=weekly,
    )


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
    first, last = -(-span[0] // WINDOW_MIN), (span[1] + 1) // WINDOW_MIN
    counts = np.zeros(max(last - first, 0))
    for minute, count in minutes.items():
        place = minute // WINDOW_MIN - first
        if 0 <= place < len(counts):
            counts[place] += count
    return counts


def _autocorrelation(counts: NDArray[np.float64], lag: int) -> float | None:
    """Correlation of counts (W,) with those `lag` windows later; over two lags."""
    if len(counts) < 2 * lag:
        return None
    early, late = counts[:-lag], counts[lag:]
    if early.std() == 0 or late.std() == 0:
        return 0.0
    return float(np.corrcoef(early, late)[0, 1])


def _bands(
    counts: NDArray[np.float64], first_window: int, period: int
) -> tuple[Band | None, ...]:
    hours = (np.arange(len(counts)) + first_window) // _A_WINDOW_HOUR % period
    return tuple(_band(counts[hours == hour]) for hour in range(period))


def _band(counts: NDArray[np.float64]) -> Band | None:
    if not len(counts):
        return None
    median = float(np.median(counts))
    spread = _MAD_TO_SPREAD * float(np.median(np.abs(counts - median)))
    return Band(median, spread, float(counts.min()), float(counts.max()))


def _hour(time: datetime) -> int:
    return (time - EPOCH) // timedelta(hours=1)


def _state(known: ServiceRates) -> dict[str, Any]:
    return {
        "lines": known.lines,
        "longest_silences_min": list(known.longest_silences),
        "bands": [b and [b.median, b.spread, b.lowest, b.highest] for b in known.bands],
        "daily": known.daily,
        "weekly": known.weekly,
    }


def _service_from(state: Mapping[str, Any]) -> ServiceRates:
    silences = tuple(float(m) for m in state["longest_silences_min"])
    bands = tuple(band and Band(*map(float, band)) for band in state["bands"])
    if len(silences) != HOURS_A_DAY or len(bands) not in (1, HOURS_A_DAY, HOURS_A_WEEK):
        raise ValueError("rates of another form")
    return ServiceRates(
        int(state["lines"]), silences, bands, state["daily"], state["weekly"]
    )
