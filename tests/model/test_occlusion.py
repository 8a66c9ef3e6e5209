"""Evidence is tried: lines are added until a session scores lower without them."""

from collections.abc import Sequence

import numpy as np
import pytest

from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.explain import MAX_LINES, positions_to_show
from model.occlusion import until_lower
from model.patterns import PatternReading
from model.surprise import Surprise

ODD, ODDER = 90, 91
NATS = {ODD: 5.0, ODDER: 9.0}


def surprise_of(session: EncodedSession) -> Surprise:
    nats = np.array([NATS.get(i, 0.1) for i in session.ids] + [0.0], dtype=np.float32)
    return Surprise(nats, {}, np.zeros(1, dtype=np.float32))


def by_the_oddest(
    sessions: Sequence[EncodedSession],
) -> tuple[list[Surprise], Floats]:
    """A score as the network's is: the highest surprise."""
    found = [surprise_of(session) for session in sessions]
    return found, np.array([s.highest for s in found], dtype=np.float64)


def shown(ids: Sequence[int], given: Sequence[int]) -> Sequence[int]:
    session = EncodedSession(tuple(ids))
    score = surprise_of(session).highest
    return until_lower(by_the_oddest, [session], [score], [given])[0]


@pytest.mark.parametrize(
    ("ids", "given", "expected"),
    [
        ((1, ODD, 2), (1,), (1,)),  # enough as it is
        ((1, ODD, 2, ODD), (1,), (1, 3)),  # the other one is as odd
        ((1, ODD, 2, ODDER, ODDER), (4,), (3, 4)),  # down to the lesser one
        ((ODD,), (0,), (0,)),  # nothing is left of the session
        ((ODD, ODD), (0,), (0, 1)),
        ((1, ODD), (1, 2), (1, 2)),  # the end of a session is no line
    ],
)
def test_lines_are_added_until_the_score_falls(
    ids: Sequence[int], given: Sequence[int], expected: Sequence[int]
) -> None:
    assert tuple(shown(ids, given)) == expected


def test_where_no_lines_help_they_are_as_given() -> None:
    many = [ODD] * (MAX_LINES + 2)
    assert tuple(shown(many, (3,))) == (3,)
    assert tuple(shown(many, tuple(range(MAX_LINES)))) == tuple(range(MAX_LINES))


def test_each_session_has_its_own_lines() -> None:
    sessions = [EncodedSession((ODD, 1)), EncodedSession((ODD, 1, ODD))]
    found = until_lower(by_the_oddest, sessions, [5.0, 5.0], [(0,), (0,)])
    assert [tuple(each) for each in found] == [(0,), (0, 2)]


def test_nothing_to_show_is_no_trouble() -> None:
    assert until_lower(by_the_oddest, [], [], []) == []


def test_counts_that_do_not_surprise_are_no_evidence_beside_what_does() -> None:
    session = EncodedSession((1, 1, 1, ODD))
    odd = surprise_of(session)
    repeated = PatternReading("repetition", (1,), ())
    assert list(positions_to_show(session, odd, repeated, fence=4.0)) == [3]
    assert list(positions_to_show(session, odd, repeated, fence=6.0)) == [0, 1, 2, 3]
    new = PatternReading("new-event", (1,), ())
    assert list(positions_to_show(session, odd, new, fence=4.0)) == [0, 1, 2, 3]


def test_what_there_is_too_little_of_is_no_evidence() -> None:
    session = EncodedSession((1, 2, ODD, 1))
    lacking = PatternReading("missing-step", (1,), (1,))
    shown = positions_to_show(session, surprise_of(session), lacking, fence=9.0)
    assert list(shown) == [2]
