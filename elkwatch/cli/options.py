"""Options that several commands share.

@click.command("classify", epilog=examples(...))
@files_argument()
@file_options
def classify(files: tuple[str, ...], file_options: FileOptions) -> None:
    decoder = Decoder(file_options.spec())
    for document in read_documents(files, decoder): ...
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from connector.records import SourceSpec
    from elkwatch.config import Config, PrivacySettings

F = TypeVar("F", bound=Callable[..., Any])

_OF_FILES = "message_field", "time_field", "session_field", "session_pattern"


class DurationType(click.ParamType[timedelta]):
    """`90s`, `10m`, `1h`, `7d` → timedelta."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """The duration; a usage error for anything else."""
        if isinstance(value, timedelta):
            return value
        from elkwatch.config import parse_duration

        try:
            duration = parse_duration(str(value))
        except ValueError as e:
            self.fail(str(e), param, ctx)
        if not duration:
            self.fail("expected a duration longer than zero", param, ctx)
        return duration


class PatternType(click.ParamType[str]):
    """A regular expression that RE2 takes."""

    name = "regex"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The pattern; a usage error that says what is wrong and where."""
        from elkwatch.config import check_pattern

        try:
            return check_pattern(str(value))
        except ValueError as e:
            self.fail(str(e), param, ctx)


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What the command line says of the logs in files: options, or a source by name."""

    message_field: str = "message"
    time_field: str = "@timestamp"
    session_fields: tuple[str, ...] = ()
    session_pattern: str | None = None
    window: timedelta | None = None
    config_path: Path | None = None
    source: str | None = None

    def spec(self) -> SourceSpec:
        """The source to decode with. Raises ConfigError (bad configuration)."""
        from elkwatch.config import source_named, translate

        if self.source is not None:
            return translate.source_spec(source_named(self.config(), self.source))
        from connector.records import SourceSpec

        rule = translate.file_session_rule(
            self.session_fields, self.session_pattern, self.window
        )
        return SourceSpec(
            name="files",
            index="files",
            message_field=self.message_field,
            time_field=self.time_field,
            session=rule,
        )

    def masks(self, given: Sequence[str], source: str | None = None) -> list[str]:
        """`NAME=REGEX` of the command line, then those of the source (if any)."""
        from elkwatch.config import source_named

        name = source or self.source
        own = {} if name is None else source_named(self.config(), name).masks
        return [*given, *(f"{mask}={pattern}" for mask, pattern in own.items())]

    def grouping_window(self) -> timedelta | None:
        """Length of the windows that events are cut on; None: sessions are whole.

        Without any key, and for keys that never end, it is never None.
        """
        if self.window is not None or self.session_fields or self.session_pattern:
            return self.window
        unit_s = self.spec().session.unit_s
        return None if unit_s is None else timedelta(seconds=unit_s)

    def config(self) -> Config:
        """The configuration file. Raises ConfigError."""
        return load(self.config_path)

    def privacy(self) -> PrivacySettings:
        """What to mask, by the configuration if one is named. Raises ConfigError."""
        from elkwatch.config import PrivacySettings

        named = self.source is not None or self.config_path is not None
        return self.config().privacy if named else PrivacySettings()


def load(config_path: Path | None) -> Config:
    """The configuration of a command, with the variables of this process over it.

    From then on the command's log and error lines are masked as it says.
    """
    from elkwatch.config import load_config

    config = load_config(config_path, os.environ)
    if config.privacy.mask:
        from elkwatch.privacy import mask_program_log

        mask_program_log(config)
    return config


def config_option(command: F) -> F:
    """`--config FILE`, passed as `config_path: Path | None`; see `load`."""
    return click.option(
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Configuration file.  [default: $ELKWATCH_CONFIG, then elkwatch.yml]",
    )(command)


def model_option(command: F) -> F:
    """`--model DIR`, passed as `model_path: Path`."""
    return click.option(
        "--model",
        "model_path",
        type=click.Path(path_type=Path),
        required=True,
        metavar="DIR",
        help="Model bundle, made by `elkwatch train`.",
    )(command)


def device_option(command: F) -> F:
    """`--device`, passed as `device: str`; see `model.choose_device`."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where to compute.",
    )(command)


def catalogue_option(command: F) -> F:
    """`--catalogue FILE.yml`, passed as `catalogue: Path | None`."""
    return click.option(
        "--catalogue",
        type=click.Path(path_type=Path),
        metavar="FILE.yml",
        help="Names and advice of your own.",
    )(command)


def json_option(command: F) -> F:
    """`--json`, passed as `as_json: bool`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON instead of text."
    )(command)


def files_argument(*, required: bool = True) -> Callable[[F], F]:
    """FILE…, passed as `files: tuple[str, ...]`; `-` is standard input."""
    return click.argument("files", metavar="FILE...", nargs=-1, required=required)


def file_options(command: F) -> F:
    """All options of file commands, passed as `file_options: FileOptions`."""

    @wraps(command)
    def with_record(
        *args: Any,
        session_field: tuple[str, ...],
        config_path: Path | None,
        **rest: Any,
    ) -> Any:
        context = click.get_current_context()
        taken = {name: rest.pop(name) for name in _RECORD_NAMES}
        options = FileOptions(
            session_fields=session_field, config_path=config_path, **taken
        )
        _check(options, context)
        return command(*args, file_options=options, **rest)

    for option in reversed(_FILE_OPTIONS):
        with_record = option(with_record)
    return with_record  # type: ignore[return-value]  # wraps() hides F


_RECORD_NAMES = "message_field", "time_field", "session_pattern", "window", "source"
_FILE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--message-field",
        metavar="FIELD",
        default="message",
        show_default=True,
        help="Field with the text of a line.",
    ),
    click.option(
        "--time-field",
        metavar="FIELD",
        default="@timestamp",
        show_default=True,
        help="Field with its time.",
    ),
    click.option(
        "--session-field",
        metavar="FIELD",
        multiple=True,
        help="Field that makes lines one session; repeat it for several together.",
    ),
    click.option(
        "--session-pattern",
        metavar="REGEX",
        type=PatternType(),
        help="Or: what this matches in the message (its first group) does.",
    ),
    click.option(
        "--window",
        metavar="DURATION",
        type=DurationType(),
        help="Cut sessions on windows of this length, such as 5m.",
    ),
    config_option,
    click.option(
        "--source",
        metavar="NAME",
        help="Take all of this from a source of the configuration instead.",
    ),
)


def _check(options: FileOptions, context: click.Context) -> None:
    if options.session_fields and options.session_pattern:
        raise click.UsageError(
            "give --session-field or --session-pattern, not both", context
        )
    if options.source is None:
        return
    for name in _OF_FILES:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            option = "--" + name.replace("_", "-")
            raise click.UsageError(
                f"--source {options.source} says what {option} would; leave one out",
                context,
            )
