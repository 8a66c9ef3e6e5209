"""From any exception to the one line and the exit code that a user gets.

Exit codes: 1 the work failed, 2 wrong usage or configuration, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import click

WORK_FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

# Errors that a user can cause, by the module that defines them. An error can only be of
# a class whose module is loaded, so nothing is imported to find out.
_EXPECTED = {
    "elkwatch.errors": ("ElkwatchError",),
    "elkwatch.engine.errors": ("EngineError",),
    "connector.errors": ("ConnectorError",),
    "model.errors": ("ModelError",),
    "alerting.errors": ("AlertingError", "DeliveryError"),
    "kibana.errors": ("KibanaError",),
}
_CONFIGURATION = {
    "elkwatch.errors": ("ConfigError",),
    "connector.errors": ("ConfigError",),
    "alerting.errors": ("AlertingConfigError",),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What the user sees of an error: one line (empty: nothing) and the exit code.

    `is_help`: the text is a help page instead, because nothing was asked.
    """

    line: str
    exit_code: int = WORK_FAILED
    is_help: bool = False


def explain(error: BaseException) -> Failure:
    """The line and the exit code for an error, expected or not."""
    if isinstance(error, KeyboardInterrupt):
        return Failure("stopped", INTERRUPTED)
    if isinstance(error, click.exceptions.Abort):
        return _explain_abort(error)
    if isinstance(error, click.ClickException):
        return _explain_click(error)
    if _is_one_of(error, _CONFIGURATION):
        return Failure(_one_line(str(error)), WRONG_USAGE)
    if _is_one_of(error, _EXPECTED):
        return Failure(_one_line(str(error)), getattr(error, "exit_code", WORK_FAILED))
    if isinstance(error, OSError) and error.errno:
        return _explain_os(error)
    if isinstance(error, MemoryError):
        return Failure("out of memory; give it less at once or a larger machine")
    name = type(error).__name__
    said = _one_line(str(error)) or "no message"
    return Failure(f"internal error: {name}: {said} (--debug shows the traceback)")


def _explain_abort(error: click.exceptions.Abort) -> Failure:
    # click turns Ctrl-C and an end of input into Abort, with the cause attached.
    if isinstance(error.__cause__, EOFError):
        return Failure("the input ended too early")
    return Failure("stopped", INTERRUPTED)


def _explain_click(error: click.ClickException) -> Failure:
    said = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return Failure(said, WRONG_USAGE, is_help=True)
    if not isinstance(error, click.UsageError):
        return Failure(_one_line(said), error.exit_code)
    path = error.ctx.command_path if error.ctx is not None else "elkwatch"
    command = path.removeprefix("elkwatch").strip()
    where = f"{command}: " if command else ""
    line = f"{where}{_one_line(said).rstrip('.')}; see `{path} --help`"
    return Failure(line, WRONG_USAGE)


def _explain_os(error: OSError) -> Failure:
    if isinstance(error, BrokenPipeError):
        return Failure("")  # the reader has gone (`| head`): nobody is left to be told
    what = os.strerror(error.errno or 0).lower()
    where = f"{_printable(error.filename)}: " if error.filename is not None else ""
    cure = {
        errno.ENOSPC: "; free some space",
        errno.EACCES: "; give elkwatch access to it, or choose another place",
        errno.ENOENT: "; check the path",
        errno.EADDRINUSE: "; choose another port",
    }.get(error.errno or 0, "")
    return Failure(f"{where}{what}{cure}")


def _is_one_of(error: BaseException, tree: Mapping[str, tuple[str, ...]]) -> bool:
    for module_name, names in tree.items():
        module = sys.modules.get(module_name)
        classes = tuple(getattr(module, n) for n in names if hasattr(module, n))
        if classes and isinstance(error, classes):
            return True
    return False


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _printable(path: object) -> str:
    name = path.decode(errors="replace") if isinstance(path, bytes) else str(path)
    return name if name.isprintable() else repr(name)
