"""Open sessions are scored by what is new in them, and score as if scored whole."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.growing import MAX_RARE, GrowingScores
from model.network import NetworkConfig, NextEventLSTM
from model.scoring import Calibration, highest_of, views
from model.surprise import SEGMENT, surprises

CPU = torch.device("cpu")
SIZE = 12
CALIBRATION = Calibration(surprise_fence=4.0, threshold=1.0, held_out=())


def network(layers: int = 1) -> NextEventLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        config = NetworkConfig(SIZE, embedding=8, hidden=16, layers=layers)
        return NextEventLSTM(config).eval()


def support() -> SupportDistance:
    fitted = SupportDistance()
    usual, known = EncodedSession((4, 5, 6, 4, 5, 7)), EncodedSession((4, 8))
    fitted.fit([usual] * 60 + [known] * 3, trusted=np.array([False] * 60 + [True] * 3))
    assert fitted.lengths == (1, 2, 3)
    assert fitted.is_known(known)
    return fitted


NETWORK, TWO_LAYERS, SUPPORT = network(), network(layers=2), support()


def whole(net: NextEventLSTM, session: EncodedSession) -> float:
    """The score of a session that is scored from its start."""
    highest = highest_of(surprises(net, [session], CPU))
    seen = views(SUPPORT, highest, [session], CALIBRATION.surprise_fence)
    return float(seen.joined(CALIBRATION.threshold)[0])


def growing(net: NextEventLSTM = NETWORK, most: int = 100) -> GrowingScores:
    return GrowingScores(net, SUPPORT, CALIBRATION, CPU, most)


ids = st.lists(st.integers(4, SIZE - 1), min_size=1, max_size=12).map(tuple)
units = st.integers(0, 3)
ticks = st.lists(st.dictionaries(units, ids, min_size=1), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(ticks, st.booleans(), st.booleans())
def test_equal_to_scoring_whole(
    grown: list[dict[int, tuple[int, ...]]], starts: bool, deep: bool
) -> None:
    net = TWO_LAYERS if deep else NETWORK
    scores = growing(net)
    so_far: dict[int, tuple[int, ...]] = {}
    for new in grown:
        so_far |= {unit: so_far.get(unit, ()) + more for unit, more in new.items()}
        sessions = [EncodedSession(so_far[unit], starts, False) for unit in new]
        found = scores.score(list(new), sessions)
        assert np.allclose(found, [whole(net, s) for s in sessions], atol=1e-5)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_in_16_bit_numbers_too(half: torch.dtype) -> None:
    net = network(layers=2).to(half)
    scores = growing(net)
    for length in (2, 4, 7):
        session = EncodedSession((4, 5, 6, 4, 5, 7, 9)[:length], ends=False)
        (found,) = scores.score(["a"], [session])
        assert found == pytest.approx(whole(net, session), abs=0.02)


def test_counts_that_people_called_normal_are_known_while_they_grow() -> None:
    scores = growing()
    for session in (EncodedSession(ids, ends=False) for ids in ((4,), (4, 8), (8, 8))):
        (found,) = scores.score(["a"], [session])
        assert found == pytest.approx(whole(NETWORK, session))


@settings(deadline=None, max_examples=30)
@given(ids, ids, st.integers(4, SIZE - 1), st.data())
def test_a_late_event_changes_the_course(
    first: tuple[int, ...], more: tuple[int, ...], late: int, data: st.DataObject
) -> None:
    scores = growing()
    scores.score(["a"], [EncodedSession(first, ends=False)])
    at = data.draw(st.integers(0, len(first)))
    session = EncodedSession((*first[:at], late, *first[at:], *more), ends=False)
    assert np.allclose(scores.score(["a"], [session]), [whole(NETWORK, session)])


def test_what_is_new_is_read_and_nothing_else() -> None:
    read: list[int] = []
    net = network()
    net.register_forward_pre_hook(lambda _, given: read.append(given[0].numel()))
    scores = growing(net)
    so_far: tuple[int, ...] = ()
    for _ in range(5):
        so_far += (4, 5, 6)
        scores.score(["a", "b"], [EncodedSession(so_far, ends=False)] * 2)
    assert read == [3] * 5


def test_long_growth_runs_in_segments() -> None:
    rng = random.Random(0)
    scores = growing()
    events = tuple(rng.randrange(4, SIZE) for _ in range(2 * SEGMENT + 50))
    for length in (10, SEGMENT + 30, len(events)):
        session = EncodedSession(events[:length], ends=False)
        (found,) = scores.score(["a"], [session])
        assert found == pytest.approx(whole(NETWORK, session), abs=1e-5)


def test_little_is_kept_and_of_few() -> None:
    scores = growing(most=3)
    for unit in range(10):
        scores.score([unit], [EncodedSession((4, 5), ends=False)])
    assert len(scores) == 3
    scores.forget([9, 0])
    assert len(scores) == 2


def test_a_session_of_very_many_rare_patterns_is_not_kept() -> None:
    net = NextEventLSTM(NetworkConfig(3000, embedding=8, hidden=16)).eval()
    scores = growing(net)
    odd = EncodedSession(tuple(range(4, 5 + MAX_RARE)), ends=False)
    first = scores.score(["a"], [odd])
    assert len(scores) == 0
    assert scores.score(["a"], [odd]) == first


def test_an_ended_session_is_refused() -> None:
    with pytest.raises(ValueError, match="scored whole"):
        growing().score(["a"], [EncodedSession((4,))])
