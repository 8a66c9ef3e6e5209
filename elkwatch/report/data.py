"""What a report says: plain frozen records, free of Elasticsearch and of HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
TITLE = "What the logs showed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One unexpected line and what was expected in its place, likeliest first."""

    position: int
    message: str
    template: str
    surprise_nats: float
    expected: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """One finding, as it is shown. Times are UTC-aware. `more_…`: not shown of it."""

    finding_id: str
    start: datetime
    end: datetime
    source: str
    session: str
    class_id: str
    severity: Severity
    risk: int
    score: float
    threshold: float
    confidence: float
    events: int
    reason: str
    pattern: str = ""
    service: str | None = None
    host: str | None = None
    causes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    log_url: str | None = None
    window_start: datetime | None = None
    model_version: str = ""
    more_evidence: int = 0
    more_missing: int = 0


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """One class of findings: how many in all, and the first of them.

    `colour` is its place in the palette of the page, the same in every part of it.
    `findings` are the gravest, at most as many as the report takes.
    """

    class_id: str
    name: str
    pattern: str
    severity: Severity
    known: bool
    count: int
    first_seen: datetime
    last_seen: datetime
    advice: str
    causes: tuple[str, ...]
    services: tuple[str, ...]
    colour: int
    findings: tuple[FindingEntry, ...] = ()

    @property
    def not_shown(self) -> int:
        """How many findings of the class the report leaves out."""
        return self.count - len(self.findings)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Findings by time and class: `counts[class][bucket]`, classes as in `class_ids`.

    `class_ids` are those with a colour of their own; a last row, when there is one
    more row than ids, holds all others.
    """

    start: datetime
    bucket_s: int
    class_ids: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class GridRow:
    """One place of a grid: its findings by bucket."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Findings by place and time, the places with most first; `more` are left out."""

    start: datetime
    bucket_s: int
    rows: tuple[GridRow, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """One service or host: its findings, in all and by class id."""

    name: str
    count: int
    by_class: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How the runs over one source went. `lag_s` is that of the last run.

    `failing`: the last run over it failed. `held_back`: findings nobody was told of;
    `outdated`: why its model is out of date, empty while it is not.
    """

    source: str
    runs: int
    failed: int
    documents: int
    late: int
    problems: int
    sessions: int
    dead_letters: int
    unknown_ratio: float
    lag_s: float | None
    last_run: datetime
    longest_run_s: float
    model_version: str
    last_failure: str | None = None
    failing: bool = False
    held_back: int = 0
    outdated: str = ""


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the rounds over all sources sent and took; memory is the most of any.

    `retried` counts attempts that failed and were tried again, `given_up` messages
    that were not delivered.
    """

    rounds: int
    sent: int
    retried: int
    given_up: int
    memory_bytes: int | None
    gpu_memory_bytes: int | None
    longest_s: float
    last_round: datetime


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is shown as it is given, such as figures of training quality.

    The first column is a heading; `note` stands below.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows. Times are UTC-aware and shown in `zone`.

    `documents` and `sessions` are None where no run tells them. `notifications` counts
    what was sent by its name in words ("mails", "webhooks"). `unreadable` documents
    were among the findings but could not be shown. `more_kinds` classes were so many
    that they are counted together as the last class.
    """

    period_start: datetime
    period_end: datetime
    generated_at: datetime
    findings: int
    classes: tuple[ClassEntry, ...]
    timeline: Timeline | None
    services: tuple[Share, ...] = ()
    hosts: tuple[Share, ...] = ()
    health: tuple[SourceHealth, ...] = ()
    withdrawn: int = 0
    unreadable: int = 0
    documents: int | None = None
    sessions: int | None = None
    notifications: tuple[tuple[str, int], ...] = ()
    engine: str = ""
    model_versions: tuple[str, ...] = ()
    title: str = TITLE
    grid: Grid | None = None
    rounds: Rounds | None = None
    more_kinds: int = 0
    quality: Table | None = None
    zone: tzinfo = field(default=UTC)

    @property
    def shown(self) -> int:
        """How many findings are shown with their evidence."""
        return sum(len(entry.findings) for entry in self.classes)
