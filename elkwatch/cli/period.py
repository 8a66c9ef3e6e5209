"""`--from` and `--to`: the period that a command looks at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from elkwatch.errors import ConfigError


def period_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds both, as `start` and `end`."""
    start = click.option(
        "--from",
        "start",
        default="now-24h",
        show_default=True,
        metavar="TIME",
        help="Start of the period: now-… or an ISO time.",
    )
    end = click.option("--to", "end", default="now", show_default=True, metavar="TIME")
    return start(end(command))


def read_period(start: str, end: str, now: datetime) -> tuple[datetime, datetime]:
    """The period they name. Raises ConfigError."""
    period = _time(start, "--from", now), _time(end, "--to", now)
    if period[0] >= period[1]:
        raise ConfigError(f"--from {start} is not before --to {end}")
    return period


def _time(text: str, option: str, now: datetime) -> datetime:
    from elkwatch.config import parse_start

    if text.strip() == "now":
        return now
    try:
        resolved = parse_start(text).resolve(now)
    except ValueError as error:
        raise ConfigError(f"{option} {text}: {error}") from error
    if resolved is None:
        return datetime.fromtimestamp(0, tz=now.tzinfo)
    return resolved
