"""Findings and services over time."""

from __future__ import annotations

from datetime import UTC

from elkwatch.report.grid import build_grid, draw_grid
from elkwatch.report.timeline import bucket_text, build_timeline, draw
from tests.elkwatch.report_samples import DAY, TOMORROW


def test_the_timeline_covers_the_period_with_readable_buckets() -> None:
    minute = int(DAY.timestamp()) // 60
    counts = {("a", minute): 2, ("b", minute + 90): 1, ("a", minute + 1440): 5}
    line = build_timeline(counts, ["a"], DAY, TOMORROW)
    assert line is not None
    assert (line.bucket_s, line.start, len(line.counts[0])) == (1800, DAY, 48)
    assert line.counts[0][0] == 2
    assert line.counts[1][3] == 1
    assert line.counts[0][47] == 5
    assert bucket_text(line.bucket_s) == "30 minutes"
    assert build_timeline({("a", 0): 1}, ["a"], DAY, TOMORROW) is None
    drawing = draw(line, ["a", "others"], UTC, width=1000, height=300, columns=8)
    assert [mark.label for mark in drawing.rows] == ["0", "2", "4", "6"]
    assert all(drawing.top <= bar.y < drawing.bottom for bar in drawing.bars)
    assert drawing.bars[-1].hint == "2026-11-22 23:30  a: 5"


def test_services_over_time() -> None:
    minute = int(DAY.timestamp()) // 60
    counts = {(f"s{n}", minute + 60 * n): 20 - n for n in range(15)}
    counts["s0", minute + 1439] = 3
    grid = build_grid(counts, DAY, TOMORROW)
    assert grid is not None
    assert [row.name for row in grid.rows] == [f"s{n}" for n in range(12)]
    assert (grid.more, grid.bucket_s, len(grid.rows[0].counts)) == (3, 1800, 48)
    rows, labels = draw_grid(grid, UTC)
    assert [(c.column, c.shade) for c in rows[0].cells] == [(0, 5), (47, 1)]
    assert rows[1].cells[0].column == 2
    assert labels == ["2026-11-22 00:00", "2026-11-22 12:00", "2026-11-23 00:00"]
    assert build_grid({("s", 0): 1}, DAY, TOMORROW) is None
