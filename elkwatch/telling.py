"""Whether people are told of a finding now: at once, when it is sure, or not at all.

    known kind, rule, feedback that says *right*   at once
    unknown kind, and its session goes on          tentative: when the session closes,
                                                   or when it was judged the same twice
    it may come to be a known false alarm          tentative: when the session closes
    unknown kind while the model is out of date    held back: written and counted, but
                                                   for what is critical or an error line

A session that is judged while it goes on may be another thing when it is whole. A model
that is out of date takes the new normal for unknown kinds: one message about that is
worth more than one about each.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector import FeedbackMark
from connector.findings import Status
from model import Session, Verdict, is_severe

CRITICAL = "critical"
SURE_AFTER = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a verdict beside itself.

    `open_for`: how often its session was judged the same while it goes on; None where
    it is over. `severe`: it has a line of error severity. `doubted`: it goes on, and
    may come to be what people called a false alarm.
    """

    open_for: int | None
    severe: bool
    doubted: bool = False


def unexplained(verdict: Verdict, *, severe: bool) -> bool:
    """Whether nothing says what kind of trouble this is, nor that it is grave.

    So looks what is new and normal, of which training knew nothing.
    """
    explained = verdict.known or _by_rule(verdict)
    return verdict.anomaly and not (explained or severe or verdict.severity == CRITICAL)


def told_as(
    verdict: Verdict, standing: Standing, mark: FeedbackMark | None, *, outdated: bool
) -> Status:
    """`open` where people are told of an anomalous session, else why they are not."""
    if standing.doubted:
        return "tentative"
    if verdict.known or _by_rule(verdict) or (mark and mark.verdict == "right"):
        return "open"
    if outdated and unexplained(verdict, severe=standing.severe):
        return "held-back"
    if standing.open_for is not None and standing.open_for < SURE_AFTER:
        return "tentative"
    return "open"


def has_error_line(session: Session) -> bool:
    """Whether any line is of error severity."""
    return any(is_severe(event.severity) for event in session.events)


def _by_rule(verdict: Verdict) -> bool:
    """Whether a rule of the catalogue knows its lines."""
    return verdict.topic != verdict.pattern
