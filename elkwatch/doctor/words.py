"""How lengths of time are written in the lines of the doctor."""

from __future__ import annotations

from datetime import timedelta


def length(time: timedelta) -> str:
    """`42 s`, `7 min`, `3 h`, `12 days`: for people, in one unit."""
    seconds = abs(time.total_seconds())
    for unit, unit_s, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < most:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"
