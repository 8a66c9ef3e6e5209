"""What support alone would learn as normal, because it came too often.

Two kinds of sessions are set aside before support is counted:

*troubled*: with a line of error severity that less than 10 % of the sessions hold. An
error that comes every day is still one.

*cut short*: made of lines that at least half of the sessions hold, yet farther than ½
(Bray-Curtis distance of counts) from 95 % of them: it lacks most of what makes a
session. A rare way of working with lines of its own is not touched by this.

The shares were set while looking at the PostgreSQL cases of docs/quality.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from model.detectors.protocol import Flags
from model.events import EncodedSession, Session

ERROR_SHARE = 0.10
CUT_SHARE = 0.05
CUT_DISTANCE = 0.5
COMMON_SHARE = 0.5
SEVERE = frozenset(
    {
        "error",
        "err",
        "severe",
        "critical",
        "crit",
        "fatal",
        "alert",
        "emergency",
        "emerg",
        "panic",
    }
)


def is_severe(severity: str | None) -> bool:
    """Whether this is the severity of an error, or worse."""
    return (severity or "").lower() in SEVERE


def error_events(
    sessions: Sequence[Session], encoded: Sequence[EncodedSession]
) -> frozenset[int]:
    """The event ids most of whose lines are of error severity. Both (N)."""
    lines: Counter[int] = Counter()
    severe: Counter[int] = Counter()
    for session, ids in zip(sessions, encoded, strict=True):
        lines.update(ids.ids)
        severe.update(
            event
            for event, line in zip(ids.ids, session.events, strict=True)
            if is_severe(line.severity)
        )
    return frozenset(e for e, count in severe.items() if 2 * count > lines[e])


def troubled(sessions: Sequence[EncodedSession], errors: Collection[int]) -> Flags:
    """Which sessions (N) hold an error that few others do."""
    holding = _holding(sessions)
    few = ERROR_SHARE * len(sessions)
    rare = {e for e in errors if holding[e] - 1 < few}
    return np.array([not rare.isdisjoint(s.ids) for s in sessions], dtype=bool)


def made_of_common(sessions: Sequence[EncodedSession]) -> Flags:
    """Which sessions (N) hold nothing but what at least half of them do."""
    holding = _holding(sessions)
    many = COMMON_SHARE * len(sessions)
    common = {event for event, count in holding.items() if count >= many}
    return np.array([common.issuperset(s.ids) for s in sessions], dtype=bool)


def _holding(sessions: Sequence[EncodedSession]) -> Counter[int]:
    """How many sessions hold each event id."""
    return Counter(event for session in sessions for event in set(session.ids))
