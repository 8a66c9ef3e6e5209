"""What a training report says: plain frozen records, free of the model and of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from elkwatch.training_report.alarms import ExpectedAlarms

Fitness = Literal["fit", "doubtful", "unfit"]


@dataclass(frozen=True, slots=True)
class Warn:
    """One thing to know before the model runs: what, and how to mend it."""

    text: str
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The training in words: whether to run the model, what to expect, what to see.

    `look_at` are parts of the page: their words and their anchors.
    """

    fitness: Fitness
    headline: str
    sentences: tuple[str, ...]
    warnings: tuple[Warn, ...]
    look_at: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One template: lines of it in all logs given, and training sessions with it."""

    event_id: int
    text: str
    lines: int
    share: float
    sessions: int


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class; `colour` is its place in the palette of the page."""

    class_id: str
    name: str
    pattern: str
    severity: str
    taught: bool
    members: int
    colour: int


@dataclass(frozen=True, slots=True)
class CleanedGroup:
    """Sessions left out for one reason: in words, its templates, some of the names."""

    reason: str
    about: tuple[str, ...]
    sessions: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A class of both models, or of one: its name and its members in each."""

    name: str
    old_id: str | None
    new_id: str | None
    old_members: int | None
    new_members: int | None


@dataclass(frozen=True, slots=True)
class SplitOpinion:
    """A session that one of two models flags: what that one calls it.

    Scores are in thresholds of each model.
    """

    session: str
    kind: str
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The older model of the same place beside the new one.

    `problem` says why there is none; then all else is empty. `rows` are (figure, old,
    new). `judged` sessions were scored by both: how many are flagged by both, by the
    old one alone, by the new one alone; of these the clearest.
    """

    old_version: str
    old_trained_at: datetime | None = None
    problem: str = ""
    rows: tuple[tuple[str, str, str], ...] = ()
    templates_new: tuple[str, ...] = ()
    templates_gone: tuple[str, ...] = ()
    classes: tuple[ClassChange, ...] = ()
    judged: int = 0
    both: int = 0
    flagged_by_old: int = 0
    flagged_by_new: int = 0
    only_old: tuple[SplitOpinion, ...] = ()
    only_new: tuple[SplitOpinion, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """Everything the page shows. `figures` are the model's own; times are UTC-aware."""

    version: str
    trained_at: datetime
    figures: Mapping[str, Any]
    configuration: tuple[tuple[str, str], ...]
    alarms: ExpectedAlarms
    verdict: Verdict
    templates: tuple[TemplateRow, ...]
    classes: tuple[ClassRow, ...]
    cleaned: tuple[CleanedGroup, ...]
    comparison: Comparison | None = None
    zone: tzinfo = field(default=UTC)
