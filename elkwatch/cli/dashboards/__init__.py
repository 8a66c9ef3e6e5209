"""`elkwatch dashboards`: the Kibana objects."""

from __future__ import annotations

import click

from elkwatch.cli.shell import examples


@click.group(
    "dashboards",
    epilog=examples(
        "elkwatch dashboards build --out elkwatch.ndjson",
        "elkwatch dashboards check elkwatch.ndjson",
        "elkwatch dashboards preview --out preview",
        "elkwatch dashboards install",
    ),
)
def dashboards() -> None:
    """Build, check, preview, install or remove the Kibana objects."""
