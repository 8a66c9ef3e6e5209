"""A source of the configuration as sessions: to train on what Elasticsearch holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from connector import LogSource
from connector.client import connect, preflight
from elkwatch.config import Config, parse_start, source_named, translate
from elkwatch.errors import ConfigError, ElkwatchError
from elkwatch.translate import log_event
from model import Session, group_sessions


def sessions_of_source(
    config: Config, name: str, start: str, end: str, now: datetime
) -> list[Session]:
    """All sessions of a source between two times (`now-7d`, ISO, `earliest`).

    Raises ConfigError for a time that cannot be read, ConnectorError, and
    ElkwatchError when nothing was found.
    """
    settings = source_named(config, name)
    begin, until = _time(start, "--from", now), _time(end, "--to", now)
    client = connect(translate.client_config(config.elasticsearch))
    preflight(client)
    spec = translate.source_spec(settings)
    source = LogSource(client, spec, page_size=config.limits.page_size)
    source.check()
    window = (
        None if spec.session.ends else timedelta(seconds=spec.session.unit_s or 300)
    )
    sessions = group_sessions(
        (
            log_event(document)
            for page in source.pages(begin, until or now)
            for document in page.documents
        ),
        window=window,
    )
    if not sessions:
        raise ElkwatchError(
            f"source {name}: no documents between {start} and {end}; "
            "check --from and --to, and the clock of the shipper"
        )
    return sessions


def _time(text: str, option: str, now: datetime) -> datetime | None:
    if text.strip() == "now":
        return now
    try:
        return parse_start(text).resolve(now)
    except ValueError as error:
        raise ConfigError(f"{option} {text}: {error}") from error
