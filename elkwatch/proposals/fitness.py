"""How fit logs are for a model of sessions, measured on a sample, with the reasons.

    messages ──templates_of──▶ TemplateFigures ─┐
    events   ──sessions_of───▶ SessionFigures  ─┴─judge─▶ Fitness: good, fair, unfit

Pure and without Elasticsearch: what proposes a source and what checks a configured one
judge alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal

from model import LogEvent, Session, TemplateMiner, group_sessions

Grade = Literal["good", "fair", "unfit"]

LEAST_DOCUMENTS = 200
LEAST_SCORE = 0.3  # of a key; with less, windows serve better
MANY_UNKNOWN = 0.1
_FREE_TEXT = 0.25  # share of lines that are alone with their template
_SAME = 0.99
_FEW_SESSIONS = 20
_LEAST_KEYED = 0.5
_LEAST_CLOSED = 0.25
_MOSTLY_CLOSED = 0.75
_MOSTLY_SINGLE = 0.8
_LONG_LIFE = 0.5
_IDLE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TemplateFigures:
    """What the texts of a sample are made of.

    `unknown_share`: lines of the second half without a template of the first, 0 to 1.
    `alone_share`: lines whose template no other line has. `top_share`: lines of the
    commonest template. `empty_share`: documents without any text.
    """

    documents: int
    templates: int
    unknown_share: float
    alone_share: float
    top_share: float
    empty_share: float


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What a session rule makes of a sample.

    `key_share`: documents with the key. `events`: median a session. `single_share`:
    sessions of one event. `closed_share`: of those begun in the first half, how many
    had ended; None for windows, which always do. `life_share`: median lifetime as a
    share of the sample's. `pause_s`, `life_s`: what 95 % of the sessions stay below.
    """

    key_share: float
    sessions: int
    events: float
    single_share: float
    closed_share: float | None
    life_share: float
    pause_s: float
    life_s: float
    per_minute: float


@dataclass(frozen=True, slots=True)
class Fitness:
    """A grade, and what speaks for it and against it, one short line each."""

    grade: Grade
    reasons: tuple[str, ...]


def templates_of(messages: Sequence[str]) -> TemplateFigures:
    """Mines the first half and counts what the second has besides."""
    miner = TemplateMiner()
    texts = [message for message in messages if message.strip()]
    half = len(texts) // 2
    miner.learn_all(texts[:half])
    unknown = miner.freeze().match_all(texts[half:]).count(0)
    miner.learn_all(texts[half:])
    sizes = [template.size for template in miner.freeze().templates]
    return TemplateFigures(
        documents=len(messages),
        templates=len(sizes),
        unknown_share=unknown / max(1, len(texts) - half),
        alone_share=sizes.count(1) / max(1, len(texts)),
        top_share=max(sizes, default=0) / max(1, len(texts)),
        empty_share=1 - len(texts) / max(1, len(messages)),
    )


def sessions_of(
    events: Sequence[LogEvent],
    *,
    window: timedelta | None = None,
    until: datetime | None = None,
) -> SessionFigures:
    """What becomes of these events (oldest first) by their keys; see SessionFigures.

    window: for keys that never end, the length that they are cut on. until: up to when
    events would have been among these; the time of the last, if not given.
    """
    if not events:
        return SessionFigures(0, 0, 0, 0, None, 0, 0, 0, 0)
    keyed = [event for event in events if event.key is not None]
    first = min(event.time for event in events)
    end = until or max(event.time for event in events)
    span = end - first
    sessions = group_sessions(keyed, window=window)
    sizes = [len(session.events) for session in sessions]
    lives = [(session.end - session.start).total_seconds() for session in sessions]
    span_s = span.total_seconds()
    return SessionFigures(
        key_share=len(keyed) / len(events),
        sessions=len(sessions),
        events=median(sizes) if sizes else 0,
        single_share=sum(size == 1 for size in sizes) / max(1, len(sizes)),
        closed_share=None if window else _closed_share(sessions, end, span),
        life_share=median(lives) / span_s if lives and span_s else 0.0,
        pause_s=_below(map(_longest_pause_s, sessions)),
        life_s=_below(lives),
        per_minute=len(events) / max(1 / 60, span_s / 60),
    )


def unfit_texts(templates: TemplateFigures) -> str | None:
    """Why these texts are no log of events; None if they are."""
    if templates.documents < LEAST_DOCUMENTS:
        return (
            f"too few documents to learn from: {templates.documents}, "
            f"at least {LEAST_DOCUMENTS} are needed"
        )
    if templates.empty_share > 1 - _LEAST_KEYED:
        return f"{templates.empty_share:.0%} of the documents have no text"
    if templates.top_share > _SAME:
        return "the message is always the same: there is no order to learn"
    if templates.alone_share > _FREE_TEXT:
        return (
            f"free text that never repeats: {templates.alone_share:.0%} of the lines "
            "are like no other"
        )
    return None


def unfit_key(figures: SessionFigures) -> str | None:
    """Why a key makes no sessions that end; None if it does. Not for windows."""
    if figures.key_share < _LEAST_KEYED:
        return f"only {figures.key_share:.0%} of the documents have it"
    if figures.single_share > _MOSTLY_SINGLE or figures.events < 2:
        return f"{figures.single_share:.0%} of its values name one line each"
    if figures.sessions < 3:
        return f"only {figures.sessions} values in the sample"
    if figures.life_share > _LONG_LIFE:
        return "it never ends: its values go through the whole sample"
    if (figures.closed_share or 0) < _LEAST_CLOSED:
        return f"only {figures.closed_share or 0:.0%} of its sessions end"
    return None


def key_score(figures: SessionFigures, trust: float) -> float:
    """How good a key is, 0 to 1: how many lines have it, how surely it ends, its name.

    Short sessions hold little order, so below four events it counts less.
    """
    if unfit_key(figures) is not None:
        return 0.0
    length = min(1.0, (figures.events - 1) / 3)
    alone = 1 - figures.single_share / 2
    return trust * figures.key_share * (figures.closed_share or 0) * length * alone


def judge(templates: TemplateFigures, sessions: SessionFigures) -> Fitness:
    """The grade of a source by what was measured, and every reason for it."""
    unfit = unfit_texts(templates)
    if unfit is None and sessions.closed_share is not None:
        unfit = unfit_key(sessions)
    if unfit is not None:
        return Fitness("unfit", (unfit,))
    doubts = [*_text_doubts(templates), *_session_doubts(sessions)]
    return Fitness(
        "fair" if doubts else "good", (*doubts, *_facts(templates, sessions))
    )


def _text_doubts(templates: TemplateFigures) -> list[str]:
    doubts = []
    if templates.unknown_share > MANY_UNKNOWN:
        doubts.append(
            f"{templates.unknown_share:.0%} of the newer lines fit no template of the "
            "older ones: train on more, or hide what varies with --mask"
        )
    if templates.templates < 3:
        doubts.append(f"only {templates.templates} templates: little order to learn")
    return doubts


def _session_doubts(sessions: SessionFigures) -> list[str]:
    doubts = []
    if sessions.key_share < 1 - MANY_UNKNOWN:
        doubts.append(
            f"{1 - sessions.key_share:.0%} of the documents have no key: they are "
            "taken by windows"
        )
    if sessions.closed_share is not None and sessions.closed_share < _MOSTLY_CLOSED:
        doubts.append(f"only {sessions.closed_share:.0%} of its sessions end in time")
    if sessions.sessions < _FEW_SESSIONS:
        doubts.append(f"only {sessions.sessions} sessions in the sample")
    if sessions.events < 2:
        doubts.append("most sessions are a single line: no order to learn")
    return doubts


def _facts(templates: TemplateFigures, sessions: SessionFigures) -> list[str]:
    facts = [
        f"{sessions.events:g} events a session",
        f"{templates.templates} templates",
        f"{templates.unknown_share:.1%} unknown",
    ]
    if sessions.closed_share is not None:
        facts.insert(1, f"{sessions.closed_share:.0%} of the sessions end")
        facts.append(f"{sessions.key_share:.0%} with the key")
    return [", ".join(facts)]


def _closed_share(sessions: Sequence[Session], end: datetime, span: timedelta) -> float:
    """Of the sessions begun in the first half, those that were idle at the end."""
    idle = min(_IDLE, span / 4)
    begun = [s for s in sessions if s.start <= end - span / 2]
    ended = sum(s.end <= end - idle for s in begun)
    return ended / len(begun) if begun else 0.0


def _longest_pause_s(session: Session) -> float:
    pauses = (b.time - a.time for a, b in pairwise(session.events))
    return max(pauses, default=timedelta()).total_seconds()


def _below(values: Iterable[float], share: float = 0.95) -> float:
    """What this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
