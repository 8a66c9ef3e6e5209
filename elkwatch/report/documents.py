"""Findings and run figures as Elasticsearch holds them → records of a report.

A document may be a `_source` or a whole hit. What a document lacks is left empty; one
without a time or a class cannot be shown and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from connector import read_time
from elkwatch.report.data import SEVERITIES, Evidence, FindingEntry, Severity

MAX_LINES = 12
MAX_EXPECTED = 5
MAX_MISSING = 20
MAX_CAUSES = 6

_SEVERITY_FROM_NUMBER: tuple[tuple[float, Severity], ...] = (
    (99, "critical"),
    (73, "high"),
    (47, "medium"),
)


class UnreadableDocumentError(ValueError):
    """A document that is no finding, or has no time."""


class Fields:
    """Values of a document by dotted path, whether nested, dotted or mixed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        source = document.get("_source", document)
        if not isinstance(source, Mapping):
            raise UnreadableDocumentError("no _source")
        self._source = source

    def get(self, path: str) -> Any:
        """The value at the path; None where there is none."""
        here: Any = self._source
        for part in path.split("."):  # nested, as elkwatch itself writes them
            here = here.get(part) if type(here) is dict else None
        return here if here is not None else next(_values(self._source, path), None)

    def text(self, path: str, default: str = "") -> str:
        """The value as text."""
        value = self.get(path)
        return default if value is None else str(value)

    def optional_text(self, path: str) -> str | None:
        """The value as text, None where it is absent or empty."""
        return self.text(path) or None

    def number(self, path: str, default: float = 0.0) -> float:
        """The value as a number; the default for anything else."""
        value = self.get(path)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return default
        try:
            return float(value)
        except ValueError:
            return default

    def whole(self, path: str) -> int:
        """The value as a whole number, 0 where there is none."""
        number = self.number(path)
        return int(number) if abs(number) < 1e15 else 0

    def time(self, path: str) -> datetime | None:
        """The value as a UTC time; None where it cannot be read."""
        try:
            return read_time(self.get(path))
        except ValueError:
            return None

    def texts(self, path: str) -> tuple[str, ...]:
        """The values of a list (or of one value) as texts."""
        value = self.get(path)
        if value is None:
            return ()
        return (
            tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)
        )


@dataclass(frozen=True, slots=True)
class FindingHead:
    """What is counted of every finding; the rest is read of those that are shown.

    `class_id`: of an unknown kind its pattern and its name, since all that show one
    pattern share an id: a deadlock is not told of under the name of a lost connection.
    """

    class_id: str
    start: datetime
    end: datetime
    severity: Severity
    risk: int
    service: str | None
    host: str | None


def finding_head(fields: Fields) -> FindingHead:
    """The head of one. Raises UnreadableDocumentError for what has no class or time."""
    end = fields.time("event.end") or fields.time("@timestamp")
    class_id = fields.text("elkwatch.class.id") or fields.text("rule.id")
    if end is None or not class_id:
        raise UnreadableDocumentError("no time" if end is None else "no class")
    name = fields.text("elkwatch.class.name") or fields.text("rule.name")
    if fields.get("elkwatch.class.known") is False and name:
        class_id = f"{class_id}: {name}"
    return FindingHead(
        class_id=class_id,
        start=fields.time("event.start") or end,
        end=end,
        severity=_severity(fields),
        risk=fields.whole("elkwatch.risk"),
        service=fields.optional_text("service.name"),
        host=fields.optional_text("host.name"),
    )


def finding_entry(fields: Fields, head: FindingHead) -> FindingEntry:
    """The whole finding, with its evidence; of very much evidence the beginning."""
    evidence = tuple(_evidence(fields.get("elkwatch.evidence")))
    missing = fields.texts("elkwatch.missing")
    return FindingEntry(
        finding_id=fields.text("event.id"),
        start=head.start,
        end=head.end,
        source=fields.text("elkwatch.source"),
        session=fields.text("elkwatch.session.id"),
        class_id=head.class_id,
        severity=head.severity,
        risk=head.risk,
        score=fields.number("elkwatch.score"),
        threshold=fields.number("elkwatch.threshold"),
        confidence=fields.number("elkwatch.class.confidence"),
        events=fields.whole("elkwatch.session.events"),
        reason=fields.text("event.reason") or fields.text("message"),
        pattern=fields.text("elkwatch.pattern") or fields.text("rule.category"),
        service=head.service,
        host=head.host,
        causes=fields.texts("elkwatch.causes")[:MAX_CAUSES],
        evidence=evidence[:MAX_LINES],
        more_evidence=len(evidence[MAX_LINES:]),
        missing=missing[:MAX_MISSING],
        more_missing=len(missing[MAX_MISSING:]),
        log_url=fields.optional_text("event.url"),
        window_start=fields.time("elkwatch.session.window_start"),
        model_version=fields.text("elkwatch.model.version"),
    )


def _severity(fields: Fields) -> Severity:
    word = fields.text("elkwatch.severity")
    for severity in SEVERITIES:
        if severity == word:
            return severity
    number = fields.number("event.severity")
    return next(
        (name for floor, name in _SEVERITY_FROM_NUMBER if number >= floor), "low"
    )


def _evidence(lines: Any) -> Iterator[Evidence]:
    for line in lines if isinstance(lines, list) else []:
        if not isinstance(line, Mapping):
            continue
        fields = Fields(line)
        yield Evidence(
            position=fields.whole("position"),
            message=fields.text("message"),
            template=fields.text("template"),
            surprise_nats=fields.number("surprise_nats"),
            expected=tuple(islice(_expected(fields.get("expected")), MAX_EXPECTED)),
        )


def _expected(pairs: Any) -> Iterator[tuple[str, float]]:
    for pair in pairs if isinstance(pairs, list) else []:
        match pair:
            case [str() as template, int() | float() as share]:
                yield template, float(share)
            case {
                "template": str() as template,
                "probability": int() | float() as share,
            }:
                yield template, float(share)


def _values(source: Any, path: str) -> Iterator[Any]:
    """Every value at a path, in whichever way its keys are nested or dotted."""
    if not isinstance(source, Mapping):
        return
    value = source.get(path)
    if value is not None:
        yield value
    head, dot, tail = path.partition(".")
    while dot:
        yield from _values(source.get(head), tail)
        more, dot, tail = tail.partition(".")
        head = f"{head}.{more}"
