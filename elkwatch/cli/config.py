"""`elkwatch config show|check|example`: the configuration, as elkwatch takes it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from elkwatch.cli.options import config_option, json_option, load
from elkwatch.cli.shell import examples


@click.group("config")
def config() -> None:
    """The configuration, checked, with its defaults and overrides."""


@config.command(
    "show",
    epilog=examples(
        "elkwatch config show", "elkwatch config show --json | jq .sources"
    ),
)
@config_option
@json_option
def show(config_path: Path | None, as_json: bool) -> None:
    """Print the whole configuration: file, environment and defaults. Secrets masked."""
    import yaml

    values = load(config_path).model_dump(mode="json", by_alias=True)
    if as_json:
        text = json.dumps(values, indent=2, ensure_ascii=False)
    else:
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip()
    click.echo(text)


@config.command("check", epilog=examples("elkwatch config check --config elkwatch.yml"))
@config_option
def check(config_path: Path | None) -> None:
    """Say whether the configuration can be used; exit code 2 if not."""
    import os

    from elkwatch.config import find_config

    loaded = load(config_path)
    names = ", ".join(source.name for source in loaded.sources)
    click.echo(f"{find_config(config_path, os.environ)}: fine; sources: {names}")


@config.command("example", epilog=examples("elkwatch config example > elkwatch.yml"))
def example() -> None:
    """Print a commented configuration with every section, to start from."""
    from importlib import resources

    folder = resources.files("elkwatch.config")
    text = folder.joinpath("elkwatch.example.yml").read_text("utf-8")
    click.echo(text, nl=False)
