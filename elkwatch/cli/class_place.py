"""Where the classes of a command lie: a bundle, or a source of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import config_option, load

if TYPE_CHECKING:
    from elkwatch.config import Config, SourceSettings

RECENT_DAYS = 7


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--model DIR`, or `--source NAME` of the configuration."""
    model = click.option(
        "--model",
        "model_path",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Model bundle; the configured source's if not given.",
    )
    source = click.option(
        "--source",
        "source_name",
        metavar="NAME",
        help="Source of the configuration; needed where there are several.",
    )
    return model(source(config_option(command)))


def place_of(
    model_path: Path | None, source_name: str | None, config_path: Path | None
) -> tuple[Path, Config | None, SourceSettings | None]:
    """The bundle's folder, and the configured source whose it is, if one is asked."""
    from elkwatch.config import source_named
    from elkwatch.errors import ConfigError

    if model_path is not None and source_name is None and config_path is None:
        return model_path, None, None
    config = load(config_path)
    if source_name is None and len(config.sources) > 1 and model_path is None:
        names = ", ".join(s.name for s in config.sources)
        raise click.UsageError(f"which source? give --source NAME, of {names}")
    source = source_named(config, source_name or config.sources[0].name)
    folder = model_path or (Path(source.model) if source.model else None)
    if folder is None:
        raise ConfigError(
            f"source {source.name}: no model; make one with `elkwatch train "
            f"--from-es {source.name}`, or give --model DIR"
        )
    return folder, config, source


def recent_findings(config: Config) -> list[Mapping[str, Any]]:
    """Findings of the last days. Raises ConnectorError."""
    from connector import Results
    from elkwatch.clock import SystemClock
    from elkwatch.compose import open_client

    now = SystemClock().now()
    with open_client(config) as client:
        results = Results(client, config.namespace)
        return list(results.findings(now - timedelta(days=RECENT_DAYS), now))
