"""How a training report words lengths of time and rates."""

from __future__ import annotations

from datetime import timedelta

from elkwatch.log_files import plural


def span_text(span: timedelta) -> str:
    """A length of time for people: `4 minutes`, `7.0 days`."""
    if span >= timedelta(days=2):
        return f"{span / timedelta(days=1):,.1f} days"
    if span >= timedelta(hours=2):
        return f"{span / timedelta(hours=1):.1f} hours"
    return plural(max(1, round(span / timedelta(minutes=1))), "minute")


def rounded(rate: float) -> str:
    """A rate for people: one digit below ten, two figures above a hundred."""
    if rate >= 100:
        digits = len(str(int(rate))) - 2
        return f"{round(rate, -digits):,.0f}"
    return f"{rate:.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}"
