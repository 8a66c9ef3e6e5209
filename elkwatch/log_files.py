"""Files of logs as the sessions that the model takes.

FILE … ─▶ documents ─▶ LogEvent ─▶ sessions (whole, or cut on windows)

What could not be read as it was meant is told on standard error, one line each, when
the files have been read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click

from connector import DecodeCounts, Decoder, LogDocument, SourceSpec
from elkwatch.cli.options import FileOptions
from elkwatch.errors import ConfigError, FileError
from elkwatch.files import ReadReport, read_documents
from elkwatch.translate import log_event
from model import LogEvent, Session, group_sessions, spool_sessions

Tell = Callable[[str], None]


def warn(line: str) -> None:
    """One line on standard error, as failures look."""
    click.echo(f"elkwatch: {line}", err=True)


def read_sessions(
    paths: Sequence[str],
    options: FileOptions,
    *,
    needs_key: bool = False,
    only: Callable[[LogEvent], bool] | None = None,
    tell: Tell = warn,
) -> list[Session]:
    """The sessions of these files, in order of arrival; those of `only`, if given.

    With `needs_key` it is an error that a session key was asked for and no line has
    one; without, the lines are taken by windows, and that is told. Raises FileError,
    ConfigError.
    """
    events = _events(paths, options, needs_key, tell)
    if only is not None:
        events = filter(only, events)
    return group_sessions(events, window=options.grouping_window())


def read_many_sessions(
    paths: Sequence[str], options: FileOptions, spool: Path, *, tell: Tell = warn
) -> Sequence[Session]:
    """`read_sessions` that needs a key; very many sessions lie on disk below `spool`.

    Raises FileError, ConfigError, SpoolError.
    """
    events = _events(paths, options, True, tell)
    return spool_sessions(events, spool, window=options.grouping_window())


def read_lines(
    paths: Sequence[str], options: FileOptions, *, tell: Tell = warn
) -> Iterator[tuple[int, str]]:
    """The messages of these files with their line numbers, counted through all files.

    Raises FileError, ConfigError.
    """
    decoder, report = Decoder(_checked(options.spec())), ReadReport()
    for document in read_documents(paths, decoder, report):
        yield report.line, document.message
    _tell_of_reading(report, decoder, tell)


def to_events(documents: Iterable[LogDocument]) -> Iterator[LogEvent]:
    """Log documents of the connector → log events of the model."""
    return map(log_event, documents)


def oddities(counts: DecodeCounts) -> list[str]:
    """What was odd about documents and mended, one line each."""
    told = (
        (counts.missing_text, "without any text taken as empty lines"),
        (counts.not_text, "whose text is a list, number or object taken as text"),
        (counts.truncated, "over 32 kB cut"),
        (counts.bad_unicode, "with bytes that are no valid UTF-8 text mended (U+FFFD)"),
    )
    return [f"{plural(n, 'message')} {what}" for n, what in told if n]


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 session`, `2 sessions`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _events(
    paths: Sequence[str], options: FileOptions, needs_key: bool, tell: Tell
) -> Iterator[LogEvent]:
    spec = _checked(options.spec())
    decoder, report = Decoder(spec), ReadReport()
    yield from to_events(read_documents(paths, decoder, report))
    _tell_of_reading(report, decoder, tell)
    keyless = decoder.counts.no_key
    wish = _wish(spec)
    if wish is None or not keyless:
        return
    if keyless < report.documents:
        tell(
            f"{plural(keyless, 'line')} of {report.documents:,} without {wish}: taken "
            "by time, as windows per service and host"
        )
        return
    line = f"no line has {wish}; check --session-field and --session-pattern"
    if needs_key:
        raise FileError(line)
    tell(f"{line}; taken by time, as windows per service and host")


def _tell_of_reading(report: ReadReport, decoder: Decoder, tell: Tell) -> None:
    for line in (*report.lines(), *oddities(decoder.counts)):
        tell(line)
    if 2 * decoder.counts.bad_unicode > report.documents:
        tell(
            "most of it is no UTF-8 text; convert it first, for example: "
            "iconv -f GB18030 -t UTF-8 FILE | elkwatch … -"
        )
    if decoder.counts.missing_text == report.documents:
        raise FileError(
            f"no line has text in the field {decoder.spec.message_field}; name the "
            "right one with --message-field"
        )


def _wish(spec: SourceSpec) -> str | None:
    """What was asked for as the key of sessions; None for windows."""
    rule = spec.session
    if rule.pattern:
        return f"a match of the session pattern {rule.pattern!r}"
    names = (rule.field,) if rule.field else rule.fields
    what = "the session field" if len(names) == 1 else "any of the session fields"
    return f"{what} {', '.join(names)}" if names else None


def _checked(spec: SourceSpec) -> SourceSpec:
    """Raises ConfigError for a field without a name."""
    named = (
        ("--message-field", spec.message_field),
        ("--time-field", spec.time_field),
        *(("--session-field", name) for name in spec.session.fields),
        ("--session-field", spec.session.field),
        ("--session-pattern", spec.session.pattern),
    )
    for option, value in named:
        if value is not None and not value.strip():
            raise ConfigError(f"{option} is empty; name a field, or leave it out")
    return spec
