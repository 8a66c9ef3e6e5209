"""A source of the configuration as sessions: to train on what Elasticsearch holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from connector import DecodeProblem, LogSource, Page
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
    begin, until = _time(start, "--from", now), _time(end, "--to", now)
    if begin is not None and begin >= (until or now):
        raise ConfigError(f"--from {start} is not before --to {end}")
    client = connect(translate.client_config(config.elasticsearch))
    preflight(client)
    spec = translate.source_spec(settings)
    source = LogSource(client, spec, page_size=config.limits.page_size)
    source.check()
    window = (
        None if spec.session.ends else timedelta(seconds=spec.session.unit_s or 300)
    )
    problems: list[DecodeProblem] = []
    events = _events(source.pages(begin, until or now), problems)
    sessions: Sequence[Session]
    if spool is not None:
        sessions = spool_sessions(events, spool, window=window)
    else:
        sessions = group_sessions(events, window=window)
    for line in (*_left_out(problems), *oddities(source.counts)):
        warn(f"source {name}: {line}")
    if not sessions:
        raise ElkwatchError(
            f"source {name}: no documents between {start} and {end}; "
            "check --from and --to, and the clock of the shipper"
        )
    return sessions


def _events(pages: Iterable[Page], problems: list[DecodeProblem]) -> Iterator[LogEvent]:
    for page in pages:
        problems.extend(page.problems)
        yield from map(log_event, page.documents)


def _left_out(problems: Sequence[DecodeProblem]) -> list[str]:
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
