"""`elkwatch models`: the bundles of a source, and which of them is live."""

from __future__ import annotations

import json
from pathlib import Path

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.period import period_options, read_period
from elkwatch.cli.shell import examples


@click.group(
    "models",
    epilog=examples(
        "elkwatch models list shop-db",
        "elkwatch models compare shop-db               what the candidate would change",
        "elkwatch models promote shop-db               the candidate becomes live",
        "elkwatch models rollback shop-db              the older one again",
        "elkwatch models promote shop-db 5a51f0ede2bc  or any that is kept",
    ),
)
def models() -> None:
    """The live model of a source, older ones that are kept, and a candidate.

    SOURCE is the name of a source, or the folder of a model.
    """


@models.command("list")
@click.argument("source", metavar="SOURCE")
@json_option
@config_option
def show(source: str, as_json: bool, config_path: Path | None) -> None:
    """List the bundles of a source: live, candidate, kept."""
    from model import shelf

    bundles = shelf(_folder(source, config_path))
    if as_json:
        rows = [
            {
                "role": one.role,
                "version": one.version,
                "trained_at": one.trained_at.isoformat() if one.trained_at else None,
                "folder": str(one.folder),
            }
            for one in bundles
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in bundles:
        when = f"{one.trained_at:%Y-%m-%d %H:%M} UTC" if one.trained_at else "-"
        click.echo(f"{one.role:<10} {one.version:<14} {when:<22} {one.folder}")


@models.command("promote")
@click.argument("source", metavar="SOURCE")
@click.argument("version", metavar="[VERSION]", required=False)
@config_option
def promote(source: str, version: str | None, config_path: Path | None) -> None:
    """Make the candidate live, or a kept bundle of VERSION. What was live is kept.

    A running service takes it up at its next round; nothing is lost or doubled.
    """
    from model import promote as make_live

    live = make_live(_folder(source, config_path), version)
    click.echo(f"model {live.version} is live: {live.folder}")


@models.command("rollback")
@click.argument("source", metavar="SOURCE")
@click.argument("version", metavar="[VERSION]", required=False)
@config_option
def rollback(source: str, version: str | None, config_path: Path | None) -> None:
    """Make the bundle live again that was trained before the live one, or VERSION."""
    from model import roll_back

    live = roll_back(_folder(source, config_path), version)
    click.echo(f"model {live.version} is live again: {live.folder}")


@models.command("compare")
@click.argument("source", metavar="SOURCE")
@period_options
@json_option
@config_option
def compare(
    source: str, start: str, end: str, as_json: bool, config_path: Path | None
) -> None:
    """What the candidate would change: alarms, classes, and time it takes.

    As the service has seen it since the candidate stands beside the live model.
    """
    from connector import Results
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client
    from elkwatch.config import source_named
    from elkwatch.shadow_report import shadow_lines, shadow_report

    config = load(config_path)
    name = source_named(config, source).name
    period = read_period(start, end, SystemClock().now())
    runs = Results(open_client(config), config.namespace).runs(*period)
    report = shadow_report(name, runs)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for line in shadow_lines(report):
        click.echo(line)


def _folder(source: str, config_path: Path | None) -> Path:
    """The live bundle of a source; a name with a slash in it is a folder itself."""
    from elkwatch.config import source_named
    from elkwatch.errors import ConfigError

    if "/" in source or (config_path is None and Path(source).is_dir()):
        return Path(source)
    settings = source_named(load(config_path), source)
    if settings.model is None:
        raise ConfigError(f"source {settings.name}: no model is configured")
    return Path(settings.model)
