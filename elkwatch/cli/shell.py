"""What all commands share: finding them, failing in one line, common options.

    argv ─▶ main ─▶ LazyGroup ─▶ elkwatch.cli.<name>:<name>
              └─ any failure ─▶ one line on stderr, exit code 1 or 2

A command is a module ``elkwatch/cli/<name>.py`` with a click command or group of that
name; it is imported when it is called, so that ``elkwatch --help`` stays quick. It
raises what the packages raise and returns nothing, or its exit code.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from elkwatch import program_log
from elkwatch.cli.failures import Failure, explain

PROGRAM = "elkwatch"


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command lives, and its one line in the list of commands."""

    name: str
    summary: str

    @property
    def module(self) -> str:
        """The module that holds it."""
        return f"elkwatch.cli.{self.name}"

    @property
    def is_there(self) -> bool:
        """Whether this version of elkwatch has it."""
        return importlib.util.find_spec(self.module) is not None

    def load(self) -> click.Command:
        """Import the module and return its command, able to take `--debug`."""
        command = getattr(importlib.import_module(self.module), self.name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.module}:{self.name} is not a click command")
        _take_debug(command)
        return command


# In the order in which a user meets them.
COMMANDS = (
    LazyCommand("demo", "The whole product on this machine, nothing to configure."),
    LazyCommand("engine", "Start, stop or look at the real Elasticsearch of the demo."),
    LazyCommand("init", "Look at a cluster and propose a configuration."),
    LazyCommand("setup", "Install index templates and Kibana objects; show the roles."),
    LazyCommand("templates", "Find the log templates of a file."),
    LazyCommand("train", "Learn what is normal, and which kinds of trouble there are."),
    LazyCommand("classify", "Logs in, verdicts out."),
    LazyCommand("evaluate", "Measure a model against labels, beside every baseline."),
    LazyCommand("synth", "Made-up logs in the likeness of real ones."),
    LazyCommand("run", "The service: pull, classify, write, alert."),
    LazyCommand("health", "Ask the running service how it is."),
    LazyCommand("backtest", "How many alerts a day this would have sent."),
    LazyCommand("doctor", "Check everything, and say how to mend what is broken."),
    LazyCommand("dashboards", "Build, check, install or preview the Kibana objects."),
    LazyCommand("alerts", "Messages and the state of alerts."),
    LazyCommand("classes", "The catalogue of classes."),
    LazyCommand("models", "The models of a source: list, promote, roll back."),
    LazyCommand("feedback", "What people said about findings."),
    LazyCommand("report", "A period as one HTML page, no Kibana needed."),
    LazyCommand("config", "Show the configuration as elkwatch understands it."),
)


@dataclass(slots=True)
class Shell:
    """What the shell knows about this call; `ctx.find_root().obj` of any command."""

    debug: bool = False


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called."""

    def __init__(self, *args: Any, lazy: Sequence[LazyCommand] = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.lazy = {command.name: command for command in lazy}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands that are there, in the order of `lazy`."""
        return [name for name, command in self.lazy.items() if command.is_there]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now; None if there is none."""
        command = self.lazy.get(cmd_name)
        return command.load() if command is not None and command.is_there else None

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing any."""
        rows = [(n, self.lazy[n].summary) for n in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def examples(*lines: str) -> str:
    """The epilog of a command: call lines, kept as they are written."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


@click.group(
    PROGRAM,
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "elkwatch demo                               see it work, in five minutes",
        "elkwatch train app.log.gz --out models/app --session-field trace.id",
        "elkwatch classify today.log --model models/app --out verdicts.ndjson",
        "elkwatch run --config elkwatch.yml          the service",
    ),
)
@click.version_option(package_name=PROGRAM, message="%(prog)s %(version)s")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    envvar=program_log.LEVEL_VARIABLE,
    help="How much elkwatch tells of its work.",
)
@click.option(
    "--log-format",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    envvar=program_log.STYLE_VARIABLE,
    help="Program logs for people, or one JSON object a line.",
)
def cli(log_level: program_log.Level, log_format: program_log.Style) -> None:
    """Tells an ELK stack what kind of trouble its logs show, and what to do about it.

    elkwatch reads logs out of Elasticsearch (or files), learns what normal sessions
    look like, gives each that deviates a class with advice, and alerts people.
    """
    options = program_log.LogOptions(level=log_level, style=log_format)
    program_log.configure(options)


def run(argv: Sequence[str]) -> int:
    """Run one command line → its exit code. Never raises, whatever goes wrong."""
    shell = Shell()
    program_log.mask_excerpts(None)  # those of a command before, in the same process
    try:
        result = cli.main(
            args=list(argv), prog_name=PROGRAM, standalone_mode=False, obj=shell
        )
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException as e:
        return _tell(explain(e), e, debug=shell.debug)
    # Without click's standalone mode `ctx.exit(1)` comes back as a value.
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def main() -> None:
    """The console script."""
    exit_code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone. What is still buffered goes nowhere, without a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(exit_code)


def _tell(failure: Failure, error: BaseException, *, debug: bool) -> int:
    if failure.is_help:
        click.echo(failure.line, err=True)
    elif failure.line:
        if debug:
            lines = traceback.format_exception(error)
            click.echo(program_log.masked("".join(lines)), err=True, nl=False)
        click.echo(f"{PROGRAM}: {program_log.masked(failure.line)}", err=True)
    return failure.exit_code


def _remember_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    shell = ctx.find_root().obj
    if value and isinstance(shell, Shell):
        shell.debug = True


def _debug_option() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_remember_debug,
        help="Show the traceback of a failure.",
    )


def _take_debug(command: click.Command) -> None:
    """Let a command and all below it be called with `--debug` anywhere."""
    if not any("--debug" in parameter.opts for parameter in command.params):
        command.params.append(_debug_option())
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _take_debug(below)


_take_debug(cli)
