"""How the reading of a source is bounded, and its open sessions with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from connector import LogSource
from elkwatch.config import SourceSettings
from model import TrackerLimits


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How reading is bounded and delayed."""

    query_delay: timedelta = timedelta(seconds=30)
    overlap: timedelta = timedelta(minutes=1)
    max_open: int = 50_000
    max_events: int = 10_000


def tracker_limits(
    settings: SourceSettings, source: LogSource, limits: ReadLimits
) -> TrackerLimits:
    """How the units of a source begin and end."""
    rule = source.spec.session
    window = None if rule.ends else timedelta(seconds=rule.unit_s or 300)
    return TrackerLimits(
        timeout=settings.session_timeout,
        max_age=settings.max_session_age,
        window=window,
        max_open=limits.max_open,
        max_events=limits.max_events,
    )
