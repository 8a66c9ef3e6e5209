"""Documents of any number → the data of one report, in bounded memory.

Each finding is looked at once: it is counted by class, place and minute, and only the
gravest of each class are kept with their evidence.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from elkwatch.report.data import (
    SEVERITIES,
    TITLE,
    ClassEntry,
    FindingEntry,
    ReportData,
    Share,
    Table,
)
from elkwatch.report.documents import (
    Fields,
    FindingHead,
    UnreadableDocumentError,
    finding_entry,
    finding_head,
)
from elkwatch.report.grid import build_grid
from elkwatch.report.health import HealthBook
from elkwatch.report.timeline import Buckets, build_timeline

MAX_FINDINGS = 200
MAX_PER_CLASS = 25
MAX_CLASSES = 40
MAX_KINDS = 200
MAX_PLACES = 12
MAX_NAMES = 100_000
PALETTE = 9
FURTHER = "further classes"

_Rank = tuple[int, int, datetime, int]


@dataclass(slots=True)
class _ClassBook:
    """What is kept of one class while findings come in."""

    first: datetime
    last: datetime
    newest: Fields
    count: int = 0
    severities: Counter[str] = field(default_factory=Counter)
    services: Counter[str] = field(default_factory=Counter)
    gravest: list[tuple[_Rank, FindingEntry]] = field(default_factory=list)

    def add(self, head: FindingHead, fields: Fields, number: int) -> None:
        self.count += 1
        self.severities[head.severity] += 1
        if head.service:
            _bounded_count(self.services, head.service)
        self.first = min(self.first, head.start)
        if head.end >= self.last:
            self.last, self.newest = head.end, fields
        rank = (SEVERITIES.index(head.severity), head.risk, head.end, -number)
        if len(self.gravest) < MAX_PER_CLASS:
            heapq.heappush(self.gravest, (rank, finding_entry(fields, head)))
        elif rank > self.gravest[0][0]:
            heapq.heapreplace(self.gravest, (rank, finding_entry(fields, head)))


@dataclass(slots=True)
class _Book:
    """Everything that is counted while findings come in.

    `grain`: times are kept to so many minutes, so that a year takes no more than a day.
    """

    grain: int = 1
    classes: dict[str, _ClassBook] = field(default_factory=dict)
    minutes: Counter[tuple[str, int]] = field(default_factory=Counter)
    grid: Counter[tuple[str, int]] = field(default_factory=Counter)
    services: Counter[tuple[str, str]] = field(default_factory=Counter)
    hosts: Counter[tuple[str, str]] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    findings: int = 0
    withdrawn: int = 0
    unreadable: int = 0
    further: set[str] = field(default_factory=set)

    def add(self, document: Mapping[str, Any]) -> None:
        try:
            fields = Fields(document)
            head = finding_head(fields)
        except UnreadableDocumentError:
            self.unreadable += 1
            return
        if fields.get("elkwatch.anomaly") is False:
            return
        if fields.text("elkwatch.status") in ("withdrawn", "suppressed"):
            self.withdrawn += 1
            return
        self.findings += 1
        if head.class_id not in self.classes and len(self.classes) >= MAX_KINDS:
            head = self._among_others(head)
        book = self.classes.setdefault(
            head.class_id, _ClassBook(head.start, head.end, fields)
        )
        book.add(head, fields, self.findings)
        minute = int(head.end.timestamp()) // 60 // self.grain * self.grain
        self.minutes[head.class_id, minute] += 1
        place = head.service or fields.text("elkwatch.source", "no service")
        _bounded_count(self.grid, (place, minute))
        if head.service:
            _bounded_count(self.services, (head.service, head.class_id))
        if head.host:
            _bounded_count(self.hosts, (head.host, head.class_id))
        model_version = fields.text("elkwatch.model.version")
        if model_version:
            _bounded_count(self.models, model_version)

    def _among_others(self, head: FindingHead) -> FindingHead:
        """As one of a class for all that are too many to be told apart."""
        if len(self.further) < MAX_NAMES:
            self.further.add(head.class_id)
        return replace(head, class_id=FURTHER)


def report_data_from_documents(
    findings: Iterable[Mapping[str, Any]],
    runs: Iterable[Mapping[str, Any]] = (),
    *,
    generated_at: datetime,
    period: tuple[datetime, datetime] | None = None,
    engine: str = "",
    notifications: Mapping[str, int] | None = None,
    quality: Table | None = None,
    zone: tzinfo = UTC,
    title: str = TITLE,
) -> ReportData:
    """The data of a report, from documents of the findings and the metrics stream.

    `period` None spans what is there. `notifications` counts what was sent, by its name
    in words; None takes the sum that the runs tell. At most `MAX_PER_CLASS` findings of
    a class and `MAX_FINDINGS` in all are kept with their evidence, the gravest.
    """
    grain = Buckets.of(*period).length_s // 60 if period else 1
    book, health = _Book(grain), HealthBook()
    for document in findings:
        book.add(document)
    for document in runs:
        health.add(document)
    start, end = period or _span(book, health, generated_at)
    classes = _classes(book)
    order = {entry.class_id: place for place, entry in enumerate(classes)}
    told = health.notifications() if notifications is None else dict(notifications)
    return ReportData(
        period_start=start,
        period_end=end,
        generated_at=generated_at,
        findings=book.findings,
        classes=classes,
        timeline=build_timeline(
            book.minutes, [c.class_id for c in classes[: PALETTE - 1]], start, end
        ),
        services=_shares(book.services, order),
        hosts=_shares(book.hosts, order),
        health=health.sources(),
        grid=build_grid(book.grid, start, end),
        rounds=health.rounds(),
        more_kinds=len(book.further),
        withdrawn=book.withdrawn,
        unreadable=book.unreadable,
        documents=health.documents(),
        sessions=health.sessions(),
        notifications=tuple(told.items()),
        engine=engine,
        model_versions=tuple(name for name, _ in book.models.most_common(5)),
        quality=quality,
        zone=zone,
        title=title,
    )


def _classes(book: _Book) -> tuple[ClassEntry, ...]:
    """The classes, gravest and most frequent first, each with its share of findings."""
    entries = [_class_entry(class_id, own) for class_id, own in book.classes.items()]
    entries.sort(key=lambda e: (-SEVERITIES.index(e.severity), -e.count, e.name))
    room = MAX_FINDINGS
    kept = []
    for place, entry in enumerate(entries):
        mine = entry.findings[:room] if place < MAX_CLASSES else ()
        room -= len(mine)
        colour = min(place, PALETTE - 1)
        kept.append(replace(entry, findings=mine, colour=colour))
    return tuple(kept)


def _class_entry(class_id: str, book: _ClassBook) -> ClassEntry:
    newest = book.newest
    gravest = sorted(book.gravest, key=lambda pair: pair[0], reverse=True)
    worst = max(book.severities, key=lambda s: (book.severities[s], _rank(s)))
    return ClassEntry(
        class_id=class_id,
        name=_name(class_id, newest),
        pattern=newest.text("elkwatch.pattern") or newest.text("rule.category"),
        severity=SEVERITIES[_rank(worst)],
        known=newest.get("elkwatch.class.known") is not False,
        count=book.count,
        first_seen=book.first,
        last_seen=book.last,
        advice="" if class_id == FURTHER else newest.text("rule.description"),
        causes=() if class_id == FURTHER else newest.texts("elkwatch.causes"),
        services=tuple(name for name, _ in book.services.most_common(3)),
        colour=0,
        findings=tuple(entry for _, entry in gravest),
    )


def _name(class_id: str, newest: Fields) -> str:
    if class_id == FURTHER:
        return FURTHER
    return newest.text("elkwatch.class.name") or newest.text("rule.name", class_id)


def _rank(severity: str) -> int:
    return next((i for i, known in enumerate(SEVERITIES) if known == severity), 0)


def _shares(
    counts: Counter[tuple[str, str]], order: Mapping[str, int]
) -> tuple[Share, ...]:
    """The places with most findings; their classes in the order of the whole page."""
    places: dict[str, Counter[str]] = {}
    for (place, class_id), count in counts.items():
        places.setdefault(place, Counter())[class_id] += count
    shares = [
        Share(
            name,
            by_class.total(),
            tuple(sorted(by_class.items(), key=lambda pair: order[pair[0]])),
        )
        for name, by_class in places.items()
    ]
    shares.sort(key=lambda share: (-share.count, share.name))
    return tuple(shares[:MAX_PLACES])


def _span(
    book: _Book, health: HealthBook, generated_at: datetime
) -> tuple[datetime, datetime]:
    """From the first to the last that is known of; the last hour if nothing is."""
    times = [t for own in book.classes.values() for t in (own.first, own.last)]
    times += health.span()
    if not times:
        return generated_at - timedelta(hours=1), generated_at
    return min(times), max(times)


def _bounded_count(counter: Counter[Any], key: Any) -> None:
    """Count, but hold no more than so many different names, whatever comes in."""
    if key in counter or len(counter) < MAX_NAMES:
        counter[key] += 1
