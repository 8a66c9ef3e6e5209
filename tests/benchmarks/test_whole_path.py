"""What the benchmarks of the whole path stand on: their logs, their sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.soak import Sample, growth
from benchmarks.stack import Pool, ending_at, time_of
from benchmarks.workers import record, scores_of
from model import Classifier
from model.events import EncodedSession

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class ByLength(Classifier):
    """A score without a model: how many events the session has."""

    def __init__(self) -> None:
        self.model = _NoTemplates()  # type: ignore[assignment]

    def score(self, sessions: Sequence[EncodedSession]) -> list[float]:
        return [float(len(session.ids)) for session in sessions]


class _NoTemplates:
    class templates:  # noqa: N801
        @staticmethod
        def match_all(messages: list[str]) -> list[int]:
            return [1] * len(messages)


def line(key: str, second: int) -> dict[str, Any]:
    return {
        "@timestamp": (NOON + second * SECOND).isoformat(),
        "message": "m",
        "postgresql": {"log": {"session_id": key, "session_line_number": second}},
    }


POOL = Pool(
    normal=[[line(f"n{i}", i), line(f"n{i}", i + 1)] for i in range(80)],
    odd=[[line("odd", 3)]],
    span=100 * SECOND,
)


def key_of(document: dict[str, Any]) -> str:
    key: str = document["postgresql"]["log"]["session_id"]
    return key


def test_logs_have_the_share_of_odd_sessions_and_no_session_twice() -> None:
    documents = POOL.documents(900, 0.2)
    assert 900 <= len(documents) <= 902
    keys = {key_of(document) for document in documents}
    odd = {key for key in keys if key.startswith("odd")}
    assert 0.15 < len(odd) / len(keys) < 0.25
    for key in keys:
        assert sum(key_of(d) == key for d in documents) == (1 if key in odd else 2)
    times = [time_of(document) for document in documents]
    assert times == sorted(times)
    assert time_of(ending_at(documents, NOON)[-1]) == NOON


def test_recorded_ranges_hold_every_session_once_and_whole(tmp_path: Path) -> None:
    documents = POOL.documents(900, 0.2)
    parts = record(documents, tmp_path)
    found = [scores_of(ByLength(), part) for part in parts]
    assert all(found)
    assert sum(map(len, found)) == len({key_of(document) for document in documents})
    for scores in found:
        for key, score in scores.items():
            assert score == (1.0 if key.startswith("odd") else 2.0)


def test_growth_leaves_the_warm_up_out() -> None:
    def samples(*mib: int) -> list[Sample]:
        return [Sample(1, 0.0, size, 1.0, True) for size in mib]

    warm = [50, 90, 100, 100]
    assert growth(samples(*warm, *[100] * 12)) == 0.0
    assert round(growth(samples(*warm, *[100] * 9, *[103] * 3)), 6) == 0.03
