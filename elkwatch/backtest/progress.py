"""A progress bar for a backtest: how far it came, what it found, time left."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from elkwatch.backtest.rounds import Round

_PARTS = 10


class BacktestProgress:
    """Use as a context manager; call it with every Round.

    On a terminal a live bar; elsewhere one line at each tenth.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("backtest"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._bar = self._progress.add_task("backtest", figures="")

    def __enter__(self) -> BacktestProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, one: Round) -> None:
        """Shows how far it came."""
        figures = f"{one.at:%Y-%m-%d %H:%M}, {one.findings:,} findings"
        self._progress.update(
            self._bar, completed=one.done, total=one.ticks, figures=figures
        )
        passed = one.done * _PARTS // one.ticks, (one.done - 1) * _PARTS // one.ticks
        if not self._console.is_terminal and passed[0] > passed[1]:
            share = 100 * one.done // one.ticks
            line = f"backtest: {share} %, up to {figures} in {one.documents:,} lines"
            self._console.print(line, highlight=False, soft_wrap=True)
