"""Detectors beside each other, as one table for people and JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model import DetectorRow, Labels, Session


def comparison_record(
    rows: Sequence[DetectorRow],
    sessions: Sequence[Session],
    labels: Labels,
    fitted_on: int,
    seed: int,
) -> dict[str, Any]:
    """The comparison as JSON: what was judged, then a row a detector."""
    told = [
        label for label in map(labels.of, sessions) if label not in (None, "ignore")
    ]
    return {
        "sessions": len(told),
        "anomalous": sum(label != "normal" for label in told),
        "unlabelled": sum(labels.of(session) is None for session in sessions),
        "fitted_on": fitted_on,
        "seed": seed,
        "detectors": [row.record() for row in rows],
    }


def heading(record: Mapping[str, Any]) -> str:
    """What was judged, in one line."""
    left = record["unlabelled"]
    return (
        f"{record['sessions']} labelled sessions, {record['anomalous']} anomalous; "
        f"fitted on {record['fitted_on']}"
        + (f"; {left} without a label left out" if left else "")
    )


def detector_table(rows: Sequence[DetectorRow]) -> Iterator[str]:
    """The lines of the table, the best F1 first; what failed comes last, with why."""
    yield (
        f"{'detector':<24}{'P':>7}{'R':>7}{'F1':>7}{'AP':>7}{'flagged':>9}"
        f"{'fit s':>9}{'score s':>9}{'size':>9}  learned from"
    )
    for row in sorted(rows, key=_rank):
        if row.detection is None:
            yield f"{row.name:<24}{row.error}"
            continue
        found = row.detection
        yield (
            f"{row.name:<24}{found.precision:>7.3f}{found.recall:>7.3f}{found.f1:>7.3f}"
            f"{found.average_precision:>7.3f}{found.flagged:>9}{_seconds(row.fit_s):>9}"
            f"{_seconds(row.score_s):>9}{_size(row.size_bytes):>9}  {row.learned_from}"
        )


def _rank(row: DetectorRow) -> tuple[bool, float, float]:
    if row.detection is None:
        return True, 0.0, 0.0
    return False, -row.detection.f1, -row.detection.average_precision


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f}"


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return "-"
    kib = size_bytes / 1024
    return f"{kib:.0f} KiB" if kib < 10_000 else f"{kib / 1024:.0f} MiB"
