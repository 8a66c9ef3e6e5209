"""`--from-es SOURCE --from … --to …`: a source instead of files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

_OF_PERIOD = {"start": "--from", "end": "--to"}
_OF_FILES = (
    "message_field",
    "time_field",
    "session_field",
    "session_pattern",
    "window",
    "source",
)


def from_source_options(command: F) -> F:
    """Adds them, as `source_name`, `start` and `end`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_input(
    files: tuple[str, ...], source_name: str | None, *, other_files: bool = False
) -> None:
    """Files or a source, and no option that would change nothing: such are mistakes.

    `other_files`: files are read beside the source. Raises UsageError.
    """
    if bool(files) == bool(source_name):
        raise click.UsageError("give FILE..., or --from-es SOURCE")
    context = click.get_current_context()
    names: tuple[str, ...] = tuple(_OF_PERIOD) if files else ()
    if source_name and not other_files:
        names = _OF_FILES
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = _OF_PERIOD.get(name, "--" + name.replace("_", "-"))
            reason = (
                "goes with --from-es, not with FILE..."
                if files
                else f"is for files; --from-es {source_name} takes the source's own"
            )
            raise click.UsageError(f"{option} {reason}; leave it out")


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--from-es", "source_name", metavar="SOURCE", help="Read a source instead."
    ),
    click.option(
        "--from",
        "start",
        metavar="TIME",
        default="now-7d",
        show_default=True,
        help="With --from-es: from here on (now-…, ISO).",
    ),
    click.option(
        "--to",
        "end",
        metavar="TIME",
        default="now",
        show_default=True,
        help="With --from-es: up to here.",
    ),
)
