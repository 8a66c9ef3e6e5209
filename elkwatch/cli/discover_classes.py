"""`elkwatch classes discover`: kinds among findings that fitted no class."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.class_place import (
    RECENT_DAYS,
    place_of,
    place_options,
    recent_findings,
)
from elkwatch.cli.options import json_option

if TYPE_CHECKING:
    from elkwatch.config import Config, SourceSettings
    from elkwatch.late_classes import Discovery

SHOWN_SESSIONS = 5


@click.command("discover")
@click.argument("verdicts", metavar="[FILE]", required=False)
@place_options
@click.option(
    "--apply",
    "apply_",
    is_flag=True,
    help="Take the classes on: what comes next gets their names.",
)
@click.option(
    "--relabel",
    is_flag=True,
    help="With --apply and a source: the findings written already get them too.",
)
@json_option
def discover(
    verdicts: str | None,
    model_path: Path | None,
    source_name: str | None,
    config_path: Path | None,
    apply_: bool,
    relabel: bool,
    as_json: bool,
) -> None:
    """Kinds among findings that fitted no class, and which findings they would take.

    Reads the findings of the configured source, or FILE, written by elkwatch classify.
    Nothing is changed without --apply, which needs no training: the model and its
    version stay. With --source or --config what is shown is masked as `privacy` says.
    """
    from elkwatch.late_classes import Discovery
    from elkwatch.log_files import plural
    from model import load_bundle, load_catalogue

    if relabel and (not apply_ or verdicts is not None):
        raise click.UsageError(
            "--relabel goes with --apply and --source, whose findings it changes"
        )
    folder, config, source = place_of(model_path, source_name, config_path)
    model = load_bundle(folder)
    catalogue = load_catalogue(None if config is None else config.catalogue)
    unknown = _unknown(verdicts, config, source)
    found = Discovery.of(unknown, model, catalogue)
    told = {} if not apply_ else _applied(found, folder, config, relabel=relabel)
    language = "en" if config is None else config.alerting.language
    records = found.records(told, language)
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    click.echo(f"{plural(len(unknown), 'finding')} of no known class")
    for one in records:
        _tell(one)
    if apply_ and records:
        click.echo(f"taken on → {folder}")


def _unknown(
    verdicts: str | None, config: Config | None, source: SourceSettings | None
) -> list[Mapping[str, Any]]:
    """What fitted no class, masked as the configuration says."""
    from elkwatch.late_classes import (
        masked_unknown,
        unknown_findings,
        unknown_records,
    )

    if verdicts is not None:
        unknown = unknown_records(_records_of(verdicts))
    elif config is not None and source is not None:
        unknown = unknown_findings(recent_findings(config), source.name)
    else:
        raise click.UsageError("give FILE of `elkwatch classify`, or --source NAME")
    if config is None:
        return unknown
    return [masked_unknown(one, config.privacy) for one in unknown]


def _applied(
    found: Discovery, folder: Path, config: Config | None, *, relabel: bool
) -> dict[str, int]:
    """Takes the classes on; → how many findings were given each one's name."""
    from connector import FindingChanger, Results
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client
    from elkwatch.relabelling import relabel_findings
    from model import accept_late, tell_relabelled

    now = SystemClock().now()
    if not found.found.classes:
        return {}
    accept_late(found.model, folder, found.found, now=now)
    if not relabel or config is None:
        return {}
    with open_client(config) as client:
        changer = FindingChanger(client, config.namespace)
        period = now - timedelta(days=RECENT_DAYS), now
        written = Results(client, config.namespace).written(*period)
        language = config.alerting.language
        told = relabel_findings(
            changer, written, found, folder, language=language, now=now
        )
    for class_id, count in told.items():
        tell_relabelled(folder, class_id, count, now=now)
    return told


def _tell(one: Mapping[str, Any]) -> None:
    what = "new" if one["new"] else "come back"
    click.echo(f"{one['class_id']} ({what}), {one['members']}: {one['name']}")
    done = one.get("relabelled")
    if done is not None:
        click.echo(f"  re-labelled {done}")
        return
    sessions: Sequence[str] = one["sessions"]
    more = " …" if len(sessions) > SHOWN_SESSIONS else ""
    click.echo(f"  would re-label {', '.join(sessions[:SHOWN_SESSIONS])}{more}")


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
