"""`elkwatch setup`: what Elasticsearch and Kibana need before the service runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples
from elkwatch.errors import ConfigError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from connector.setup import Action
    from elkwatch.config import Config
    from kibana import KibanaClient, Step


@click.command(
    "setup",
    epilog=examples(
        "elkwatch setup --dry-run                 say what would be done",
        "elkwatch setup --api-key-file admin.key  with stronger credentials",
        "elkwatch setup --roles                   print the roles to grant, as JSON",
        "elkwatch setup --no-kibana               leave Kibana alone",
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
@click.option("--no-kibana", is_flag=True, help="Install no Kibana objects.")
@json_option
@config_option
def setup(
    dry_run: bool,
    api_key_file: Path | None,
    roles: bool,
    no_kibana: bool,
    as_json: bool,
    config_path: Path | None,
) -> int:
    """Install index templates and Kibana objects; show the roles to grant. Idempotent.

    Kibana objects where `kibana.url` is configured; what people edited there is kept.
    Exit code 1 if Kibana could not be had: what was done in Elasticsearch stays done.
    """
    from connector import Retention, install
    from connector import roles as least_roles
    from elkwatch.compose import open_client
    from elkwatch.config import translate
    from elkwatch.kibana_place import open_kibana

    config = load(config_path)
    specs = [translate.source_spec(source) for source in config.sources]
    wanted = least_roles(specs, config.namespace)
    if roles:
        click.echo(json.dumps(wanted, indent=2))
        return 0
    api_key = _read_key(api_key_file)
    kibana = None
    if config.kibana is not None and not no_kibana:
        kibana = open_kibana(config, api_key=api_key)
    client = open_client(config, api_key=api_key)
    retention = Retention(config.retention.findings, config.retention.metrics)
    actions = install(client, config.namespace, dry_run, retention)
    steps: tuple[Step, ...] = ()
    trouble = None
    if kibana is not None:
        steps, trouble = _into_kibana(kibana, config, client, dry_run)
    if as_json:
        told: dict[str, Any] = {
            "dry_run": dry_run,
            "actions": list(map(_action_told, actions)),
            "roles": wanted,
        }
        if kibana is not None:
            told["kibana"] = _kibana_told(steps, trouble)
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in (*actions, *steps):
            click.echo(str(line))
        click.echo(
            ("would change nothing else" if dry_run else "done")
            + "; grant the service its role: `elkwatch setup --roles`"
        )
    if trouble is not None:
        click.echo(
            f"elkwatch: Elasticsearch is set up, Kibana is not: {trouble}", err=True
        )
    return 0 if trouble is None else 1


def _into_kibana(
    kibana: KibanaClient, config: Config, client: Elasticsearch, dry_run: bool
) -> tuple[tuple[Step, ...], str | None]:
    """What was done in Kibana, or the one line that says why nothing was."""
    from connector import ConnectorError
    from elkwatch.clock import SystemClock
    from elkwatch.kibana_objects import kibana_objects
    from elkwatch.kibana_place import install_store
    from kibana import KibanaError, install

    try:
        steps = install(
            kibana,
            kibana_objects(config),
            install_store(client, config.namespace),
            SystemClock().now(),
            on_edits="keep",
            dry_run=dry_run,
        )
    except (KibanaError, ConnectorError) as error:
        return (), f"{error}; then run `elkwatch dashboards install`"
    return steps, None


def _action_told(action: Action) -> dict[str, Any]:
    return {
        "kind": action.kind,
        "name": action.name,
        "change": action.change,
        "note": action.note,
    }


def _kibana_told(steps: tuple[Step, ...], trouble: str | None) -> dict[str, Any]:
    from elkwatch.cli.dashboards.install import as_dicts

    return {"error": trouble} if trouble else {"objects": as_dicts(steps)}


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
