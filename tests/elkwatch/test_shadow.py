"""A candidate beside the live model: what it counts, and that it harms nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from elkwatch.errors import ElkwatchError
from elkwatch.shadow import Shadow
from elkwatch.shadow_report import shadow_lines, shadow_report
from model import Arrival, Classifier, SessionTracker, TrackerLimits
from model.events import EncodedSession

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMITS = TrackerLimits(timedelta(minutes=1), timedelta(hours=1))


class ByLength:
    """A candidate that takes long sessions for anomalous, with ids of its own."""

    threshold = 2.5
    model = SimpleNamespace(version="m2")

    def event_ids(self, messages: Sequence[str]) -> list[int]:
        return [7] * len(messages)

    def score(self, sessions: Sequence[EncodedSession]) -> list[float]:
        assert all(set(s.ids) <= {7} for s in sessions)
        return [float(len(s.ids)) for s in sessions]


class Broken(ByLength):
    def score(self, sessions: Sequence[EncodedSession]) -> list[float]:
        raise RuntimeError("out of memory")


def seen_by(candidate: ByLength, alarms: Sequence[str]) -> Shadow:
    """Sessions of one, two … events; the live model takes `alarms` for anomalous."""
    shadow = Shadow(cast(Classifier, candidate), LIMITS)
    live = SessionTracker(LIMITS)
    for length, key in enumerate("abcd", 1):
        arrivals = [Arrival(key, False, NOON, NOON, n, 4) for n in range(length)]
        for arrival in arrivals:
            live.add(arrival)
        shadow.take(arrivals, ["x"] * length)
    over = live.close_due(NOON + timedelta(minutes=2))
    said = [one.key in alarms for one in over]
    shadow.screened(over, said, 0.5, NOON + timedelta(minutes=2))
    return shadow


def test_what_appears_and_what_vanishes() -> None:
    book = seen_by(ByLength(), ["a", "c"]).take_book()
    assert (book.sessions, book.both, book.appear, book.vanish) == (4, 1, 1, 1)
    assert (book.appearing, book.vanishing) == (["d"], ["a"])
    assert (book.live_s, book.failure) == (0.5, None)


def test_a_candidate_that_fails_ends_itself() -> None:
    shadow = seen_by(Broken(), ["a"])
    assert shadow.take_book().failure == "RuntimeError: out of memory"
    shadow.screened([], [], 0.0, NOON)
    assert shadow.take_book().failure is None


def test_a_new_start_forgets_what_was_open() -> None:
    shadow = Shadow(cast(Classifier, ByLength()), LIMITS)
    shadow.take([Arrival("a", False, NOON, NOON, 1, 4)], ["x"])
    shadow.start_again()
    live = SessionTracker(LIMITS)
    live.add(Arrival("a", False, NOON, NOON, 1, 4))
    over = live.close_due(NOON + timedelta(minutes=2))
    shadow.screened(over, [True], 0.0, NOON + timedelta(minutes=2))
    assert shadow.take_book().sessions == 0


def run(candidate: str = "m2", **changes: Any) -> dict[str, Any]:
    shadow = {
        "live": "m1", "candidate": candidate, "sessions": 10, "both": 2, "appear": 1,
        "vanish": 0, "live_s": 1.0, "candidate_s": 2.0, "appearing": ["s\x1b1"],
        "vanishing": [], "kinds": [{"live": "c01", "candidate": "c02", "count": 2}],
    }  # fmt: skip
    return {"elkwatch": {"source": "db", "shadow": {**shadow, **changes}}}


def test_the_report_adds_up_the_newest_pair() -> None:
    plain = {"elkwatch": {"source": "db", "run": {}}}
    runs = [run("m0"), run(), plain, run(failure="Error: x")]
    report = shadow_report("db", runs)
    assert (report["candidate"], report["runs"], report["sessions"]) == ("m2", 2, 20)
    lines = shadow_lines(report)
    assert "  alarms that appear  2 (such as s\\x1b1, s\\x1b1)" in lines
    assert "    c01 → c02: 4" in lines
    assert lines[-1] == "  the candidate failed: Error: x"


def test_no_candidate_is_told_of() -> None:
    with pytest.raises(ElkwatchError, match="no candidate ran beside"):
        shadow_report("web", [run()])
