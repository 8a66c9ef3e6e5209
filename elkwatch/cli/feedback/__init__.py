"""`elkwatch feedback`: what people said of findings."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.feedback.apply import apply
from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from connector.findings import PersonsVerdict
    from elkwatch.config import Config
    from elkwatch.feedback import FeedbackBook, Opinion, Subject, Touched

MAX_REASON = 500
MAX_WHO = 100


@click.group(
    "feedback",
    epilog=examples(
        "elkwatch feedback add 3f2a9c0d1b2e4f5a3f2a9c0d1b2e4f5a --false-alarm \\",
        "    --reason 'nightly job' --until 30d",
        "elkwatch feedback add 65a1b2c3.4d5e --kind disk_full --source shop-db",
        "elkwatch feedback list                 what holds, and how often it applied",
        "elkwatch feedback remove f3a9c0d1b2e4  alerts come back",
        "elkwatch feedback apply --since 7d     findings written before, too",
    ),
)
def feedback() -> None:
    """What people said of findings: it counts from the next run on."""


feedback.add_command(apply)


@feedback.command("add")
@click.argument("finding", metavar="FINDING")
@click.option("--false-alarm", is_flag=True, help="It is none; alert nobody.")
@click.option("--right", is_flag=True, help="It is right, and its kind too.")
@click.option("--kind", metavar="KIND", help="It is right, but really of this kind.")
@click.option("--new-kind", is_flag=True, help="With --kind: nobody knows it yet.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["signature", "service", "source"]),
    multiple=True,
    help="Of which findings: those that deviate in the same way (signature, the "
    "default), those of the same trouble in this service, or in this source; "
    "repeat it to have all hold.",
)
@click.option("--until", metavar="TIME", help="No longer than this: 30d, or a date.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for others to read.")
@click.option("--by", "who", metavar="NAME", help="Who says so.  [default: you]")
@click.option("--source", metavar="NAME", help="Only findings of this source.")
@json_option
@config_option
def add(
    finding: str,
    false_alarm: bool,
    right: bool,
    kind: str | None,
    new_kind: bool,
    scopes: tuple[str, ...],
    until: str | None,
    reason: str,
    who: str | None,
    source: str | None,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Say what a finding really is. FINDING: its id (event.id), or its session.

    From the next run on, false alarms in scope are written as suppressed and alert
    nobody; those of another kind carry it, with its advice. `feedback remove` takes it
    back. The next training learns from it.
    """
    from elkwatch.clock import SystemClock
    from elkwatch.feedback import SCOPES, Opinion

    verdict = _verdict(false_alarm, right, kind)
    if new_kind and kind is None:
        raise click.UsageError("--new-kind goes with --kind NAME")
    now = SystemClock().now()
    ends = None if until is None else _until(until, now)
    config = load(config_path)
    subject, book = _subject_and_book(config, finding, source)
    opinion = Opinion(
        subject=subject,
        verdict=verdict,
        scope=tuple(s for s in SCOPES if s in (scopes or ("signature",))),
        who=_plain(config, who if who is not None else _user(), MAX_WHO) or "somebody",
        reason=_plain(config, reason, MAX_REASON),
        given_at=now,
        kind=None if kind is None else _kind(config, subject.source, kind, new_kind),
        until=ends,
    )
    before = book.add(opinion, now)
    if as_json:
        click.echo(json.dumps(_row(opinion, now), ensure_ascii=False))
    else:
        _tell_added(opinion, before)


def _tell_added(opinion: Opinion, before: Opinion | None) -> None:
    again = "" if before is None else f" (instead of what {before.who} said)"
    click.echo(f"{opinion.feedback_id}: {_about(opinion)}: {opinion.says}{again}")
    click.echo(
        f"  it counts from the next run on, {_until_words(opinion)}; "
        f"`elkwatch feedback remove {opinion.feedback_id}` takes it back"
    )
    click.echo("  what was written before: `elkwatch feedback apply`")


@feedback.command("list")
@click.option("--source", metavar="NAME", help="Only on this source.")
@click.option("--all", "everything", is_flag=True, help="What holds no more, too.")
@click.option("--labels", is_flag=True, help="As labels for `train --labels`: CSV.")
@json_option
@config_option
def show(
    source: str | None,
    everything: bool,
    labels: bool,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """List feedback, and to how many findings each was applied."""
    from connector import Results
    from elkwatch.clock import SystemClock
    from elkwatch.feedback import holding
    from elkwatch.feedback.findings import Touched, touched

    config, now = load(config_path), SystemClock().now()
    client, book = _opened(config)
    opinions = book.every(source)
    if not everything:
        opinions = list(holding(opinions, now))
    if labels:
        _print_labels(opinions)
        return
    counts = touched(Results(client, config.namespace), config.namespace)
    rows = [_row(one, now, counts.get(one.feedback_id, Touched())) for one in opinions]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        click.echo("no feedback" if everything else "no feedback holds")
    for one, row in zip(opinions, rows, strict=True):
        click.echo(
            f"{one.feedback_id}  {row['state']:<8}  {one.says:<12}  "
            f"applied to {row['applied']}  {_about(one)}, {_until_words(one)}"
        )
        why = f": {one.reason}" if one.reason else ""
        click.echo(f"    {one.who}, {one.given_at:%Y-%m-%d %H:%M} UTC{why}")


@feedback.command("remove")
@click.argument("feedback_id", metavar="FEEDBACK")
@config_option
def remove(feedback_id: str, config_path: Path | None) -> None:
    """Take feedback back: new findings alert again. It stays in `list --all`."""
    from elkwatch.clock import SystemClock

    _, book = _opened(load(config_path))
    gone = book.remove(feedback_id, SystemClock().now())
    click.echo(f"{feedback_id} is removed: {_about(gone)} will be told again")


def _verdict(false_alarm: bool, right: bool, kind: str | None) -> PersonsVerdict:
    if false_alarm + right + (kind is not None) != 1:
        raise click.UsageError("give one of --false-alarm, --right, --kind KIND")
    if kind is not None:
        return "kind"
    return "right" if right else "false-alarm"


def _until(text: str, now: datetime) -> datetime:
    from connector import read_time
    from elkwatch.config import parse_duration
    from elkwatch.errors import ConfigError

    try:
        end = now + parse_duration(text)
    except ValueError:
        try:
            end = read_time(text)
        except ValueError as error:
            raise ConfigError(
                f"--until {text!r}: write a length such as 30d, or a date such as "
                "2027-01-31"
            ) from error
    if end <= now:
        raise ConfigError(f"--until {text} is over already; give a time to come")
    return end


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _plain(config: Config, text: str, longest: int) -> str:
    """One masked, printable line of what a person wrote."""
    from elkwatch.privacy import Masker
    from elkwatch.proposals.shown import shown

    mask = Masker(config.privacy.mask).unnumbered
    return shown(" ".join(mask(text).split()), longest)


def _kind(config: Config, source: str, kind: str, new: bool) -> str:
    from elkwatch.feedback.kinds import kind_named, known_kinds

    return kind_named(kind, known_kinds(config, source), new=new)


def _opened(config: Config) -> tuple[Elasticsearch, FeedbackBook]:
    """Raises ConnectorError; SetupMissing where setup is older than feedback."""
    from connector import ElasticStateStore
    from elkwatch.compose import open_client, refuse_without_setup
    from elkwatch.feedback import FeedbackBook

    client = open_client(config)
    refuse_without_setup(client)
    store = ElasticStateStore(client, config.namespace, wait_for_refresh=True)
    return client, FeedbackBook(store)


def _subject_and_book(
    config: Config, finding: str, source: str | None
) -> tuple[Subject, FeedbackBook]:
    from connector import Results
    from elkwatch.feedback.findings import subject_named

    client, book = _opened(config)
    results = Results(client, config.namespace)
    return subject_named(results, config.namespace, finding, source), book


def _row(one: Opinion, now: datetime, found: Touched | None = None) -> dict[str, Any]:
    about = one.subject
    state = "holds" if one.holds(now) else "expired"
    row: dict[str, Any] = {
        "feedback": one.feedback_id,
        "state": "removed" if one.removed_at is not None else state,
        "verdict": one.verdict,
        "kind": one.kind,
        "source": about.source,
        "scope": list(one.scope),
        "service": about.service,
        "signature": about.signature.signature_id,
        "lines": list(about.signature.lines),
        "class_id": about.class_id,
        "finding": about.finding_id,
        "session": about.session,
        "who": one.who,
        "reason": one.reason,
        "given_at": one.given_at.isoformat(),
        "until": None if one.until is None else one.until.isoformat(),
    }
    if found is not None:
        newest = None if found.newest is None else found.newest.isoformat()
        row |= {"applied": found.findings, "applied_last": newest}
    return row


def _about(one: Opinion) -> str:
    """Which findings it speaks of, for people."""
    from elkwatch.proposals.shown import shown

    about = one.subject
    name = shown(about.class_name, 60)
    like = f"findings like {shown(about.session, 60)} ({name})"
    wide = f"all of {shown(about.signature.topic, 60)}"
    kind = like if "signature" in one.scope else wide

    where = f" of service {about.service or '-'}" if "service" in one.scope else ""
    return shown(f"{kind}{where} in {about.source}")


def _until_words(one: Opinion) -> str:
    if one.until is None:
        return "until it is removed"
    return f"until {one.until:%Y-%m-%d %H:%M} UTC"


def _print_labels(opinions: list[Opinion]) -> None:
    from elkwatch.feedback.labels import labels_csv

    text, left_out = labels_csv(opinions)
    click.echo(text, nl=False)
    for line in left_out:
        click.echo(f"elkwatch: {line}", err=True)
