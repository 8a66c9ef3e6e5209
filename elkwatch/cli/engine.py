"""`elkwatch engine start|stop|status`: the Elasticsearch of the demo and the tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from elkwatch.cli.shell import examples
from elkwatch.engine import (
    EngineOptions,
    EngineRecord,
    Progress,
    Step,
    Which,
    cluster_health,
    ended,
    running,
    start_in_background,
    stop_running,
)

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_PORT = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Only the one there."
)
_DATA = click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Only the one with this data.",
)


@click.group(
    "engine",
    epilog=examples(
        "elkwatch engine start                       prints its address",
        "elkwatch engine start --port 9200 --data ~/es-data",
        "elkwatch engine status --json",
        "elkwatch engine stop                        all that run",
        "elkwatch engine stop --port 9200",
    ),
)
def engine() -> None:
    """A real single-node Elasticsearch on this machine, without Docker or Java."""


@engine.command("start")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port on 127.0.0.1; 0 (the default) takes a free one.",
)
@click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory that keeps the data across starts; temporary without it.",
)
@click.option("--version", help="Version of Elasticsearch, such as 9.2.4.")
@click.option(
    "--heap",
    "heap_mb",
    type=click.IntRange(128, 31_000),
    default=512,
    show_default=True,
    help="Heap in MB.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(1),
    default=180,
    show_default=True,
    help="Seconds it may take to become ready.",
)
@_JSON
def start_command(
    port: int,
    data_dir: Path | None,
    version: str | None,
    heap_mb: int,
    timeout_s: float,
    as_json: bool,
) -> None:
    """Start it in the background and print its address; one that runs is kept.

    Another --port and --data make another engine.
    """
    options = EngineOptions(
        version=version,
        port=port,
        data_dir=data_dir,
        heap_mb=heap_mb,
        fast_start=False,
        start_timeout_s=timeout_s,
    )
    with _shown() as progress:
        record, fresh = start_in_background(options, progress)
    if not fresh:
        click.echo("it runs already", err=True)
    click.echo(json.dumps(_described(record)) if as_json else record.url)


@engine.command("stop")
@_PORT
@_DATA
@_JSON
def stop_command(port: int, data_dir: Path | None, as_json: bool) -> None:
    """Stop it; data kept with --data stays. All that run, or the one that is named."""
    which = Which(port, data_dir)
    stopped = stop_running(which)
    if as_json:
        click.echo(json.dumps({"stopped": [record.url for record in stopped]}))
        return
    for record in stopped:
        click.echo(f"stopped {record.url}")
    if not stopped:
        click.echo(_none(which))


@engine.command("status")
@_PORT
@_DATA
@_JSON
def status_command(port: int, data_dir: Path | None, as_json: bool) -> None:
    """Print address, version, process id and health of what runs."""
    which = Which(port, data_dir)
    described = [_described(record) for record in running(which)]
    causes = [engine.cause for engine in ended()]
    if as_json:
        found = {"running": bool(described), "engines": described, "ended": causes}
        click.echo(json.dumps(found))
        return
    for one in described:
        click.echo(
            f"{one['url']}  Elasticsearch {one['version']}  pid {one['pid']}  "
            f"health {one['health']}  data {one['data_dir'] or 'temporary'}"
        )
    if not described:
        click.echo(_none(which))
    for cause in causes:
        click.echo(f"an engine ended by itself: {cause}", err=True)


def _none(which: Which) -> str:
    """That none runs where it was looked for, and what does run elsewhere."""
    named = f" on port {which.port}" if which.port else ""
    named += f" with {which.data_dir}" if which.data_dir else ""
    others = ", ".join(record.url for record in running()) if named else ""
    elsewhere = f"; one runs at {others}" if others else ""
    return f"no engine is running{named}{elsewhere}"


def _described(record: EngineRecord) -> dict[str, Any]:
    return {
        "url": record.url,
        "version": record.version,
        "pid": record.pid,
        "health": cluster_health(record.url) or "unknown",
        "data_dir": record.data_dir or None,
    }


@contextmanager
def _shown() -> Iterator[Progress]:
    """Steps on stderr: one line that changes on a terminal, else a line a stage."""
    if sys.stderr.isatty():
        with Console(stderr=True).status("") as status:
            yield lambda step: status.update(step.message)
        return

    def line(step: Step) -> None:
        if not step.done_mb:
            click.echo(step.message, err=True)

    yield line
