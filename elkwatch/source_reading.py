"""A source of the configuration as sessions: to train on what Elasticsearch holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from connector import DecodeProblem, LogSource, Page, SourceSpec
from connector.client import connect, preflight
from elkwatch.config import Config, parse_start, source_named, translate
from elkwatch.errors import ConfigError, ElkwatchError
from elkwatch.log_files import oddities, plural, warn
from elkwatch.translate import log_event
from model import LogEvent, Session, group_sessions, spool_sessions


def sessions_of_source(
    config: Config,
    name: str,
    start: str,
    end: str,
    now: datetime,
    spool: Path | None = None,
) -> Sequence[Session]:
    """All sessions of a source between two times (`now-7d`, ISO, `earliest`); where
    they are very many they lie on disk below `spool`, if that is given.

    Raises ConfigError for a time that cannot be read, ConnectorError, and
    ElkwatchError when nothing was found.
    """
    settings = source_named(config, name)
    begin, until = times_of(start, end, now)
    client = connect(translate.client_config(config.elasticsearch))
    preflight(client)
    spec = translate.source_spec(settings)
    source = LogSource(client, spec, page_size=config.limits.page_size)
    source.check()
    window = window_of(spec)
    problems: list[DecodeProblem] = []
    events = events_of(source.pages(begin, until), problems)
    sessions: Sequence[Session]
    if spool is not None:
        sessions = spool_sessions(events, spool, window=window)
    else:
        sessions = group_sessions(events, window=window)
    for line in (*left_out(problems), *oddities(source.counts)):
        warn(f"source {name}: {line}")
    if not sessions:
        raise nothing_found(name, start, end)
    return sessions


def nothing_found(name: str, start: str, end: str) -> ElkwatchError:
    """What is raised where a source holds nothing between two times."""
    return ElkwatchError(
        f"source {name}: no documents between {start} and {end}; "
        "check --from and --to, and the clock of the shipper"
    )


def times_of(start: str, end: str, now: datetime) -> tuple[datetime | None, datetime]:
    """The times of `--from` (None: the earliest) and `--to`. Raises ConfigError."""
    begin, until = _time(start, "--from", now), _time(end, "--to", now) or now
    if begin is not None and begin >= until:
        raise ConfigError(f"--from {start} is not before --to {end}")
    return begin, until


def window_of(spec: SourceSpec) -> timedelta | None:
    """The windows that events are cut on; None where sessions are whole."""
    unit_s = spec.session.unit_s
    return None if unit_s is None else timedelta(seconds=unit_s)


def events_of(
    pages: Iterable[Page], problems: list[DecodeProblem]
) -> Iterator[LogEvent]:
    """The documents of pages for the model; what cannot be used goes to `problems`."""
    for page in pages:
        problems.extend(page.problems)
        yield from map(log_event, page.documents)


def left_out(problems: Sequence[DecodeProblem]) -> list[str]:
    """A line about documents that could not be used, if there are any."""
    if not problems:
        return []
    first = problems[0]
    where = f"{first.index}/{first.doc_id}"
    count = plural(len(problems), "document")
    return [f"{count} without a time left out (first: {where}: {first.reason})"]


def _time(text: str, option: str, now: datetime) -> datetime | None:
    if text.strip() == "now":
        return now
    try:
        return parse_start(text).resolve(now)
    except ValueError as error:
        raise ConfigError(f"{option} {text}: {error}") from error
