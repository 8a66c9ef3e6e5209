"""The evidence of a finding: which lines, how surprising, what was expected instead."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from model.events import EncodedSession, Session
from model.patterns import PatternReading
from model.surprise import Surprise
from model.verdicts import Evidence
from model.vocabulary import EOS, Vocabulary

MAX_LINES = 6
MAX_MESSAGE = 2000
MIN_NATS = 2.0
SHOWN_MISSING = 5


def evidence(
    vocabulary: Vocabulary,
    session: Session,
    encoded: EncodedSession,
    surprise: Surprise,
    positions: Sequence[int],
    following: Sequence[Sequence[tuple[int, float]]],
) -> tuple[Evidence, ...]:
    """The lines that made the session anomalous, in their order.

    positions (P), following (P): what was expected there (surprise.expectations).
    """
    lines = []
    for position, likely in zip(positions, following, strict=True):
        at_end = position == len(session.events)
        lines.append(
            Evidence(
                position=position,
                template=vocabulary.text(EOS if at_end else encoded.ids[position]),
                message=""
                if at_end
                else session.events[position].message[:MAX_MESSAGE],
                surprise_nats=float(surprise.nats[position]),
                expected=tuple((vocabulary.text(i), p) for i, p in likely),
                doc_id="" if at_end else session.events[position].doc_id,
            )
        )
    return tuple(lines)


def missing_texts(reading: PatternReading, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The templates of the steps that were expected and did not come."""
    return tuple(vocabulary.text(event) for event in reading.missing[:SHOWN_MISSING])


def positions_to_show(
    encoded: EncodedSession,
    surprise: Surprise,
    reading: PatternReading,
    decided: Collection[int] = (),
    fence: float = math.inf,
) -> Sequence[int]:
    """Where the evidence is, in order; at most MAX_LINES positions.

    Those that `decided`, surprising ones, those of the events the pattern is about.
    Past `fence`, nats, surprise alone calls the session odd: a count that does not
    surprise is then no evidence. What there is too little of is never one by itself.
    """
    explained = reading.by_counts and surprise.highest > fence
    about = set[int]() if explained else {*reading.about} - {*reading.missing}
    weights = [
        (float(nats) + (MIN_NATS if event in about else 0.0), -position)
        for position, (nats, event) in enumerate(
            zip(surprise.nats, (*encoded.ids, EOS), strict=True)
        )
    ]
    ranked = sorted(weights, reverse=True)
    chosen = [-p for weight, p in ranked[:MAX_LINES] if weight >= MIN_NATS]
    if not chosen and ranked:
        chosen = [-ranked[0][1]]
    return sorted(dict.fromkeys([*decided, *chosen][:MAX_LINES]))
