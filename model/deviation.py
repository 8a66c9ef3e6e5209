"""How a session deviates, in words that outlive a training: signed templates.

    +  more of it than is normal, or a line that training hardly knows
    -  less of it than is normal
    ~  usual, but in another order
    |  the last line before the session broke off

No counts, no ids: sessions that deviate in one way share it, whichever class each was
given, and so they do after another training, as long as the templates read the same.
Of a line that no template matches the line itself counts, masked: two lines that were
never seen are not alike for that.
"""

from __future__ import annotations

from collections.abc import Callable

from model.events import EncodedSession, Session
from model.patterns import PatternReading
from model.vocabulary import UNK, Vocabulary

MAX_TEXTS = 20


def deviation(
    reading: PatternReading,
    session: Session,
    encoded: EncodedSession,
    vocabulary: Vocabulary,
    unseen: Callable[[str], str],
) -> tuple[str, ...]:
    """What the pattern is about, sorted; at most MAX_TEXTS.

    `unseen` masks a line that has no template.
    """
    missing = set(reading.missing)
    texts: set[str] = set()
    for event in reading.about:
        sign = _sign(reading.pattern, event in missing)
        if event != UNK:
            texts.add(f"{sign} {vocabulary.text(event)}")
            continue
        for place, one in enumerate(encoded.ids):
            if one == UNK:
                texts.add(f"{sign} {unseen(session.events[place].message)}")
    return tuple(sorted(texts)[:MAX_TEXTS])


def _sign(pattern: str, missing: bool) -> str:
    if pattern == "broken-order":
        return "~"
    if missing:
        return "-"
    return "|" if pattern == "missing-step" else "+"
