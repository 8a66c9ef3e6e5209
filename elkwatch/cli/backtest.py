"""`elkwatch backtest`: the past, without writing or sending."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from elkwatch.cli.options import (
    DurationType,
    config_option,
    device_option,
    json_option,
    load,
)
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from elkwatch.config import Config

INTERRUPTED = 130


@click.command(
    "backtest",
    epilog=examples(
        "elkwatch backtest --days 7",
        "elkwatch backtest --days 7 --source shop-db --model models/shop-db-new",
        "elkwatch backtest --from 2026-11-01 --to 2026-11-08 --json",
        "elkwatch backtest --days 7 --threshold 1.5 --threshold 2",
    ),
)
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    help="So many days back from --to.",
)
@click.option(
    "--from", "start", metavar="TIME", help="Or: start here (now-…, an ISO time)."
)
@click.option("--to", "end", metavar="TIME", help="End here.  [default: now]")
@click.option(
    "--source",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this source of the configuration; repeatable.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Try this model instead of the source's own.",
)
@click.option(
    "--threshold",
    "thresholds",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    multiple=True,
    help="Also tell what this threshold would do; repeatable.",
)
@click.option(
    "--every",
    "step",
    type=DurationType(),
    metavar="DURATION",
    help="Look this often.  [default: the interval, longer where that is quicker]",
)
@device_option
@json_option
@config_option
def backtest(
    days: int | None,
    start: str | None,
    end: str | None,
    names: tuple[str, ...],
    model_path: Path | None,
    thresholds: tuple[float, ...],
    step: timedelta | None,
    device: str,
    as_json: bool,
    config_path: Path | None,
) -> int:
    """How many alerts a day this would have sent; writes and sends nothing.

    The service itself goes through the past, looking as often as it would have. Its
    findings and alerts stay in memory, its messages are counted. Needs nothing but to
    read the sources: no `elkwatch setup`, and a running service is not disturbed.
    Ctrl-C ends it after the step it is at, with what was found by then.
    """
    from elkwatch.backtest import Options, period_of, record, step_for, told
    from elkwatch.backtest import backtest as go
    from elkwatch.backtest.progress import BacktestProgress
    from elkwatch.clock import SystemClock

    config = _chosen(load(config_path), names, model_path)
    period = period_of(days, start, end, SystemClock().now())
    options = Options(
        period=period,
        step=step or step_for(period, config.schedule, config.alerting),
        device=device,
        thresholds=thresholds,
    )
    with _stopped_by_signal() as stopping, BacktestProgress() as progress:
        result = go(config, options, progress=progress, stop=lambda: bool(stopping))
    if as_json:
        click.echo(json.dumps(record(result), indent=2, ensure_ascii=False))
    else:
        for line in told(result):
            click.echo(line)
    if stopping:
        return INTERRUPTED
    return 1 if result.failures else 0


def _chosen(config: Config, names: tuple[str, ...], model: Path | None) -> Config:
    """The configuration with only these sources, and that model."""
    from elkwatch.config import source_named

    sources = [source_named(config, name) for name in dict.fromkeys(names)]
    sources = sources or list(config.sources)
    if model is not None:
        if len(sources) > 1:
            named = ", ".join(source.name for source in sources)
            raise click.UsageError(
                f"--model is for one source, there are {len(sources)} ({named}); "
                "add --source NAME"
            )
        sources = [sources[0].model_copy(update={"model": model})]
    return config.model_copy(update={"sources": tuple(sources)})


@contextmanager
def _stopped_by_signal() -> Iterator[list[int]]:
    """The first signal is kept in the list, the next ends the process at once."""
    kept: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        kept.append(number)
        for one, handler in before.items():
            signal.signal(one, handler)

    before = {s: signal.signal(s, on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield kept
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
