"""What `elkwatch train` learns from: files or a source, and labels."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from connector import ConnectorError, ElasticStateStore, Results
from connector.client import connect
from elkwatch.cli.options import FileOptions
from elkwatch.clock import Clock
from elkwatch.config import Config, translate
from elkwatch.feedback import FeedbackBook
from elkwatch.feedback.labels import feedback_labels, merged
from elkwatch.log_files import plural, read_many_sessions, warn
from elkwatch.log_streams import check_paths
from elkwatch.session_definition import KEY, session_definition
from elkwatch.source_reading import sessions_of_source
from model import Labels, Session


def training_sessions(
    files: tuple[str, ...],
    source_name: str | None,
    period: tuple[str, str],
    discover: tuple[str, ...],
    options: FileOptions,
    now: datetime,
    spool: Path,
) -> tuple[Sequence[Session], Sequence[Session]]:
    """What to train on, and what to look for kinds in; very many lie below `spool`.

    Raises FileError, ConfigError, ConnectorError, SpoolError.
    """
    check_paths([*files, *discover])
    if source_name is None:
        sessions = read_many_sessions(files, options, spool)
    else:
        config = options.config()
        sessions = sessions_of_source(config, source_name, *period, now, spool)
        if not _says_sessions(options):
            options = replace(options, source=source_name)
    if not discover:
        return sessions, []
    return sessions, read_many_sessions(discover, options, spool)


def _says_sessions(options: FileOptions) -> bool:
    return bool(options.source or options.session_fields or options.session_pattern)


def tell_of_labels(
    labels: Labels, path: Path | None, sessions: Iterable[Session]
) -> None:
    """Labels that teach nothing. Raises LabelError where all of them do."""
    if path is None:
        return
    strange = labels.check_used(sessions, f"labels {path}")
    if not labels.by_session:
        warn(f"labels {path}: holds no label; everything is taken as unlabelled")
    elif strange:
        warn(f"labels {path}: {plural(strange, 'label')} of sessions not in these logs")


def with_people_said(
    config: Config,
    source: str,
    sessions: Sequence[Session],
    labels: Labels,
    clock: Clock,
) -> Labels:
    """The labels, and those that feedback gives; says how many.

    Feedback that may not be read, or not now, stops no training.
    """
    try:
        client = connect(translate.client_config(config.elasticsearch))
        book = FeedbackBook(ElasticStateStore(client, config.namespace))
        opinions = book.opinions(source, clock.now())
        results = Results(client, config.namespace)
        told = feedback_labels(sessions, source, opinions, results)
    except ConnectorError as error:
        warn(f"feedback is left out ({error}); --no-feedback says nothing of it")
        return labels
    if told.by_session:
        normal = sum(label == "normal" for label in told.by_session.values())
        click.echo(
            f"feedback: {plural(len(told.by_session), 'session')} labelled by what "
            f"people said of findings, {normal} of them normal"
        )
    return merged(labels, told)


def definition_of(options: FileOptions, source_name: str | None) -> dict[str, Any]:
    """That of the training: of the source, or of the options."""
    if source_name is not None:
        options = replace(options, source=source_name)
    return session_definition(options.spec().session, options.grouping_window())


def fingerprint(
    sessions: Sequence[Session], files: tuple[str, ...], definition: dict[str, Any]
) -> dict[str, Any]:
    """What the model was trained on, without a word of the logs themselves.

    definition: see `session_definition`.
    """
    digest = hashlib.sha256()
    events = 0
    first, last = sessions[0].start, sessions[0].end
    for session in sessions:
        for event in session.events:
            digest.update(event.message.encode("utf-8", "replace"))
        events += len(session.events)
        first, last = min(first, session.start), max(last, session.end)
    return {
        "sha256": digest.hexdigest(),
        KEY: definition,
        "sessions": len(sessions),
        "events": events,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "files": [Path(name).name for name in files],
        "python": platform.python_version(),
        "days": round((last - first) / timedelta(days=1), 3),
    }
