"""`elkwatch setup`: what Elasticsearch needs before the service runs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples
from elkwatch.errors import ConfigError


@click.command(
    "setup",
    epilog=examples(
        "elkwatch setup --dry-run                 say what would be done",
        "elkwatch setup --api-key-file admin.key  with stronger credentials",
        "elkwatch setup --roles                   print the roles to grant, as JSON",
    ),
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="API key with the privileges of setup, instead of the service's.",
)
@click.option("--roles", is_flag=True, help="Only print the least-privilege roles.")
@json_option
@config_option
def setup(
    dry_run: bool,
    api_key_file: Path | None,
    roles: bool,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Install index templates, and show the roles to grant. Idempotent."""
    from connector import Retention, install
    from connector import roles as least_roles
    from elkwatch.compose import open_client
    from elkwatch.config import translate

    config = load(config_path)
    specs = [translate.source_spec(source) for source in config.sources]
    wanted = least_roles(specs, config.namespace)
    if roles:
        click.echo(json.dumps(wanted, indent=2))
        return
    client = open_client(config, api_key=_read_key(api_key_file))
    retention = Retention(config.retention.findings, config.retention.metrics)
    actions = install(client, config.namespace, dry_run, retention)
    if as_json:
        done = [
            {"kind": a.kind, "name": a.name, "change": a.change, "note": a.note}
            for a in actions
        ]
        click.echo(json.dumps({"dry_run": dry_run, "actions": done, "roles": wanted}))
        return
    for action in actions:
        click.echo(str(action))
    click.echo(
        ("would change nothing else" if dry_run else "done")
        + "; grant the service its role: `elkwatch setup --roles`"
    )


def _read_key(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        key = path.read_text("utf-8").strip()
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"--api-key-file {path}: is no text; check the path"
        ) from error
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ConfigError(
            f"--api-key-file {path}: cannot be read ({reason}); check the path"
        ) from error
    if not key:
        raise ConfigError(f"--api-key-file {path}: is empty; write the API key into it")
    return key
