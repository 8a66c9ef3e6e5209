"""`elkwatch classes`: the kinds of trouble that a model knows, and their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.class_place import (
    RECENT_DAYS,
    place_of,
    place_options,
    recent_findings,
)
from elkwatch.cli.discover_classes import discover
from elkwatch.cli.options import json_option
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from elkwatch.config import Config, SourceSettings

SHOWN_LINES = 12


@click.group(
    "classes",
    epilog=examples(
        "elkwatch classes list --model models/shop-db",
        "elkwatch classes show c03 --source shop-db      with what was found lately",
        "elkwatch classes rename c07 'disk full on the archive' --model models/shop-db",
        "elkwatch classes check our-rules.yml",
        "elkwatch classes discover --source shop-db      proposes, changes nothing",
        "elkwatch classes discover --source shop-db --apply --relabel",
    ),
)
def classes() -> None:
    """The classes of a model: list, show, rename, discover; own rules: check."""


classes.add_command(discover)


@classes.command("list")
@place_options
@json_option
def list_(
    model_path: Path | None,
    source_name: str | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """One line a class: id, name, severity, members, last seen, drift.

    With a configured source, drift says how far the findings of the last days are from
    the class's prototype: 0 is as in training, 1 has nothing in common with it.
    """
    records = _records(*place_of(model_path, source_name, config_path))
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    if not records:
        click.echo("no classes: this model knows none (--discover FILE finds some)")
        return
    click.echo(f"{'id':<22}{'members':>8}  {'severity':<9}{'last seen':<18}name")
    for record in records:
        seen = (record["last_seen"] or "")[:16].replace("T", " ")
        drift = "" if record["drift"] is None else f"  (drift {record['drift']:.2f})"
        click.echo(
            f"{record['class_id']:<22}{record['members']:>8}  "
            f"{record['severity']:<9}{seen:<18}{record['name']}{drift}"
        )


@classes.command("show")
@click.argument("class_id", metavar="ID")
@place_options
@json_option
def show(
    class_id: str,
    model_path: Path | None,
    source_name: str | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """One class: what it looks like, what to do, what became of it."""
    from model import ModelError

    folder, config, source = place_of(model_path, source_name, config_path)
    records = _records(folder, config, source)
    record = next((r for r in records if r["class_id"] == class_id), None)
    if record is None:
        ids = ", ".join(r["class_id"] for r in records) or "none"
        raise ModelError(f"model {folder}: no class {class_id}; it has {ids}")
    if as_json:
        click.echo(json.dumps(record, indent=2, ensure_ascii=False))
    else:
        _tell(record)


@classes.command("rename")
@click.argument("class_id", metavar="ID")
@click.argument("name")
@place_options
def rename(
    class_id: str,
    name: str,
    model_path: Path | None,
    source_name: str | None,
    config_path: Path | None,
) -> None:
    """Give a class a name of your own; runs from now on and trainings keep it.

    A running service reads it when it starts anew. Severity and advice are changed in a
    catalogue of your own (configuration: catalogue, section classes).
    """
    from elkwatch.clock import SystemClock
    from elkwatch.errors import ConfigError
    from model import load_catalogue, rename_class

    folder, config, _ = place_of(model_path, source_name, config_path)
    if config is not None and class_id in load_catalogue(config.catalogue).classes:
        raise ConfigError(
            f"{config.catalogue}: names {class_id} already and comes first; change the "
            "name there"
        )
    shown = rename_class(folder, class_id, name, now=SystemClock().now())
    click.echo(f"{class_id} is now “{shown}” → {folder}")


@classes.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> int:
    """Test a catalogue of your own: every mistake in it, one line each.

    Exit code 1 where there are any, 2 where the file cannot be read as YAML.
    """
    from model import check_catalogue

    mistakes = check_catalogue(file)
    if as_json:
        click.echo(json.dumps({"mistakes": mistakes}, indent=2, ensure_ascii=False))
    else:
        for mistake in mistakes:
            click.echo(mistake)
        if not mistakes:
            click.echo(f"{file}: good")
    return 1 if mistakes else 0


def _records(
    folder: Path, config: Config | None, source: SourceSettings | None
) -> list[dict[str, Any]]:
    from connector import ConnectorError
    from elkwatch.class_records import class_records, drift_by_class
    from elkwatch.log_files import warn
    from elkwatch.privacy import Masker
    from model import load_bundle

    model = load_bundle(folder)
    drift = {}
    if config is not None and source is not None:
        try:
            drift = drift_by_class(recent_findings(config), source.name, model)
        except ConnectorError as error:  # a class can be looked at all the same
            warn(f"drift is not shown: {error}")
    if config is None:
        return class_records(model, drift)
    mask = Masker(config.privacy.mask).unnumbered
    return class_records(model, drift, config.alerting.language, mask)


def _tell(record: dict[str, Any]) -> None:
    origin = "taught by labels" if record["taught"] else "discovered"
    click.echo(f"{record['class_id']}  {record['name']}")
    click.echo(
        f"severity {record['severity']}, pattern {record['pattern']}, {origin}, "
        f"{record['members']} members"
    )
    if record["first_seen"]:
        click.echo(f"seen from {record['first_seen']} to {record['last_seen']}")
    if record["drift"] is not None:
        click.echo(
            f"drift {record['drift']:.2f} over {record['findings']} findings of the "
            f"last {RECENT_DAYS} days"
        )
    click.echo("\nwhat it looks like (weight, line; what is missing is marked)")
    for line in record["prototype"][:SHOWN_LINES]:
        click.echo(f"  {line['weight']:.2f}  {line['text']}")
    click.echo(f"\nwhat to do\n  {record['advice']}")
    if record["history"]:
        click.echo("\nhistory")
    for change in record["history"]:
        click.echo(f"  {change['at'] or '':<26}{change['class_id']} {change['what']}")
