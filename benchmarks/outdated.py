"""What holding back does while a model is out of date, on HDFS by time.

Two streams, each the second half of the sessions in time, in rounds of a minute:

    as it is    the drift that these logs have of themselves
    a release   from its middle on four normal sessions of five have a new line

Told of are findings (one a session) and episodes (one of a topic, until it is quiet for
15 minutes). What is held back although the labels call it anomalous is counted too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from benchmarks.kinds import Trained
from elkwatch.model_drift import Batch, drift_of
from elkwatch.telling import Standing, has_error_line, told_as, unexplained
from model import Classifier, LogEvent, Session, Verdict
from model.labels import IGNORE, NORMAL

ROUND = timedelta(minutes=1)
QUIET = timedelta(minutes=15)
RELEASED = 0.8
NEW_LINE = "Pipeline cache warmed for release two"
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, whether it is anomalous in truth, and what became of it."""

    verdict: Verdict
    odd: bool
    held: bool


def outdated_figures(trained: Trained) -> Figures:
    """Both streams."""
    truth = trained.truth
    scored = [s for s in trained.drawn.test if truth.of(s) not in (None, IGNORE)]
    scored.sort(key=lambda session: session.end)
    return _figures("as it is", trained, scored) | _figures(
        "a release", trained, _released(trained, scored)
    )


def _released(trained: Trained, sessions: Sequence[Session]) -> list[Session]:
    rng = random.Random(trained.seed)
    half = len(sessions) // 2
    later = [
        _with_line(session)
        if trained.truth.of(session) == NORMAL and rng.random() < RELEASED
        else session
        for session in sessions[half:]
    ]
    return [*sessions[:half], *later]


def _with_line(session: Session) -> Session:
    first = session.events[0]
    line = LogEvent(first.time, NEW_LINE, first.key, first.severity)
    return replace(session, events=(first, line, *session.events[1:]))


def _figures(name: str, trained: Trained, sessions: Sequence[Session]) -> Figures:
    told = list(_told(trained, sessions))
    held = [one for one in told if one.held]
    every, sent = _episodes(told), _episodes([t for t in told if not t.held])
    return {
        f"{name}: findings": len(told),
        f"{name}: of these held back": len(held),
        f"{name}: of these anomalous in truth": sum(one.odd for one in held),
        f"{name}: anomalous in truth among all findings": sum(t.odd for t in told),
        f"{name}: episodes told of, nothing held back": every,
        f"{name}: episodes told of": sent + bool(held),
        f"{name}: episodes told of a day, nothing held back": every / _days(sessions),
        f"{name}: episodes told of a day": (sent + bool(held)) / _days(sessions),
    }


def _told(trained: Trained, sessions: Sequence[Session]) -> Iterator[Told]:
    drift = drift_of(trained.model)
    verdicts = Classifier(trained.model).classify(sessions)
    pairs = list(zip(sessions, verdicts, strict=True))
    for at, group in groupby(pairs, key=lambda pair: _round_of(pair[0])):
        batch = list(group)
        odd = [unexplained(v, severe=has_error_line(s)) for s, v in batch]
        strange = [
            v.unknown_ratio > 0 and (plain or not v.anomaly)
            for plain, (_, v) in zip(odd, batch, strict=True)
        ]
        drift.take(Batch(len(batch), sum(odd), sum(strange)), at)
        for session, verdict in batch:
            if verdict.anomaly:
                standing = Standing(None, has_error_line(session))
                how = told_as(verdict, standing, None, outdated=drift.outdated)
                truth = trained.truth.of(session) != NORMAL
                yield Told(verdict, truth, how == "held-back")


def _round_of(session: Session) -> datetime:
    end = session.end
    return end - (end - datetime.min.replace(tzinfo=end.tzinfo)) % ROUND


def _episodes(told: Sequence[Told]) -> int:
    """Runs of findings of one topic that are no more than 15 minutes apart."""
    last: dict[str, datetime] = {}
    count = 0
    for one in told:
        topic, end = one.verdict.topic, one.verdict.end
        count += topic not in last or end - last[topic] > QUIET
        last[topic] = end
    return count


def _days(sessions: Sequence[Session]) -> float:
    return (sessions[-1].end - sessions[0].end) / timedelta(days=1)
