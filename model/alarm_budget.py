"""A threshold from an alarm budget: at most so many false alarms a day.

    held-out normal sessions: k of n above a threshold ─▶ share, exact 95 % interval
        × sessions a day ≤ budget, by the upper bound ─▶ the lowest such threshold

The interval is Clopper and Pearson's (1934): it holds for few sessions and for none
flagged. With too few held-out sessions no threshold can promise a small budget; then
it lies above all of them, and how many would be needed is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.stats import binomtest

CONFIDENCE = 0.95
LOWEST = 1.0
_DAY = timedelta(days=1)
_UNDATED_YEAR = 1970


@dataclass(frozen=True, slots=True)
class Share:
    """k of n, with the bounds of its 95 % interval."""

    flagged: int
    judged: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share itself."""
        return self.flagged / self.judged


@dataclass(frozen=True, slots=True)
class Budgeted:
    """A threshold, and the false alarms a day that it allows at most, by the bound.

    `needed`: how many held-out sessions the budget would take; None where it is kept.
    """

    threshold: float
    most_a_day: float
    needed: int | None = None


def share_of(flagged: int, judged: int) -> Share | None:
    """k of n with its interval; None where nothing was judged."""
    if not judged:
        return None
    bounds = binomtest(flagged, judged).proportion_ci(CONFIDENCE, method="exact")
    return Share(flagged, judged, float(bounds.low), float(bounds.high))


def sessions_a_day(sessions: int, start: datetime, end: datetime) -> float | None:
    """How many sessions a day these are; None where the logs tell no time."""
    span = end - start
    if start.astimezone(UTC).year == _UNDATED_YEAR or span <= timedelta(0):
        return None
    return sessions * (_DAY / span)


def threshold_within(
    scores: Sequence[float], judged: int, rate_a_day: float, budget_a_day: float
) -> Budgeted:
    """The lowest threshold, 1 or more, that keeps within the budget by its bound.

    `scores`: those of `judged` held-out normal sessions, sorted, or their quantiles.
    """
    allowed = min(1.0, budget_a_day / rate_a_day)
    if not judged or not len(scores):
        return Budgeted(LOWEST, math.inf, _needed(allowed))
    flagged = _most_flagged(judged, allowed)
    place = 1.0 if judged == 1 else (judged - 1 - max(flagged, 0)) / (judged - 1)
    lowest = float(np.quantile(scores, max(place, 0.0), method="higher"))
    threshold = max(LOWEST, lowest)
    above = sum(score > threshold for score in scores) * judged / len(scores)
    share = share_of(min(math.ceil(above), judged), judged)
    assert share is not None
    kept = flagged >= 0
    return Budgeted(
        threshold, share.high * rate_a_day, None if kept else _needed(allowed)
    )


def _most_flagged(judged: int, allowed: float) -> int:
    """The most flagged of so many whose upper bound is allowed; −1 for not even 0."""
    low, high = -1, judged
    while low < high:
        middle = (low + high + 1) // 2
        share = share_of(middle, judged)
        if share is not None and share.high <= allowed:
            low = middle
        else:
            high = middle - 1
    return low


def _needed(allowed: float) -> int:
    """How many sessions, none of them flagged, have this upper bound."""
    if allowed >= 1:
        return 1
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log1p(-allowed))
