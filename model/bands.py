"""The band of a count over time: how much of something comes in 5 minutes.

A band is median, spread (MAD) and range of the windows of an hour of the day, or of the
week, where the counts repeat with that period: their autocorrelation says so. Hours are
UTC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.events import EPOCH

WINDOW_MIN = 5
WINDOW = timedelta(minutes=WINDOW_MIN)
HOURS_A_DAY, HOURS_A_WEEK = 24, 168
SEASONAL = 0.3
WEEK_GAIN = 0.1
FAR = 2.0

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
class Bands:
    """One band, or one an hour of day (24) or week (168); None where unknown.

    `daily`, `weekly`: autocorrelation of the counts at that lag; None where the logs
    are too short to tell.
    """

    bands: tuple[Band | None, ...]
    daily: float | None = None
    weekly: float | None = None


def learn_bands(counts: NDArray[np.float64], first_window: int) -> Bands:
    """The bands of the counts (W,) of windows from `first_window` of the epoch on."""
    daily = _autocorrelation(counts, HOURS_A_DAY * _A_WINDOW_HOUR)
    weekly = _autocorrelation(counts, HOURS_A_WEEK * _A_WINDOW_HOUR)
    period = 1
    if daily is not None and daily >= SEASONAL:
        period = HOURS_A_DAY
    if weekly is not None and weekly >= max(SEASONAL, (daily or 0.0) + WEEK_GAIN):
        period = HOURS_A_WEEK
    hours = (np.arange(len(counts)) + first_window) // _A_WINDOW_HOUR % period
    bands = tuple(_band(counts[hours == hour]) for hour in range(period))
    return Bands(bands, daily, weekly)


def bands_near(bands: Sequence[Band | None], start: datetime) -> list[Band]:
    """The band of a window's hour, then those beside it; none if unknown."""
    hour, period = (start - EPOCH) // timedelta(hours=1), len(bands)
    if bands[hour % period] is None:
        return []
    near = (bands[h % period] for h in (hour, hour - 1, hour + 1))
    return [band for band in near if band is not None]


def excess(count: float, bands: Sequence[Band], factor: float) -> float:
    """How far outside all bands: above 1 too many, below −1 too few, else 0.

    Roots of counts: their chance is the same whatever their size (Bartlett 1936).
    """
    over = [_spreads(count, band) / factor for band in bands]
    if over and min(over) > 1 and all(count > FAR * b.highest for b in bands):
        return min(over)
    if over and max(over) < -1 and all(FAR * count < b.lowest for b in bands):
        return max(over)
    return 0.0


def bands_state(bands: Sequence[Band | None]) -> list[list[float] | None]:
    """All that `bands_from` needs, as JSON."""
    return [
        None if b is None else [b.median, b.spread, b.lowest, b.highest] for b in bands
    ]


def bands_from(state: Mapping[str, Any]) -> tuple[Band | None, ...]:
    """The `bands` of a state. Raises ValueError for another form."""
    bands = tuple(band and Band(*map(float, band)) for band in state["bands"])
    if len(bands) not in (1, HOURS_A_DAY, HOURS_A_WEEK):
        raise ValueError("rates of another form")
    return bands


def _spreads(count: float, band: Band) -> float:
    """How many spreads of the band above its median, or below."""
    root = math.sqrt(band.median)
    wider = max(1.0, band.spread / max(root, 1.0))
    return 2 * (math.sqrt(count) - root) / wider


def _autocorrelation(counts: NDArray[np.float64], lag: int) -> float | None:
    """Correlation of counts (W,) with those `lag` windows later; over two lags."""
    if len(counts) < 2 * lag:
        return None
    early, late = counts[:-lag], counts[lag:]
    if early.std() == 0 or late.std() == 0:
        return 0.0
    return float(np.corrcoef(early, late)[0, 1])


def _band(counts: NDArray[np.float64]) -> Band | None:
    if not len(counts):
        return None
    median = float(np.median(counts))
    spread = _MAD_TO_SPREAD * float(np.median(np.abs(counts - median)))
    return Band(median, spread, float(counts.min()), float(counts.max()))
