"""`elkwatch classes`: the kinds of trouble that a model knows, and their names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from elkwatch.config import Config, SourceSettings

RECENT_DAYS = 7
SHOWN_LINES = 12
SHOWN_SESSIONS = 5


@click.group(
    "classes",
    epilog=examples(
        "elkwatch classes list --model models/shop-db",
        "elkwatch classes show c03 --source shop-db      with what was found lately",
        "elkwatch classes rename c07 'disk full on the archive' --model models/shop-db",
        "elkwatch classes check our-rules.yml",
        "elkwatch classes discover verdicts.ndjson --model models/shop-db",
    ),
)
def classes() -> None:
    """The classes of a model: list, show, rename, discover; own rules: check."""


def _place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--model DIR`, or `--source NAME` of the configuration."""
    model = click.option(
        "--model",
        "model_path",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Model bundle; the configured source's if not given.",
    )
    source = click.option(
        "--source",
        "source_name",
        metavar="NAME",
        help="Source of the configuration; needed where there are several.",
    )
    return model(source(config_option(command)))


@classes.command("list")
@_place_options
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
    records = _records(*_place(model_path, source_name, config_path))
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
@_place_options
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

    folder, config, source = _place(model_path, source_name, config_path)
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
@_place_options
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

    folder, config, _ = _place(model_path, source_name, config_path)
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


@classes.command("discover")
@click.argument("verdicts", metavar="[FILE]", required=False)
@_place_options
@json_option
def discover(
    verdicts: str | None,
    model_path: Path | None,
    source_name: str | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Kinds among findings that fitted no class, and which findings they would take.

    Reads the findings of the configured source, or FILE, written by elkwatch classify.
    Nothing is changed: the next training with these logs makes them classes. With
    --source or --config what is shown is masked as `privacy` says.
    """
    from elkwatch.late_classes import (
        late_classes,
        masked_unknown,
        unknown_findings,
        unknown_records,
    )
    from elkwatch.log_files import plural
    from model import load_bundle

    folder, config, source = _place(model_path, source_name, config_path)
    lineage = load_bundle(folder).lineage
    if verdicts is not None:
        unknown = unknown_records(_records_of(verdicts))
    elif config is not None and source is not None:
        unknown = unknown_findings(_recent_findings(config), source.name)
    else:
        raise click.UsageError("give FILE of `elkwatch classify`, or --source NAME")
    if config is not None:
        unknown = [masked_unknown(one, config.privacy) for one in unknown]
    found = late_classes(unknown, lineage)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo(f"{plural(len(unknown), 'finding')} of no known class")
    for one in found:
        what = "new" if one["new"] else "come back"
        shown = ", ".join(one["sessions"][:SHOWN_SESSIONS])
        click.echo(f"{one['class_id']} ({what}), {one['members']}: {one['name']}")
        more = " …" if len(one["sessions"]) > SHOWN_SESSIONS else ""
        click.echo(f"  would re-label {shown}{more}")


def _records_of(path: str) -> list[dict[str, Any]]:
    """The lines of a file of `elkwatch classify`. Raises FileError."""
    from elkwatch.errors import FileError

    try:
        lines = Path(path).read_text("utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError) as error:
        raise FileError(
            f"{path}: not what `elkwatch classify --out` writes; give its output"
        ) from error
    if not all(isinstance(r, dict) and "known" in r for r in records):
        raise FileError(
            f"{path}: not what `elkwatch classify --out` writes; give its output"
        )
    return records


def _place(
    model_path: Path | None, source_name: str | None, config_path: Path | None
) -> tuple[Path, Config | None, SourceSettings | None]:
    """The bundle's folder, and the configured source whose it is, if one is asked."""
    from elkwatch.config import source_named
    from elkwatch.errors import ConfigError

    if model_path is not None and source_name is None and config_path is None:
        return model_path, None, None
    config = load(config_path)
    if source_name is None and len(config.sources) > 1 and model_path is None:
        names = ", ".join(s.name for s in config.sources)
        raise click.UsageError(f"which source? give --source NAME, of {names}")
    source = source_named(config, source_name or config.sources[0].name)
    folder = model_path or (Path(source.model) if source.model else None)
    if folder is None:
        raise ConfigError(
            f"source {source.name}: no model; make one with `elkwatch train "
            f"--from-es {source.name}`, or give --model DIR"
        )
    return folder, config, source


def _records(
    folder: Path, config: Config | None, source: SourceSettings | None
) -> list[dict[str, Any]]:
    from elkwatch.class_records import class_records, drift_by_class
    from elkwatch.privacy import Masker
    from model import load_bundle

    model = load_bundle(folder)
    drift = {}
    if config is not None and source is not None:
        found = _recent_findings(config)
        drift = drift_by_class(found, source.name, model.lineage)
    if config is None:
        return class_records(model, drift)
    mask = Masker(config.privacy.mask).unnumbered
    return class_records(model, drift, config.alerting.language, mask)


def _recent_findings(config: Config) -> list[Mapping[str, Any]]:
    """Findings of the last days; none, and a line that says so, where none can be read.

    A class can be looked at also when the cluster is away.
    """
    from connector import ConnectorError, Results
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client
    from elkwatch.log_files import warn

    now = SystemClock().now()
    try:
        results = Results(open_client(config), config.namespace)
        return list(results.findings(now - timedelta(days=RECENT_DAYS), now))
    except ConnectorError as error:
        warn(f"drift is not shown: {error}")
        return []


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
