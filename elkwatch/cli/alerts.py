"""`elkwatch alerts`: messages and the state of alerts."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from alerting import Alerting
    from elkwatch.config import Config

MOST = 1000


@click.group(
    "alerts",
    epilog=examples(
        "elkwatch alerts render --kind opened --language zh",
        "elkwatch alerts render --format html --out mail.html",
        "elkwatch alerts test                  a test message to every channel",
        "elkwatch alerts list --owed           what could not be sent yet",
    ),
)
def alerts() -> None:
    """Messages, episodes, and what is owed to whom."""


@alerts.command("render")
@click.option(
    "--sample", is_flag=True, help="A made-up finding (the default; for clarity)."
)
@click.option(
    "--kind",
    type=click.Choice(["opened", "ongoing", "resolved", "catch-up"]),
    default="opened",
    show_default=True,
    help="Which message.",
)
@click.option(
    "--language", type=click.Choice(["en", "zh"]), default="en", show_default=True
)
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone.")
@click.option(
    "--templates",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with your own message files, to try them.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "subject"]),
    default="text",
    show_default=True,
)
@click.option("--out", type=click.Path(path_type=Path), help="Write it to a file.")
def render(
    sample: bool,
    kind: str,
    language: str,
    zone: str,
    templates: Path | None,
    form: str,
    out: Path | None,
) -> int:
    """Show a message as people would get it.

    Exit code 1 where your own message files cannot be used.
    """
    from typing import cast

    from alerting import MessageKind, SampleLinks
    from alerting import render as render_message
    from elkwatch.clock import SystemClock
    from elkwatch.result_files import open_text_result

    now = SystemClock().now()
    message = render_message(
        cast(MessageKind, kind),
        now,
        language=language,
        zone=zone,
        templates=templates,
        links=SampleLinks(),
    )
    forms = {"text": message.text, "html": message.html, "subject": message.subject}
    if out is None:
        click.echo(forms[form])
    else:
        with open_text_result(out) as stream:
            stream.write(forms[form])
    if message.fallback is not None:
        click.echo(f"elkwatch: your message files: {message.fallback}", err=True)
    return 0 if message.fallback is None else 1


@alerts.command("test")
@click.option("--channel", "only", multiple=True, help="Only this channel; repeatable.")
@json_option
@config_option
def trial(only: tuple[str, ...], as_json: bool, config_path: Path | None) -> int:
    """Send a test message through every channel, as real ones are sent."""
    from alerting import InMemoryAlertStore, build, trial_rows
    from elkwatch.clock import SystemClock
    from elkwatch.compose import message_links
    from elkwatch.config import translate

    config = load(config_path)
    settings = translate.alerting_config(config.alerting)
    clock = SystemClock()
    links = message_links(config, located=lambda key: key.id)
    outbox = build(settings, InMemoryAlertStore(), clock, links=links).outbox
    unknown = set(only) - set(outbox.channels)
    if unknown or not outbox.channels:
        known = ", ".join(outbox.channels) or "none"
        raise click.UsageError(f"no such channel; configured: {known}")
    rows = [
        row
        for row in trial_rows(settings, clock.now())
        if not only or row.channel in only
    ]
    outbox.owe(rows)
    report = outbox.deliver(clock.now())
    if as_json:
        told = [
            {"channel": a.channel, "outcome": a.outcome, "reason": a.reason}
            for a in report.attempts
        ]
        click.echo(json.dumps(told))
    else:
        for attempt in report.attempts:
            good = attempt.outcome == "sent"
            click.echo(f"{attempt.channel}: {'sent' if good else attempt.reason}")
    return 0 if report.sent == len(rows) else 1


@alerts.command("list")
@click.option("--source", help="Only episodes of this source.")
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@click.option("--owed", is_flag=True, help="Outbox rows not sent yet, or given up.")
@json_option
@config_option
def show(
    source: str | None,
    everything: bool,
    owed: bool,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """List episodes, or with --owed the messages that are still owed."""
    config = load(config_path)
    alerting = _stored(config)
    found = _rows(alerting) if owed else _episodes(alerting, source, everything)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        click.echo("nothing is owed" if owed else "no episodes")
    for one in found:
        click.echo("  ".join(str(value) for value in one.values()))


@alerts.command("replay")
@click.argument("row_id", metavar="ROW")
@config_option
def replay(row_id: str, config_path: Path | None) -> None:
    """Owe a message that was given up again; the service sends it."""
    from elkwatch.clock import SystemClock

    row = _stored(load(config_path)).outbox.replay(row_id, SystemClock().now())
    click.echo(f"{row.row_id} is owed again on {row.channel}")


def _stored(config: Config) -> Alerting:
    from alerting import build
    from connector import ElasticStateStore
    from elkwatch.alert_store import AlertStateStore
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client
    from elkwatch.config import translate

    store = AlertStateStore(ElasticStateStore(open_client(config), config.namespace))
    return build(translate.alerting_config(config.alerting), store, SystemClock())


def _episodes(
    alerting: Alerting, source: str | None, everything: bool
) -> list[dict[str, Any]]:
    found = (
        alerting.tracker.episodes(source, limit=MOST)
        if everything
        else alerting.tracker.episodes(source, ("opened", "ongoing"), limit=MOST)
    )
    return [
        {
            "state": episode.state,
            "severity": episode.severity,
            "since": _iso(episode.first_seen),
            "last": _iso(episode.last_seen),
            "findings": episode.findings,
            "risk": episode.risk,
            "class": episode.class_name,
            "services": ",".join(episode.services),
            "episode": episode.episode_id,
        }
        for episode in found
    ]


def _rows(alerting: Alerting) -> list[dict[str, Any]]:
    found = alerting.outbox.rows(("pending", "sending", "dead", "dropped"), limit=MOST)
    return [
        {
            "state": row.state,
            "channel": row.channel,
            "kind": row.kind,
            "attempts": row.attempts,
            "due": _iso(row.next_attempt_at),
            "reason": row.reason,
            "row": row.row_id,
        }
        for row in found
    ]


def _iso(time: datetime | None) -> str:
    return "-" if time is None else time.isoformat(timespec="seconds")
