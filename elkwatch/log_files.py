"""Files of logs as the sessions that the model takes.

FILE … ─▶ documents ─▶ LogEvent ─▶ sessions (whole, or cut on windows)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from connector import Decoder, LogDocument
from elkwatch.cli.options import FileOptions
from elkwatch.files import ReadReport, read_documents
from elkwatch.translate import log_event
from model import LogEvent, Session, group_sessions


def read_sessions(paths: Sequence[str], options: FileOptions) -> list[Session]:
    """The sessions of these files, in order of arrival.

    What could not be read is told on standard error. Raises FileError, ConfigError.
    """
    return group_sessions(read_events(paths, options), window=options.grouping_window())


def read_events(paths: Sequence[str], options: FileOptions) -> Iterator[LogEvent]:
    """The events of these files, in the order of their lines."""
    decoder = Decoder(options.spec())
    report = ReadReport()
    yield from to_events(read_documents(paths, decoder, report))
    for line in report.lines():
        click.echo(f"elkwatch: {line}", err=True)


def to_events(documents: Iterable[LogDocument]) -> Iterator[LogEvent]:
    """Log documents of the connector → log events of the model."""
    return map(log_event, documents)
