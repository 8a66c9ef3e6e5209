"""A trained model and the sessions it came from → the data of its report.

What names or quotes the logs (templates, session names, class names) goes through
`mask` first; the figures themselves hold no word of the logs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from elkwatch.log_files import plural
from elkwatch.privacy import Mask
from elkwatch.training_report.alarms import expected_alarms
from elkwatch.training_report.data import (
    ClassRow,
    CleanedGroup,
    Comparison,
    TemplateRow,
    TrainingReport,
    Verdict,
)
from elkwatch.training_report.verdict import verdict_of
from model import Session, TrainedModel

PALETTE = 9
MAX_NAMES = 5
MAX_GROUPS = 40
_FIRST_EVENT_ID = 4


def training_report(
    model: TrainedModel,
    version: str,
    sessions: Sequence[Session],
    *,
    trained_at: datetime,
    mask: Mask = str,
    comparison: Comparison | None = None,
    zone: tzinfo = UTC,
) -> TrainingReport:
    """The data of one report. `sessions` are those that were given to `train`."""
    figures = model.figures
    alarms = expected_alarms(figures)
    if alarms is None:
        raise ValueError("the model's figures are those of an older elkwatch")
    return TrainingReport(
        version=version,
        trained_at=trained_at,
        figures=figures,
        configuration=tuple(_flat(model.configuration)),
        alarms=alarms,
        verdict=_verdict(figures, model.configuration, comparison),
        templates=_templates(model, mask),
        classes=class_rows(model, mask),
        cleaned=_cleaned(model, sessions, mask),
        comparison=comparison,
        zone=zone,
    )


def _verdict(
    figures: Mapping[str, Any],
    configuration: Mapping[str, Any],
    comparison: Comparison | None,
) -> Verdict:
    verdict = verdict_of(figures, configuration)
    if comparison is None:
        return verdict
    return replace(verdict, look_at=(("what has changed", "versus"), *verdict.look_at))


def class_rows(model: TrainedModel, mask: Mask) -> tuple[ClassRow, ...]:
    """The classes of a model, in its order, with the names that people read."""
    rows = []
    for place, known in enumerate(model.classes):
        advice = known.entry.told_in("en", known.about)
        rows.append(
            ClassRow(
                known.class_id,
                mask(advice.name),
                known.pattern,
                advice.severity,
                known.taught,
                known.members,
                min(place, PALETTE - 1),
            )
        )
    return tuple(rows)


def _templates(model: TrainedModel, mask: Mask) -> tuple[TemplateRow, ...]:
    """All templates, those with most lines first."""
    templates = model.templates.templates
    lines = sum(t.size for t in templates)
    counts = model.figures["unseen"]["session_counts"]
    rows = [
        TemplateRow(
            _FIRST_EVENT_ID + place, mask(t.text), t.size, t.size / lines, count
        )
        for place, (t, count) in enumerate(zip(templates, counts, strict=True))
    ]
    return tuple(sorted(rows, key=lambda row: (-row.lines, row.event_id)))


def _cleaned(
    model: TrainedModel, sessions: Sequence[Session], mask: Mask
) -> tuple[CleanedGroup, ...]:
    """Sessions left out for the same reason together, the largest group first."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for entry in model.figures["cleaned"]:
        about = tuple(mask(model.vocabulary.text(e)) for e in entry["about"])
        if entry["reason"] == "rare-order":
            about = (about[0], *(f"→ {text}" for text in about[1:]))
        name = mask(sessions[entry["place"]].unit)
        groups.setdefault((_reason(entry), about), []).append(name)
    ranked = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    return tuple(
        CleanedGroup(reason, about, len(names), tuple(names[:MAX_NAMES]))
        for (reason, about), names in ranked[:MAX_GROUPS]
    )


def _reason(entry: Mapping[str, Any]) -> str:
    others = entry["others"]
    if entry["reason"] == "far-counts":
        return "more or fewer of some lines than any other session"
    what = "lines" if entry["reason"] == "rare-template" else "an order of lines"
    if not others:
        return f"{what} that no other session has"
    return f"{what} that {plural(others, 'other session')} {_verb(others)}"


def _verb(count: int) -> str:
    return "has" if count == 1 else "have"


def _flat(configuration: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as dotted names with their values as text."""
    rows: list[tuple[str, str]] = []
    for name, value in configuration.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            rows.append((prefix + name, ", ".join(map(_one, value)) or "none"))
        else:
            rows.append((prefix + name, _one(value)))
    return rows


def _one(value: object) -> str:
    if isinstance(value, Mapping):  # a mask
        return f"{value.get('name')}={value.get('pattern')}"
    return f"{value:,}" if type(value) is int else str(value)
