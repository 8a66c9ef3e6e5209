"""The words of a deviation: what is in them, and what is not."""

from __future__ import annotations

from model.deviation import deviation
from model.events import EncodedSession
from model.patterns import PatternReading
from model.vocabulary import RESERVED, UNK, Vocabulary
from tests.model.builders import session

WORDS = Vocabulary(("open", "query", "close"))
OPEN, QUERY, CLOSE = RESERVED, RESERVED + 1, RESERVED + 2


def lines(
    reading: PatternReading,
    *ids: int,
    ends: bool = True,
    unseen: str = "deadlock",
    optional: tuple[int, ...] = (),
) -> tuple[str, ...]:
    made = session("s", [unseen] * len(ids))
    encoded = EncodedSession(ids, True, ends)
    return deviation(reading, made, encoded, WORDS, str.upper, optional)


def test_how_often_counts_roughly() -> None:
    reading = PatternReading("repetition", (QUERY,), ())
    often = [lines(reading, OPEN, *[QUERY] * n, CLOSE) for n in (4, 7, 8)]
    assert often[0] == ("+ query ×4–7", "= close", "= open")
    assert often[0] == often[1] != often[2]


def test_two_lines_never_seen_are_not_alike() -> None:
    reading = PatternReading("new-event", (UNK,), ())
    assert lines(reading, OPEN, UNK) == ("+ DEADLOCK", "= open")
    assert lines(reading, OPEN, UNK, unseen="full") == ("+ FULL", "= open")


def test_what_else_is_there_counts_for_whole_sessions_only() -> None:
    reading = PatternReading("missing-step", (CLOSE,), (CLOSE,))
    assert lines(reading, OPEN, QUERY) == ("- close", "= open", "= query")
    assert lines(reading, OPEN, QUERY, ends=False) == ("- close",)
    broken = PatternReading("missing-step", (QUERY,), ())
    assert lines(broken, OPEN, QUERY, ends=False) == ("| query",)
    swapped = PatternReading("broken-order", (QUERY,), ())
    assert lines(swapped, QUERY, OPEN, ends=False) == ("~ query",)


def test_optional_lines_tell_no_flow_but_deviate_as_others_do() -> None:
    reading = PatternReading("missing-step", (CLOSE,), (CLOSE,))
    assert lines(reading, OPEN, QUERY, optional=(QUERY,)) == ("- close", "= open")
    more = PatternReading("repetition", (QUERY,), ())
    assert lines(more, OPEN, *[QUERY] * 4, optional=(QUERY,))[0] == "+ query ×4–7"
