"""`elkwatch health`: one question to the running service, for container checks."""

from __future__ import annotations

from pathlib import Path

import click

from elkwatch.cli.options import config_option, load
from elkwatch.cli.shell import examples
from elkwatch.errors import ConfigError, ElkwatchError
from elkwatch.probes import ask


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
    path = "/readyz" if ready else "/healthz"
    try:
        reply = ask(listen.host, listen.port, path)
    except (OSError, ValueError) as error:
        raise ElkwatchError(
            f"no elkwatch answers at {listen} ({error}); does `elkwatch run` run?"
        ) from error
    click.echo(": ".join([reply.state, *reply.reasons]))
    return 0 if reply.good else 1
