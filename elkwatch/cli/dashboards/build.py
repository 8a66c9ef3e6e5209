"""`elkwatch dashboards build`: the file that Kibana imports."""

from __future__ import annotations

import os
from pathlib import Path

import click

from elkwatch.cli.options import config_option, load
from elkwatch.cli.shell import examples
from elkwatch.config import find_config
from elkwatch.errors import ConfigError


@click.command(
    "build",
    epilog=examples(
        "elkwatch dashboards build --out elkwatch.ndjson",
        "elkwatch dashboards build --out - | elkwatch dashboards check -",
    ),
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Where to write; - is standard output.",
)
@config_option
def build(out: Path, config_path: Path | None) -> None:
    """Write the Kibana objects as NDJSON: data views, dashboards, a saved search.

    With a configuration they are of its namespace, with a data view for each source;
    without one, of every namespace. The same input gives the same bytes.
    """
    from elkwatch.kibana_objects import kibana_objects
    from elkwatch.result_files import open_text_result
    from kibana import ndjson

    config = load(config_path) if _is_there(config_path) else None
    objects = kibana_objects(config)
    with open_text_result(out) as stream:
        stream.write(ndjson(objects))
    if str(out) != "-":
        click.echo(
            f"{len(objects)} objects in {out}; import them in Kibana under Stack "
            "Management, Saved Objects, or with `elkwatch dashboards install`"
        )


def _is_there(config_path: Path | None) -> bool:
    """A configuration that was named must be there; the usual place may be empty."""
    if config_path is not None or os.environ.get("ELKWATCH_CONFIG"):
        return True
    try:
        find_config(None, os.environ)
    except ConfigError:
        return False
    return True
