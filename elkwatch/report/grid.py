"""Services over time: minutes into the cells of a grid, shaded by how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from elkwatch.report.data import Grid, GridRow
from elkwatch.report.timeline import Buckets, clock_text

MAX_ROWS = 12
SHADES = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that holds findings: its column, a shade from 1 to SHADES, its words."""

    column: int
    shade: int
    hint: str


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row, ready to be drawn."""

    name: str
    count: int
    cells: tuple[Cell, ...]


def build_grid(
    minutes: Mapping[tuple[str, int], int], start: datetime, end: datetime
) -> Grid | None:
    """Counts by place and minute (since the epoch) → those with most findings.

    None when nothing lies within [start, end].
    """
    buckets = Buckets.of(start, end)
    rows: dict[str, list[int]] = {}
    for (name, minute), count in minutes.items():
        place = buckets.place(minute)
        if place is not None:
            rows.setdefault(name, [0] * buckets.size)[place] += count
    if not rows:
        return None
    most = sorted(rows, key=lambda name: (-sum(rows[name]), name))
    return Grid(
        start=buckets.start,
        bucket_s=buckets.length_s,
        rows=tuple(GridRow(name, tuple(rows[name])) for name in most[:MAX_ROWS]),
        more=len(most) - len(most[:MAX_ROWS]),
    )


def draw_grid(grid: Grid, zone: tzinfo) -> tuple[list[DrawnRow], list[str]]:
    """Rows of cells, and the words at the start, middle and end of the time axis."""
    highest = max(max(row.counts) for row in grid.rows)
    size = len(grid.rows[0].counts)

    def when(bucket: int) -> str:
        time = grid.start + timedelta(seconds=bucket * grid.bucket_s)
        return clock_text(time.astimezone(zone), grid.bucket_s)

    drawn = [
        DrawnRow(
            row.name,
            sum(row.counts),
            tuple(
                Cell(
                    column, -(-SHADES * count // highest), f"{when(column)}: {count:,}"
                )
                for column, count in enumerate(row.counts)
                if count
            ),
        )
        for row in grid.rows
    ]
    return drawn, [when(0), when(size // 2), when(size)]
