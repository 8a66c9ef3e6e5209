"""Findings over time: minutes into buckets, buckets into the bars of a drawing.

A drawing is numbers only; the page turns them into SVG.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from elkwatch.report.data import Timeline

# Lengths of a bucket that people read easily, in seconds.
_LENGTHS_S = (
    60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
)  # fmt: skip
_MOST_BUCKETS = 60
_DAY_S = 86_400
_GRID_LINES = 4


@dataclass(frozen=True, slots=True)
class Buckets:
    """A period cut into at most 60 parts of a length that people read easily.

    `first`: the number of the first, counted in its length from the epoch.
    """

    length_s: int
    first: int
    size: int

    @classmethod
    def of(cls, start: datetime, end: datetime) -> Buckets:
        """The buckets that hold [start, end]."""
        span_s = max((end - start).total_seconds(), 60.0)
        length_s = next(
            (s for s in _LENGTHS_S if span_s / s <= _MOST_BUCKETS - 1), _LENGTHS_S[-1]
        )
        first = int(start.timestamp()) // length_s
        last = max(first, math.ceil(end.timestamp() / length_s) - 1)
        return cls(length_s, first, min(last - first + 1, 10 * _MOST_BUCKETS))

    @property
    def start(self) -> datetime:
        """Where the first one begins."""
        return datetime.fromtimestamp(self.first * self.length_s, UTC)

    def place(self, minute: int) -> int | None:
        """Which one a minute (since the epoch) is in; None outside."""
        bucket = minute * 60 // self.length_s - self.first
        if bucket == self.size:  # an event at the very end of the period
            bucket -= 1
        return bucket if 0 <= bucket < self.size else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a stacked bar, in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    hint: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on an axis: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, ready to be drawn: its size, its plot area, bars and axis marks."""

    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float
    bars: tuple[Bar, ...]
    rows: tuple[Mark, ...]
    columns: tuple[Mark, ...]


def build_timeline(
    minutes: Mapping[tuple[str, int], int],
    class_ids: Sequence[str],
    start: datetime,
    end: datetime,
) -> Timeline | None:
    """Counts by class and minute (since the epoch) → a timeline of at most 60 buckets.

    `class_ids` get rows of their own, all others share a last one. None when nothing
    lies within [start, end].
    """
    buckets = Buckets.of(start, end)
    place = {class_id: row for row, class_id in enumerate(class_ids)}
    rows = [[0] * buckets.size for _ in range(len(class_ids) + 1)]
    found = False
    for (class_id, minute), count in minutes.items():
        bucket = buckets.place(minute)
        if bucket is not None:
            rows[place.get(class_id, len(class_ids))][bucket] += count
            found = True
    if not found:
        return None
    if not any(rows[-1]):
        rows.pop()
    return Timeline(
        start=buckets.start,
        bucket_s=buckets.length_s,
        class_ids=tuple(class_ids),
        counts=tuple(tuple(row) for row in rows),
    )


def draw(
    timeline: Timeline,
    names: Sequence[str],
    zone: tzinfo,
    *,
    width: float,
    height: float,
    columns: int,
) -> Drawing:
    """Bars and axes of a timeline at this size, with about `columns` time labels."""
    left, top, right, bottom = 44.0, 10.0, width - 8.0, height - 26.0
    totals = [sum(bucket) for bucket in zip(*timeline.counts, strict=True)]
    step = _nice_step(max(totals) / _GRID_LINES)
    highest = step * math.ceil(max(totals) / step)
    slot = (right - left) / len(totals)
    scale = (bottom - top) / highest
    bars = []
    for bucket in range(len(totals)):
        y = bottom
        for row, counts in enumerate(timeline.counts):
            if not counts[bucket]:
                continue
            y -= counts[bucket] * scale
            bars.append(
                Bar(
                    x=round(left + bucket * slot + slot * 0.1, 2),
                    y=round(y, 2),
                    width=round(slot * 0.8, 2),
                    height=round(counts[bucket] * scale, 2),
                    colour=row,
                    hint=f"{_clock(timeline, bucket, zone)}  {names[row]}: "
                    f"{counts[bucket]:,}",
                )
            )
    return Drawing(
        width,
        height,
        left,
        top,
        right,
        bottom,
        tuple(bars),
        rows=tuple(
            Mark(round(bottom - value * scale, 2), f"{value:,}")
            for value in range(0, highest + 1, step)
        ),
        columns=_columns(timeline, zone, left, slot, len(totals), columns),
    )


def bucket_text(bucket_s: int) -> str:
    """The length of a bucket in words: `5 minutes`, `1 hour`."""
    for size, name in ((_DAY_S, "day"), (3600, "hour"), (60, "minute")):
        if bucket_s >= size and bucket_s % size == 0:
            count = bucket_s // size
            return name if count == 1 else f"{count} {name}s"
    return f"{bucket_s} seconds"


def clock_text(time: datetime, bucket_s: int) -> str:
    """A time as precise as buckets of this length need it."""
    return f"{time:%Y-%m-%d}" if bucket_s >= _DAY_S else f"{time:%Y-%m-%d %H:%M}"


def _columns(
    timeline: Timeline, zone: tzinfo, left: float, slot: float, size: int, wanted: int
) -> tuple[Mark, ...]:
    every = max(1, math.ceil(size / wanted))
    return tuple(
        Mark(
            round(left + (bucket + 0.5) * slot, 2),
            _clock(timeline, bucket, zone, short=True),
        )
        for bucket in range(every // 2, size, every)
    )


def _clock(
    timeline: Timeline, bucket: int, zone: tzinfo, *, short: bool = False
) -> str:
    time = timeline.start + timedelta(seconds=bucket * timeline.bucket_s)
    local = time.astimezone(zone)
    span_s = len(timeline.counts[0]) * timeline.bucket_s
    if short and timeline.bucket_s >= _DAY_S:
        return f"{local:%m-%d}"
    if short:
        return f"{local:%H:%M}" if span_s <= 2 * _DAY_S else f"{local:%m-%d %Hh}"
    return f"{local:%Y-%m-%d %H:%M}"


def _nice_step(rough: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 … at or above."""
    if rough <= 1:
        return 1
    power = 10 ** math.floor(math.log10(rough))
    return next(int(m * power) for m in (1, 2, 5, 10) if m * power >= rough)
