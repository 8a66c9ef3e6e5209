"""`elkwatch init`: a cluster in, a commented configuration out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import json_option
from elkwatch.cli.shell import examples
from elkwatch.errors import ConfigError, ElkwatchError

if TYPE_CHECKING:
    from elkwatch.proposals.survey import Survey, Tell

_DEFAULT_HOST = "http://localhost:9200"
_HOSTS_VARIABLE = "ELKWATCH__ELASTICSEARCH__HOSTS"


@click.command(
    "init",
    epilog=examples(
        "elkwatch init --hosts http://localhost:9200",
        "elkwatch init --hosts https://es:9200 --api-key-file es.key --ca-certs ca.pem",
        "elkwatch init --index 'logs-*,filebeat-*' --out shop.yml",
        "elkwatch init --json --dry-run | jq '.sources[].session'",
    ),
)
@click.option(
    "--hosts",
    multiple=True,
    metavar="URL",
    help=f"Address with scheme and port; repeatable.  [default: {_DEFAULT_HOST}]",
)
@click.option(
    "--out",
    default="elkwatch.yml",
    show_default=True,
    metavar="FILE",
    help="Configuration to write; - is standard output.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--dry-run", is_flag=True, help="Look and tell; write no file.")
@click.option(
    "--index",
    "pattern",
    default="*",
    show_default=True,
    metavar="PATTERN",
    help="Look only at what this matches.",
)
@click.option(
    "--sample",
    "sample_size",
    type=click.IntRange(400, 10_000),
    default=5000,
    show_default=True,
    help="Newest documents to judge a source by.",
)
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with the API key.",
)
@click.option("--username", metavar="NAME", help="User, where there is no API key.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with the password of that user.",
)
@click.option(
    "--ca-certs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="PEM file of the CA of the server's certificate.",
)
@click.option(
    "--fingerprint", metavar="SHA256", help="Of the certificate, instead of a CA."
)
@json_option
def init(
    hosts: tuple[str, ...],
    out: str,
    force: bool,
    dry_run: bool,
    pattern: str,
    sample_size: int,
    as_json: bool,
    **identity: Any,
) -> None:
    """Look at a cluster and propose a configuration.

    Finds the logs it holds, which field is the message, the time, the key of a session,
    says how fit each is and why, and writes a commented configuration. Only reads from
    Elasticsearch. Credentials also come from ELKWATCH__ELASTICSEARCH__API_KEY and the
    like; the file names where they came from, never the secret itself.
    """
    from connector.client import addresses, connect, preflight
    from elkwatch.clock import SystemClock
    from elkwatch.config import translate
    from elkwatch.config.connection import connection
    from elkwatch.proposals import configuration, next_commands, survey

    if not dry_run:
        _refuse_existing(out, force)
    reached = connection(_given(hosts, identity), os.environ)
    now = SystemClock().now()
    with connect(translate.client_config(reached.settings)) as client:
        engine = preflight(client)
        with _progress() as tell:
            found = survey(
                client, now, pattern=pattern, sample_size=sample_size, tell=tell
            )
        where = addresses(client)
    to_stderr = out == "-" and not dry_run
    _tell_found(found, where, engine.version, as_json=as_json, err=to_stderr)
    if not found.proposals:
        raise ElkwatchError(
            f"nothing at {where} can be watched as it is, so no configuration was "
            "written; see the reasons above, and --index PATTERN to look elsewhere"
        )
    if dry_run:
        return
    _write(out, force, configuration(found, reached.section))
    if not as_json:
        _tell_what_is_next(out, next_commands(found, out, now))


def _tell_found(
    found: Survey, where: str, version: str, *, as_json: bool, err: bool
) -> None:
    from elkwatch.proposals import as_json as survey_json
    from elkwatch.proposals import table

    if as_json:
        told = {"elasticsearch": {"hosts": where, "version": version}}
        click.echo(json.dumps(told | survey_json(found)), err=err)
    else:
        click.echo(f"Elasticsearch {version} at {where}\n", err=err)
        click.echo(table(found), err=err)


def _given(hosts: tuple[str, ...], identity: dict[str, Any]) -> dict[str, Any]:
    """The options as keys of the section `elasticsearch`."""
    given: dict[str, Any] = {}
    if hosts or not os.environ.get(_HOSTS_VARIABLE):
        given["hosts"] = list(hosts) or [_DEFAULT_HOST]
    if identity["username"]:
        given["username"] = identity["username"]
    for key, name in (("api_key", "api_key_file"), ("password", "password_file")):
        if identity[name] is not None:
            given[key] = {"file": str(identity[name].absolute())}
    if identity["ca_certs"] is not None:
        given["ca_certs"] = str(identity["ca_certs"].absolute())
    if identity["fingerprint"]:
        given["ssl_assert_fingerprint"] = identity["fingerprint"]
    return given


def _refuse_existing(out: str, force: bool) -> None:
    if out != "-" and not force and Path(out).is_file():
        raise ConfigError(
            f"{out} is already there; name another with --out, or replace it with "
            "--force"
        )


def _write(out: str, force: bool, text: str) -> None:
    from elkwatch.result_files import open_text_result

    _refuse_existing(out, force)  # it may have come while we looked
    with open_text_result(out) as stream:
        stream.write(text)


def _tell_what_is_next(out: str, commands: list[str]) -> None:
    if out == "-":
        return
    click.echo(f"wrote {out}; read it, then:")
    for command in commands:
        click.echo(f"  {command}")


@contextmanager
def _progress() -> Iterator[Tell]:
    """A bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.text import Text

    from elkwatch.proposals.shown import shown

    console = Console(stderr=True)
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("data sets"))
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("", total=None)

        def tell(name: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if console.is_terminal:
                bar.console.print(Text(f"looking at {shown(name, 60)}"))

        yield tell
