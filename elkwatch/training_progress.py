"""A progress bar for training: stage, epoch, loss, time left."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from model import Step

_TITLES = {
    "0 templates": "0 templates",
    "1 next event": "1 next-event network",
    "2 features": "2 deep features",
    "3 clusters": "3 clusters",
    "4 classes": "4 class network",
}


class TrainingProgress:
    """Use as a context manager; call it with every Step.

    On a terminal a live bar; elsewhere one line at the end of each stage.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars: dict[str, TaskID] = {}
        self._last: Step | None = None
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> TrainingProgress:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._tell_end()
        self._progress.stop()

    def __call__(self, step: Step) -> None:
        """Shows one step."""
        if self._last is not None and self._last.stage != step.stage:
            self._tell_end()
        if step.trouble:
            title = _TITLES.get(step.stage, step.stage)
            line = f"{title}: {step.trouble}"
            self._console.print(line, markup=False, highlight=False)
            return
        self._last = step
        if step.stage not in self._bars:
            title = _TITLES.get(step.stage, step.stage)
            self._bars[step.stage] = self._progress.add_task(title, figures="")
        self._progress.update(
            self._bars[step.stage],
            completed=step.done,
            total=step.total,
            figures=_figures(step),
        )

    def _tell_end(self) -> None:
        """The end of a stage: early stopping fills the bar; a log gets one line."""
        if self._last is None:
            return
        bar = self._bars[self._last.stage]
        self._progress.update(bar, total=self._last.done)
        if not self._console.is_terminal:
            title = _TITLES.get(self._last.stage, self._last.stage)
            line = f"{title}: {self._last.done} of {self._last.total}"
            self._console.print(f"{line} {_figures(self._last)}".rstrip())
        self._last = None


def _figures(step: Step) -> str:
    if step.loss is None:
        return ""
    text = f"loss {step.loss:.4f}"
    if step.held_out_loss is not None:
        text += f", held out {step.held_out_loss:.4f}"
    return text
