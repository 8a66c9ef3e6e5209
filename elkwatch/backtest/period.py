"""Which stretch of the past, and how often it is looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from elkwatch.config import AlertingSettings, ScheduleSettings, parse_start
from elkwatch.errors import ConfigError

LONGEST_DAYS = 366
TICKS = 2000


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end], UTC-aware; the service is at work in it, and nothing before it."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """From its start to its end."""
        return self.end - self.start

    def ticks(self, step: timedelta) -> Iterator[datetime]:
        """When the service looks: every `step` from the start on, last at the end."""
        now = self.start
        while now < self.end:
            now = min(now + step, self.end)
            yield now

    def count(self, step: timedelta) -> int:
        """How many ticks that are."""
        return math.ceil(self.length / step)


def period_of(
    days: int | None, start: str | None, end: str | None, now: datetime
) -> Period:
    """The period of `--days`, `--from` and `--to`. Raises ConfigError."""
    until = now if end is None else _time(end, "--to", now)
    if days is None and start is None:
        raise ConfigError("say how far back: --days 7, or --from 2026-11-01")
    if days is not None and start is not None:
        raise ConfigError("give --days or --from, not both")
    if until > now:
        raise ConfigError(f"--to {end} lies in the future; name a time before now")
    if days is not None:
        return Period(until - timedelta(days=days), until)
    assert start is not None
    begin = _time(start, "--from", now)
    if begin >= until:
        raise ConfigError(f"--from {start} is not before --to {end or 'now'}")
    if until - begin > timedelta(days=LONGEST_DAYS):
        raise ConfigError(
            f"--from {start}: more than {LONGEST_DAYS} days; name a shorter period"
        )
    return Period(begin, until)


def step_for(
    period: Period, schedule: ScheduleSettings, alerting: AlertingSettings
) -> timedelta:
    """Time from one look to the next: the interval, or a multiple to be done sooner.

    Never so long that a message would be held back as too old, nor that a quiet
    episode would not end, where the service itself would have done otherwise.
    """
    interval = schedule.interval
    longest = min(alerting.max_alert_age / 4, alerting.resolve_after / 2)
    wanted = min(period.length / TICKS, longest)
    return interval * max(1, math.floor(wanted / interval))


def day_of(time: datetime, period: Period, zone: tzinfo) -> str:
    """The day of a time, `2026-11-22`; one outside the period is its first or last."""
    last = period.end - timedelta(microseconds=1)
    return f"{min(max(time, period.start), last).astimezone(zone):%Y-%m-%d}"


def days_of(period: Period, zone: tzinfo) -> list[str]:
    """All days that the period touches, in order."""
    first = period.start.astimezone(zone).date()
    last = (period.end - timedelta(microseconds=1)).astimezone(zone).date()
    return [
        (first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)
    ]


def _time(text: str, option: str, now: datetime) -> datetime:
    try:
        resolved = parse_start(text).resolve(now)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{option} {text}: {error}") from error
    if resolved is None:
        raise ConfigError(f"{option} {text}: name a time, such as now-7d or 2026-11-01")
    return resolved
