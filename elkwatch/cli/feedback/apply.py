"""`elkwatch feedback apply`: what people said, on findings written before."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import DurationType, config_option, json_option, load
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from elkwatch.config import Config
    from elkwatch.feedback.written import Applied


@click.command(
    "apply",
    epilog=examples(
        "elkwatch feedback apply --dry-run             what would change",
        "elkwatch feedback apply --since 30d --source shop-db",
    ),
)
@click.option(
    "--since",
    type=DurationType(),
    default="7d",
    show_default=True,
    help="Findings whose session ended no longer ago.",
)
@click.option("--source", metavar="NAME", help="Only findings of this source.")
@click.option("--dry-run", is_flag=True, help="Count only; write nothing.")
@json_option
@config_option
def apply(
    since: timedelta,
    source: str | None,
    dry_run: bool,
    as_json: bool,
    config_path: Path | None,
) -> int:
    """Bring findings that are written already up to what people said of their like.

    A false alarm is suppressed and leaves its episode; another kind brings its class
    and advice. Nobody is told again. Needs the role of the service (elkwatch_run).
    """
    config = load(config_path)
    applied = _apply(config, source, since, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(_row(applied, dry_run=dry_run)))
    else:
        _print(applied, dry_run=dry_run)
    return 1 if applied.findings["conflict"] or applied.findings["refused"] else 0


def _apply(
    config: Config, source: str | None, since: timedelta, *, dry_run: bool
) -> Applied:
    from alerting import build
    from connector import ElasticStateStore, FindingChanger, Results
    from elkwatch.alert_store import AlertStateStore
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client, refuse_without_setup
    from elkwatch.config import source_named, translate
    from elkwatch.feedback import FeedbackBook
    from elkwatch.feedback.kinds import told_kinds
    from elkwatch.feedback.written import Said, apply_feedback, foreseen

    names = [one.name for one in config.sources]
    if source is not None:
        names = [source_named(config, source).name]
    clock = SystemClock()
    now, language = clock.now(), config.alerting.language
    client = open_client(config)
    refuse_without_setup(client)
    state = ElasticStateStore(client, config.namespace)
    book = FeedbackBook(state)
    said = Said(
        {name: book.opinions(name, now) for name in names},
        cache(lambda name: told_kinds(config, name, language).get),
    )
    written = Results(client, config.namespace).written(now - since, now)
    changer = FindingChanger(client, config.namespace)
    if dry_run:
        return foreseen(written, said, changer)
    settings = translate.alerting_config(config.alerting)
    alerts = build(settings, AlertStateStore(state), clock)
    return apply_feedback(written, said, changer, alerts.tracker, now)


def _row(applied: Applied, *, dry_run: bool) -> dict[str, Any]:
    found = applied.findings
    return {
        "dry_run": dry_run,
        "covered": found.total(),
        "suppressed": found["false-alarm"],
        "of_another_kind": found["kind"],
        "right": found["right"],
        "as_they_were": found["equal"],
        "changed_meanwhile": found["conflict"],
        "refused": found["refused"],
        "unreadable": applied.unreadable,
        "episodes_ended": None if dry_run else applied.episodes_ended,
    }


def _print(applied: Applied, *, dry_run: bool) -> None:
    found = applied.findings
    would = "would be " if dry_run else ""
    click.echo(
        f"{found.total()} findings are spoken of: {found['false-alarm']} {would}"
        f"suppressed, {found['kind']} {would}of another kind, {found['right']} "
        f"{would}marked right, {found['equal']} say so already"
    )
    if not dry_run:
        click.echo(f"{applied.episodes_ended} episodes ended")
    if applied.unreadable:
        click.echo(
            f"elkwatch: {applied.unreadable} documents among the findings are none "
            "that elkwatch wrote; they stay as they are",
            err=True,
        )
    if found["conflict"]:
        click.echo(
            f"elkwatch: {found['conflict']} findings were changed by somebody else "
            "meanwhile; run it again",
            err=True,
        )
    if found["refused"]:
        click.echo(
            f"elkwatch: Elasticsearch refused to change {found['refused']} findings; "
            "`elkwatch doctor` says why",
            err=True,
        )
