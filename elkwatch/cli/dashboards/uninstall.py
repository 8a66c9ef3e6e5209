"""`elkwatch dashboards uninstall`: what elkwatch installed, out of Kibana again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from kibana import Removal


@click.command(
    "uninstall",
    epilog=examples(
        "elkwatch dashboards uninstall --dry-run    say what would be removed",
        "elkwatch dashboards uninstall              from every space it is in",
        "elkwatch dashboards uninstall --space ops  from this space only",
    ),
)
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@click.option("--force", is_flag=True, help="Even what people edited or build upon.")
@click.option("--space", metavar="ID", help="Only from this space.")
@json_option
@config_option
def uninstall(
    dry_run: bool,
    force: bool,
    space: str | None,
    as_json: bool,
    config_path: Path | None,
) -> int:
    """Remove exactly what `install` put into Kibana, in every space, and nothing else.

    Findings stay. Where people edited our objects, or built upon our data views,
    nothing of that space is removed without --force. Exit code 1 if anything was left.
    """
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client
    from elkwatch.kibana_objects import kibana_objects
    from elkwatch.kibana_place import install_store, open_kibana
    from kibana import uninstall as uninstall_objects

    config = load(config_path)
    open_kibana(config)
    store = install_store(open_client(config), config.namespace)
    removals: list[Removal] = []
    for one in [space] if space else store.spaces():
        removals += uninstall_objects(
            open_kibana(config, space=one),
            store,
            SystemClock().now(),
            ours=kibana_objects(config),
            force=force,
            dry_run=dry_run,
        )
    _tell(removals, as_json, dry_run)
    return 1 if any(removal.outcome == "shared" for removal in removals) else 0


def _tell(removals: Sequence[Removal], as_json: bool, dry_run: bool) -> None:
    if as_json:
        objects = [
            {
                "space": removal.space,
                "type": removal.key.type,
                "id": removal.key.id,
                "outcome": removal.outcome,
                "note": removal.note,
            }
            for removal in removals
        ]
        click.echo(json.dumps({"dry_run": dry_run, "objects": objects}))
        return
    for removal in removals:
        click.echo(f"{removal} (space {removal.space})")
    if not removals:
        click.echo("elkwatch has installed nothing there")
