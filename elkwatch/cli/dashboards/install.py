"""`elkwatch dashboards install`: the Kibana objects into a space of Kibana."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from kibana import Step


@click.command(
    "install",
    epilog=examples(
        "elkwatch dashboards install --dry-run      say what would be done",
        "elkwatch dashboards install",
        "elkwatch dashboards install --keep-edits   update all but what people edited",
        "elkwatch dashboards install --space ops    into another space",
    ),
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.option("--keep-edits", is_flag=True, help="Leave what people edited as it is.")
@click.option("--overwrite", is_flag=True, help="Replace what people edited.")
@click.option("--space", metavar="ID", help="This space, not the configured one.")
@json_option
@config_option
def install(
    dry_run: bool,
    keep_edits: bool,
    overwrite: bool,
    space: str | None,
    as_json: bool,
    config_path: Path | None,
) -> int:
    """Put data views, dashboards and the saved search into Kibana. Idempotent.

    What is there as it should be is not sent again. Where people's edits would be lost
    nothing is done, and they are named: choose --keep-edits or --overwrite then.
    """
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client, refuse_without_setup
    from elkwatch.kibana_objects import kibana_objects
    from elkwatch.kibana_place import install_store, open_kibana
    from kibana import install as install_objects

    if keep_edits and overwrite:
        raise click.UsageError("give --keep-edits or --overwrite, not both")
    config = load(config_path)
    kibana = open_kibana(config, space=space)
    client = open_client(config)
    refuse_without_setup(client)
    steps = install_objects(
        kibana,
        kibana_objects(config),
        install_store(client, config.namespace),
        SystemClock().now(),
        on_edits="keep" if keep_edits else "overwrite" if overwrite else "refuse",
        dry_run=dry_run,
    )
    if as_json:
        told = {"dry_run": dry_run, "space": kibana.space, "objects": as_dicts(steps)}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for step in steps:
            click.echo(str(step))
        click.echo(f"{kibana.where}: {summary(steps, dry_run)}")
    return 1 if any(step.change == "refused" for step in steps) else 0


def as_dicts(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Steps for `--json`."""
    return [
        {
            "type": step.key.type,
            "id": step.key.id,
            "title": step.title,
            "change": step.change,
            "note": step.note,
        }
        for step in steps
    ]


def summary(steps: Sequence[Step], dry_run: bool) -> str:
    """`2 create, 5 unchanged`, and what was not done."""
    counts = Counter(step.change for step in steps)
    told = ", ".join(f"{count} {change}" for change, count in counts.items())
    if counts["refused"]:
        return f"{told}; nothing would be done without --keep-edits or --overwrite"
    return f"{told}{'; nothing was changed (dry run)' if dry_run else ''}"
