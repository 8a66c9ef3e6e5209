"""How a backtest words its figures: how often, how long, when, in which share."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from elkwatch.backtest.result import BacktestResult
from elkwatch.report.page import log_text

MAX_TEXT = 160


def how_often(rate: float) -> str:
    """So often, of times a day: `3 times a day`, `about twice a week`."""
    if rate >= 0.95:
        return f"{rate:.0f} times a day" if rate >= 1.5 else "once a day"
    if rate * 7 >= 0.95:
        return f"about {times(round(rate * 7))} a week"
    return "less than once a week"


def times(count: int) -> str:
    """A count as an adverb."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def percent(part: int, whole: int) -> str:
    """A share; empty where there is no whole."""
    if not whole:
        return ""
    share = 100 * part / whole
    return f"{share:.2f} %" if 0 < share < 0.1 else f"{share:.1f} %"


def lasting(length: timedelta) -> str:
    """A length of time for people, in its two largest units: `6 d 4 h`, `73 s`."""
    seconds = round(length.total_seconds())
    units = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    place = next((i for i, (size, _) in enumerate(units) if seconds >= size), 3)
    parts = []
    for size, name in units[place : place + 2]:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"


def when(time: datetime, result: BacktestResult) -> str:
    """A time in the zone of the result."""
    return f"{time.astimezone(ZoneInfo(result.zone)):%Y-%m-%d %H:%M}"


def shown(text: str, limit: int = MAX_TEXT) -> str:
    """A text of logs on one line, with what could disturb a terminal written out."""
    return log_text(" ".join(text.split()), limit)


def cell(text: str, limit: int) -> str:
    """A short text for a cell of a table."""
    whole = shown(text, 4 * limit)
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"
