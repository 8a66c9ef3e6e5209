"""`elkwatch health`: one question to the running service, for container checks."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import click

from elkwatch.cli.options import config_option, load
from elkwatch.cli.shell import examples
from elkwatch.errors import ConfigError, ElkwatchError

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@click.command(
    "health",
    epilog=examples(
        "elkwatch health              is the service alive? exit code 0 or 1",
        "elkwatch health --ready      does it do its work?",
    ),
)
@click.option("--ready", is_flag=True, help="Ask /readyz instead of /healthz.")
@config_option
def health(ready: bool, config_path: Path | None) -> int:
    """Ask the running service at `monitoring.listen` how it is."""
    listen = load(config_path).monitoring.listen
    if listen is None:
        raise ConfigError("monitoring.listen is not set; set it, e.g. 127.0.0.1:9469")
    host = _EVERYWHERE.get(listen.host, listen.host)
    path = "/readyz" if ready else "/healthz"
    connection = HTTPConnection(host, listen.port, timeout=8)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        answer = json.loads(response.read(100_000))
    except (OSError, HTTPException, ValueError) as error:
        raise ElkwatchError(
            f"no elkwatch answers at {listen} ({error}); does `elkwatch run` run?"
        ) from error
    finally:
        connection.close()
    click.echo(": ".join([str(answer.get("state")), *answer.get("reasons", ())]))
    return 0 if response.status == 200 else 1
