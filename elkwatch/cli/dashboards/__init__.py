"""`elkwatch dashboards`: the Kibana objects."""

from __future__ import annotations

import click

from elkwatch.cli.dashboards.build import build
from elkwatch.cli.dashboards.check import check
from elkwatch.cli.dashboards.install import install
from elkwatch.cli.dashboards.preview import preview
from elkwatch.cli.dashboards.uninstall import uninstall
from elkwatch.cli.shell import examples


@click.group(
    "dashboards",
    epilog=examples(
        "elkwatch dashboards build --out elkwatch.ndjson",
        "elkwatch dashboards check elkwatch.ndjson",
        "elkwatch dashboards preview --out preview",
        "elkwatch dashboards install",
        "elkwatch dashboards uninstall --dry-run",
    ),
)
def dashboards() -> None:
    """Build, check, preview, install or remove the Kibana objects."""


dashboards.add_command(build)
dashboards.add_command(check)
dashboards.add_command(preview)
dashboards.add_command(install)
dashboards.add_command(uninstall)
