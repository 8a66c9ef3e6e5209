"""Figures of a training, made up, for tests of what is said and drawn of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from elkwatch.training_report import TrainingReport
from elkwatch.training_report.alarms import expected_alarms
from elkwatch.training_report.data import (
    ClassChange,
    ClassRow,
    CleanedGroup,
    Comparison,
    SplitOpinion,
    TemplateRow,
)
from elkwatch.training_report.verdict import verdict_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONFIGURATION: dict[str, Any] = {"seed": 0, "language_model": {"epochs": 50}}


def epoch(loss: float, held_out: float | None = None) -> dict[str, float]:
    """One epoch."""
    check = loss if held_out is None else held_out
    return {"loss": loss, "held_out_loss": check, "learning_rate": 0.004}


def figures(**changes: Any) -> dict[str, Any]:
    """Those of a training that nothing is wrong with: 2,000 sessions in four days."""
    base: dict[str, Any] = {
        "sessions": 2000,
        "events": 40_000,
        "taught_sessions": 0,
        "templates": 30,
        "cleaned_out": 4,
        "suspects": 60,
        "classes": 2,
        "epochs": [epoch(2.0), epoch(1.0, 0.9), epoch(0.9, 1.0)],
        "best_epoch": 2,
        "class_epochs": [epoch(3.0), epoch(1.5)],
        "class_best_epoch": 2,
        "class_map": {
            "points": [[0.1, 0.2, 0], [0.9, 0.4, 1], [0.5, 0.9, -1]],
            "shares": [0.5, 0.3],
        },
        "span": {
            "from": "2026-11-18T00:00:00+00:00",
            "to": "2026-11-22T00:00:00+00:00",
        },
        "likeness": {
            "different_sessions": 400,
            "commonest": 300,
            "shortest_events": 2,
            "median_events": 18.0,
            "longest_events": 90,
        },
        "scores": {
            "threshold": 1.0,
            "held_out": group([0.2, 0.3, 0.4, 1.4], sessions=200, flagged=2),
            "held_out_unusual": group([2.0]),
            "cleaned_out": group([2.0, 2.5, 3.0, 9.0]),
            "deviants": group([1.5, 2.5, 3.5]),
        },
        "unseen": {
            "held_out_events": 4000,
            "unknown_events": 4,
            "held_out_sessions": 201,
            "sessions_with_unknown": 2,
            "session_counts": [2000] * 29 + [3],
            "single_templates": 0,
            "sessions_with_single": 0,
            "rare_below": 40.0,
            "overflow": 0,
        },
        "labelled": [],
        "confusion": None,
    }
    return base | changes


def group(
    values: list[float], *, sessions: int | None = None, flagged: int | None = None
) -> dict[str, Any]:
    """The scores of a group of sessions."""
    count = len(values) if sessions is None else sessions
    past = sum(v > 1 for v in values) if flagged is None else flagged
    return {"sessions": count, "judged": count, "flagged": past, "values": values}


def report(text: str = "user <ID> logged in", **changes: Any) -> TrainingReport:
    """A report with `text` wherever something comes from the logs or from labels."""
    given = figures(**changes)
    alarms = expected_alarms(given)
    assert alarms is not None
    return TrainingReport(
        version="0123456789ab",
        trained_at=NOW,
        figures=given,
        configuration=(("seed", "0"), ("miner.masks", text)),
        alarms=alarms,
        verdict=verdict_of(given, CONFIGURATION),
        templates=(
            TemplateRow(4, text, 900, 0.9, 2000),
            TemplateRow(5, text, 100, 0.1, 3),
        ),
        classes=(
            ClassRow("c01", text, "new-event", "high", False, 40, 0),
            ClassRow(text, text, "repetition", "low", True, 20, 1),
        ),
        cleaned=(CleanedGroup("lines that no other session has", (text,), 4, (text,)),),
        comparison=comparison(text),
    )


def comparison(text: str) -> Comparison:
    """An older model that differs in everything."""
    return Comparison(
        old_version="ba9876543210",
        old_trained_at=NOW,
        rows=(("Sessions", "1,000", "2,000"), ("Templates", "30", "30")),
        templates_new=(text,),
        templates_gone=(text, text),
        classes=(
            ClassChange(text, "c02", "c01", 10, 40),
            ClassChange(text, None, "c02", None, 20),
            ClassChange(text, "c01", None, 7, None),
        ),
        judged=300,
        both=5,
        flagged_by_old=30,
        flagged_by_new=1,
        only_old=(SplitOpinion(text, text, 3.2, 0.4),),
        only_new=(SplitOpinion(text, text, 0.1, 1.7),),
    )
