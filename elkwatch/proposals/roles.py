"""Which field of a data set means what, told by its name, type and values.

Pure: columns in, paths out. A name that is known wins over one that only looks right;
what the values say wins over both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector import Column

MESSAGES = (
    "message",
    "body.text",
    "event.original",
    "log",
    "msg",
    "log.original",
    "log.message",
    "event.message",
    "json.message",
    "short_message",
    "full_message",
    "text",
    "line",
    "raw",
)
TIMES = ("@timestamp", "timestamp", "time", "ts", "event.created", "datetime", "date")
SEVERITIES = (
    "log.level",
    "severity_text",
    "level",
    "severity",
    "loglevel",
    "log_level",
    "levelname",
    "log.syslog.severity.name",
    "syslog.severity_label",
    "severity_label",
)
SERVICES = (
    "service.name",
    "resource.attributes.service.name",
    "service",
    "log.syslog.appname",
    "syslog.appname",
    "programname",
    "program",
    "process.name",
    "app",
    "app.name",
    "app_name",
    "application",
    "kubernetes.labels.app",
    "kubernetes.container.name",
    "container.name",
    "event.dataset",
)
HOSTS = (
    "host.name",
    "resource.attributes.host.name",
    "host.hostname",
    "log.syslog.hostname",
    "syslog.hostname",
    "hostname",
    "host",
    "kubernetes.node.name",
    "agent.hostname",
    "agent.name",
)
_SEQUENCE_ENDS = (
    "session_line_number",
    "line_number",
    "sequence_number",
    "sequence",
    "seqno",
    "seq",
)
_BUILT_IN_SEQUENCES = ("event.sequence", "log.offset")

TEXT_TYPES = frozenset(
    {"text", "match_only_text", "keyword", "wildcard", "constant_keyword", "flattened"}
)
DATE_TYPES = frozenset({"date", "date_nanos"})
NUMBER_TYPES = frozenset({"long", "integer", "short", "unsigned_long"})

MOST = 0.9  # a share of documents that is as good as all
SOME = 0.5
_MANY_LEVELS = 24
_RANKED_FIRST = (*MESSAGES, *TIMES, *SEVERITIES, *SERVICES, *HOSTS)


@dataclass(frozen=True, slots=True)
class Roles:
    """The field of each role; None where no field serves."""

    time: str
    message: str
    severity: str | None = None
    service: str | None = None
    host: str | None = None
    sequence: str | None = None


def time_fields(types: Mapping[str, Sequence[str]]) -> list[str]:
    """The date fields that may say when a line was written, the best first."""
    dates = [
        path for path in types if types[path] and DATE_TYPES.issuperset(types[path])
    ]
    known = [path for path in TIMES if path in dates]
    others = [p for p in dates if p not in TIMES and "ingest" not in p.lower()]
    return known + sorted(others, key=lambda path: (path.count("."), path))


def choose(time: str, columns: Iterable[Column]) -> Roles | None:
    """The roles of the fields of a sample; None where none can be the message."""
    by_path = {column.path: column for column in columns}
    message = message_field(by_path)
    if message is None:
        return None
    left = {path: c for path, c in by_path.items() if path not in {time, message}}
    return Roles(
        time=time,
        message=message,
        severity=_named(SEVERITIES, left, at_most=_MANY_LEVELS),
        service=_named(SERVICES, left),
        host=_named(HOSTS, left),
        sequence=_sequence(left),
    )


def message_field(columns: Mapping[str, Column]) -> str | None:
    """The field with the text of a line: a known one, or the one with longest texts."""
    known = [columns[p] for p in MESSAGES if p in columns and _is_text(columns[p])]
    for least in (MOST, SOME):
        for column in known:
            if column.share >= least:
                return column.path
    proses = [c for c in columns.values() if c.share >= SOME and _words(c) >= 3]
    if proses:
        return max(proses, key=lambda c: (_words(c), c.path)).path
    return max(known, key=lambda c: c.share).path if known else None


def ranked(types: Mapping[str, Sequence[str]], first: Iterable[str]) -> list[str]:
    """Paths by how likely they are of use: known names, then `first`, then the rest."""
    likely = dict.fromkeys((*_RANKED_FIRST, *first))
    order = {path: place for place, path in enumerate(likely)}
    return sorted(
        types, key=lambda path: (order.get(path, len(order)), len(path), path)
    )


def _named(
    names: Sequence[str], columns: Mapping[str, Column], at_most: int | None = None
) -> str | None:
    """The first of these names that most documents have, else that some have."""
    for least in (MOST, 0.05):
        for name in names:
            column = columns.get(name)
            if column is None or column.share < least or not _is_text(column):
                continue
            if at_most is None or len(set(map(str, column.values))) <= at_most:
                return name
    return None


def _sequence(columns: Mapping[str, Column]) -> str | None:
    """A number that orders lines of equal time; None leaves it to the built-in ones."""
    if any(name in columns for name in _BUILT_IN_SEQUENCES):
        return None
    for end in _SEQUENCE_ENDS:
        for path in sorted(columns):
            column = columns[path]
            if (
                path.rpartition(".")[2].lower() == end
                and NUMBER_TYPES.issuperset(column.types)
                and column.types
                and column.share >= MOST
            ):
                return path
    return None


def _is_text(column: Column) -> bool:
    return not column.types or bool(TEXT_TYPES.intersection(column.types))


def _words(column: Column) -> float:
    """How many words its texts have on average."""
    if not _is_text(column):
        return 0.0
    texts = [value for value in column.values if isinstance(value, str)]
    return sum(len(text.split()) for text in texts) / len(texts) if texts else 0.0
