"""What the connector takes and gives: source descriptions and log documents.

Raw Elasticsearch dictionaries end in `decode`; from here on there are records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from connector.errors import ConfigError

KEY_SEPARATOR = "|"
DEFAULT_WINDOW_S = 300.0


@dataclass(frozen=True, slots=True)
class SessionRule:
    """How log documents are told apart into sessions: exactly one of three ways.

    `field`: the value of one field (a key that ends: a request, a connection).
    `pattern`: a regular expression on the message; its first group, or else the whole
    match, is the key (a key that ends).
    `fields`: the values of several fields, joined (a key that never ends: a host); the
    unit is then a window of `window_s` seconds.
    None of them: windows per service and host.

    Raises ConfigError when more than one is given, or `fields` without `window_s`.
    """

    field: str | None = None
    pattern: str | None = None
    fields: tuple[str, ...] = ()
    window_s: float | None = None

    def __post_init__(self) -> None:
        given = [bool(self.field), bool(self.pattern), bool(self.fields)]
        if sum(given) > 1:
            raise ConfigError(
                "session: give exactly one of field, pattern and fields, not several"
            )
        if self.fields and self.window_s is None:
            raise ConfigError(
                "session: fields name keys that never end; add a window, e.g. 5m"
            )
        if self.window_s is not None and self.window_s <= 0:
            raise ConfigError("session: the window must be longer than zero")

    @property
    def ends(self) -> bool:
        """Whether a session of this rule comes to an end of its own."""
        return bool(self.field or self.pattern)

    @property
    def unit_s(self) -> float | None:
        """Length of the window that is the unit, in seconds; None for sessions."""
        if self.ends:
            return self.window_s
        return self.window_s or DEFAULT_WINDOW_S


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One source: where its logs are and which field means what.

    `sequence_field` orders documents of equal time; without it `event.sequence`, then
    `log.offset` do, where a document has them.
    """

    name: str
    index: str
    message_field: str = "message"
    time_field: str = "@timestamp"
    severity_field: str = "log.level"
    service_field: str = "service.name"
    host_field: str = "host.name"
    sequence_field: str | None = None
    session: SessionRule = field(default_factory=SessionRule)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields the session key is made of; empty for a pattern."""
        if self.session.field:
            return (self.session.field,)
        if self.session.pattern:
            return ()
        return self.session.fields or (self.service_field, self.host_field)


class LogDocument(msgspec.Struct, frozen=True, gc=False):
    """One log document, decoded. All times are UTC-aware.

    `time` is when it happened, `cursor_time` where it stands in the order of reading
    (the same, or when it was ingested). `key` is the session key, None when the
    document has none. A msgspec struct, not a dataclass: there is one for every line
    of log, and it is made ten times faster.
    """

    doc_id: str
    index: str
    time: datetime
    message: str
    key: str | None
    severity: str | None
    service: str | None
    host: str | None
    sequence: int | None
    cursor_time: datetime


@dataclass(frozen=True, slots=True)
class DecodeProblem:
    """A document that could not be used, why, and its text (JSON, cut) to look at."""

    doc_id: str
    index: str
    reason: str
    document: str = ""


@dataclass(slots=True)
class DecodeCounts:
    """How many documents were decoded, and how many were odd in which way.

    `missing_text`: no message, or an empty one. `not_text`: it was a list, number or
    object and was written as text. `truncated`: longer than 32 kB, the rest was cut.
    `bad_unicode`: lone surrogates or NUL were replaced by U+FFFD. `bad_time`: could not
    be placed in time, is not among the documents. `no_key`: has no session key.
    """

    documents: int = 0
    missing_text: int = 0
    not_text: int = 0
    truncated: int = 0
    bad_unicode: int = 0
    bad_time: int = 0
    no_key: int = 0

    def add(self, other: "DecodeCounts") -> None:
        """Add another counter to this one."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of a source held; problems are data, not failures."""

    documents: tuple[LogDocument, ...]
    problems: tuple[DecodeProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A session to fetch again: all documents of `key` in [start, end] of event time.

    `at_least`: how many documents of the key the caller has already seen in there. When
    a text search finds fewer, the time range is read whole instead.
    """

    key: str
    start: datetime
    end: datetime
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """A window to fetch again: the documents of `key` in [start, end) of event time.

    `key` None: the documents that have no key. `at_least` as in KeyRequest.
    """

    key: str | None
    start: datetime
    end: datetime
    at_least: int = 0


def order_key(document: LogDocument) -> tuple[datetime, int]:
    """The order of documents within a session: time, then sequence.

    What neither tells apart stays in the order of the index, which is the order of
    arrival: sort stably, never by `_id`, which is random.
    """
    sequence = -1 if document.sequence is None else document.sequence
    return document.time, sequence


def join_key(parts: Sequence[str | None]) -> str | None:
    """The window key of several values: `a|b`, missing ones empty; None if all are.

    A bar or backslash inside a value is escaped, so that `split_key` undoes it.
    """
    if not any(parts):
        return None
    return KEY_SEPARATOR.join(
        (p or "").replace("\\", "\\\\").replace(KEY_SEPARATOR, "\\" + KEY_SEPARATOR)
        for p in parts
    )


def split_key(key: str) -> tuple[str, ...]:
    """The values a key of `join_key` was made of; missing ones are empty."""
    parts, current, escaped = [], "", False
    for char in key:
        if escaped:
            current, escaped = current + char, False
        elif char == "\\":
            escaped = True
        elif char == KEY_SEPARATOR:
            parts.append(current)
            current = ""
        else:
            current += char
    parts.append(current)
    return tuple(parts)
