"""How a session deviates, in words that outlive a training: signed templates.

    +  more of it than is normal, or a line that training hardly knows
    -  less of it than is normal
    ~  usual, but in another order
    |  the last line before the session broke off
    =  also there, as is usual; only of sessions with a true start and end

Of what deviates it matters how often it came, in powers of two: three retries are not
three hundred. Of the rest it matters whether it is there at all: the same odd line in
another flow is another deviation. Lines that come or not in any flow are left out
(optional_lines.py). No ids and no class: sessions that deviate in one way
share all of it, also after another training, for as long as the templates read the
same. Of a line that no template matches the line itself counts, masked: two lines that
were never seen are not alike for that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from model.events import EncodedSession, Session
from model.patterns import PatternReading
from model.vocabulary import BOS, EOS, UNK, Vocabulary

MAX_TEXTS = 500


def deviation(
    reading: PatternReading,
    session: Session,
    encoded: EncodedSession,
    vocabulary: Vocabulary,
    unseen: Callable[[str], str],
    optional: Collection[int] = (),
) -> tuple[str, ...]:
    """The lines, what deviates first; at most MAX_TEXTS.

    `unseen` masks a line that has no template; `optional` event ids tell no flow.
    """
    counts: Counter[int] = Counter(encoded.ids)
    missing, about = set(reading.missing), set(reading.about)
    odd: set[str] = set()
    for event in about - {UNK}:
        sign = _sign(reading.pattern, event in missing)
        odd.add(f"{sign} {vocabulary.text(event)}{_roughly(counts[event])}")
    if UNK in about:
        odd |= {
            f"+ {unseen(event.message)}"
            for event, one in zip(session.events, encoded.ids, strict=True)
            if one == UNK
        }
    usual: set[str] = set()
    if encoded.starts and encoded.ends:
        others = set(counts) - about - {UNK, BOS, EOS, *optional}
        usual = {f"= {vocabulary.text(event)}" for event in others}
    return (*sorted(odd), *sorted(usual))[:MAX_TEXTS]


def _sign(pattern: str, missing: bool) -> str:
    if pattern == "broken-order":
        return "~"
    if missing:
        return "-"
    return "|" if pattern == "missing-step" else "+"


def _roughly(count: int) -> str:
    """A count by its power of two: ` ×4–7`; nothing for 0 and 1."""
    if count < 2:
        return ""
    low = 1 << (count.bit_length() - 1)
    return f" ×{low}–{2 * low - 1}"
