"""How many alarms a day to expect, and how sure that is.

    held-out normal sessions: k of n flagged ─▶ share, with an exact 95 % interval
        × sessions a day (training sessions over the time that they span)

The interval is that of model/alarm_budget.py. The threshold was set on these same
sessions, which flatters the share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from model import Share, sessions_a_day, share_of

SURE_SPAN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ExpectedAlarms:
    """Alarms to expect on logs like those of the training.

    `normal` is the share of held-out normal sessions that are flagged, None where none
    were held out. `sessions_a_day` is None where the logs tell no time. `unusual` of
    `sessions` were left out of the training as too unusual; their like will be flagged.
    """

    normal: Share | None
    unusual: int
    sessions: int
    span: timedelta
    sessions_a_day: float | None

    @property
    def a_day(self) -> tuple[float, float, float] | None:
        """Alarms a day on normal sessions: expected, lower and upper bound."""
        if self.normal is None or self.sessions_a_day is None:
            return None
        rate, share = self.sessions_a_day, self.normal
        return share.share * rate, share.low * rate, share.high * rate

    @property
    def unusual_a_day(self) -> float | None:
        """Alarms a day if sessions like those left out keep coming as often."""
        if self.sessions_a_day is None:
            return None
        return self.unusual / self.sessions * self.sessions_a_day

    @property
    def is_rough(self) -> bool:
        """Whether a day is extrapolated from less than one."""
        return self.span < SURE_SPAN


def expected_alarms(figures: Mapping[str, Any]) -> ExpectedAlarms | None:
    """From the figures of a training; None where they are of an older elkwatch."""
    if "scores" not in figures or "span" not in figures:
        return None
    held_out = figures["scores"]["held_out"]
    start = datetime.fromisoformat(figures["span"]["from"]).astimezone(UTC)
    end = datetime.fromisoformat(figures["span"]["to"]).astimezone(UTC)
    span, sessions = end - start, int(figures["sessions"])
    return ExpectedAlarms(
        normal=share_of(held_out["flagged"], held_out["sessions"]),
        unusual=int(figures["cleaned_out"]),
        sessions=sessions,
        span=span,
        sessions_a_day=sessions_a_day(sessions, start, end),
    )
