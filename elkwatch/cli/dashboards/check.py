"""`elkwatch dashboards check`: what a browser would show to be wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from elkwatch.cli.options import json_option
from elkwatch.cli.shell import examples
from elkwatch.errors import FileError


@click.command(
    "check",
    epilog=examples(
        "elkwatch dashboards check elkwatch.ndjson",
        "elkwatch dashboards check --json elkwatch.ndjson",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@json_option
def check(file: Path, as_json: bool) -> int:
    """Find every defect of FILE that Kibana imports without a word.

    References, panels, Lens columns, fields and their types, queries, grids, controls,
    drilldowns, versions. Exit code 1 when there is one.
    """
    from elkwatch.kibana_objects import known_fields
    from kibana import check_text

    text = _read(file)
    defects = check_text(text, known_fields())
    if as_json:
        click.echo(json.dumps([asdict(defect) for defect in defects], indent=2))
    else:
        for defect in defects:
            click.echo(str(defect))
        lines = sum(bool(line.strip()) for line in text.split("\n"))
        told = f"{len(defects)} defects" if defects else "no defect"
        click.echo(f"{file}: {lines} objects checked, {told}", err=bool(defects))
    return 1 if defects else 0


def _read(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read().decode("utf-8", "replace")
        return file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        why = (error.strerror or "").lower()
        raise FileError(f"{file}: {why}; check the path") from error
