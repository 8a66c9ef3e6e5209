"""What kind of deviation it is, and the line it is named by."""

import random

import numpy as np

from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.patterns import read_pattern
from model.surprise import Surprise
from tests.model.builders import encoded

TIME = 20


def odd_at(session: EncodedSession, place: int, nats: float = 9.0) -> Surprise:
    found = np.full(len(session.ids) + 1, 0.1, dtype=np.float32)
    found[place] = nats
    return Surprise(found, {}, np.zeros(1, dtype=np.float32))


def fitted(*flows: list[int]) -> SupportDistance:
    support = SupportDistance()
    support.fit(encoded(*flows))
    return support


def test_far_more_of_one_line_is_a_repetition_whatever_else_differs() -> None:
    """The nearest session by counts is a long one, which has many lines besides."""
    rng = random.Random(0)
    short = [[4, *[5] * rng.randint(1, 9), 6] for _ in range(200)]
    long = [[4, 5, *[7, 8, 9] * rng.randint(9, 20), 6] for _ in range(200)]
    support = fitted(*short, *long)
    (session,) = encoded([4, 7, 8, 9] + [5] * 40 + [6])
    reading = read_pattern(session, odd_at(session, 3), support)
    assert reading.pattern == "repetition"
    assert reading.about == (5,)
    assert reading.subject == 5


def test_a_missing_step_is_named_by_the_line_before_not_by_the_time_it_took() -> None:
    support = fitted(*[[4, TIME, 5, TIME, 6, TIME, 7, TIME]] * 100)
    (session,) = encoded([4, TIME, 5, TIME])
    reading = read_pattern(session, odd_at(session, 4), support)
    assert reading.pattern == "missing-step"
    assert reading.subject == 5
    (nothing_else,) = encoded([TIME, TIME])
    assert read_pattern(nothing_else, odd_at(nothing_else, 2), support).subject == TIME


def test_a_line_where_another_was_expected_is_no_slight_deviation() -> None:
    """Also where counts differ by more than two from those of any session."""
    support = fitted(*[[4, *[5] * 10, *[6] * 10, *[7] * 10, 9]] * 100)
    (session,) = encoded([4, *[5] * 5, 6, *[5] * 7, *[6] * 8, *[7] * 10, 9])
    loud = read_pattern(session, odd_at(session, 6), support)
    quiet = read_pattern(session, odd_at(session, 6, nats=1.0), support)
    assert (quiet.pattern, quiet.about) == ("slight-deviation", (5, 6))
    assert loud.pattern == "broken-order"
    assert loud.about == (6, 5)
