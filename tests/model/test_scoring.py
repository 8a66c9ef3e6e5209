import numpy as np
import pytest

from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.scoring import (
    MIN_SURPRISE_FENCE,
    Calibration,
    Views,
    calibrate,
)

CALIBRATION = Calibration(6.0, 1.0, tuple(np.linspace(0, 0.9, 10)))


def test_risk_is_50_at_the_threshold_and_rises_with_the_score() -> None:
    scores = [0.0, 0.1, 0.5, 0.9, 1.0, 1.01, 1.5, 2.0, 10.0, float("inf")]
    risks = [CALIBRATION.risk(score) for score in scores]
    assert risks == sorted(risks)
    assert CALIBRATION.risk(1.0) == 50
    assert CALIBRATION.risk(2.0) == 75
    assert CALIBRATION.risk(float("inf")) == 100
    assert all(risk <= 50 for risk in risks[:5])
    assert all(risk >= 50 for risk in risks[5:])


def test_risk_is_comparable_across_thresholds() -> None:
    other = Calibration(6.0, 4.0, ())
    assert other.risk(8.0) == CALIBRATION.risk(2.0)


@pytest.mark.parametrize("strong", ["surprise", "novelty", "distance"])
def test_any_view_alone_may_call_a_session_anomalous(strong: str) -> None:
    parts = {name: np.array([0.2]) for name in ("surprise", "novelty", "distance")}
    assert Views(**parts).joined(1.0)[0] < 1
    parts[strong] = np.array([1.4])
    assert Views(**parts).joined(1.0)[0] > 1


def test_past_the_threshold_the_network_ranks() -> None:
    joined = Views(
        surprise=np.array([0.1, 2.0]),
        novelty=np.array([30.0, 1.5]),
        distance=np.array([3.0, 0.0]),
    ).joined(1.0)
    assert joined[1] > joined[0] > 1


def test_what_support_knows_as_rare_is_no_worse_for_surprising_the_network() -> None:
    """It learned neither of them: one came in training now and then, one never."""
    joined = Views(
        surprise=np.array([2.5, 2.0, 2.5]),
        novelty=np.array([1.02, 13.0, 0.0]),
        distance=np.zeros(3),
    ).joined(1.0)
    assert joined[0] == pytest.approx(2.02, abs=0.01)
    assert joined[0] < joined[1] < joined[2]


def test_the_fence_lies_above_held_out_normal_sessions() -> None:
    support = SupportDistance()
    sessions = [EncodedSession((4, 5, 6))] * 100
    support.fit(sessions)
    found = calibrate(support, np.full(100, 8.0), sessions)
    assert found.surprise_fence == pytest.approx(10.0)
    assert found.threshold == 1.0
    low = calibrate(support, np.full(100, 0.1), sessions)
    assert low.surprise_fence == MIN_SURPRISE_FENCE


def test_without_held_out_sessions_there_is_still_a_threshold() -> None:
    support = SupportDistance()
    support.fit([EncodedSession((4, 5))])
    assert calibrate(support, np.zeros(0), []).threshold == 1.0


def test_risk_below_the_threshold_is_a_rank() -> None:
    tied = Calibration(6.0, 1.0, (0.5,) * 10)
    assert [tied.risk(score) for score in (0.4, 0.5, 0.6)] == [0, 25, 50]


def test_the_fence_also_lies_above_rare_flows_that_were_learned() -> None:
    support = SupportDistance()
    sessions = [EncodedSession((4, 5, 6))] * 100
    support.fit(sessions)
    learned = np.repeat([3.0, 9.0], [990, 10])
    found = calibrate(support, np.full(100, 3.0), sessions, learned)
    assert found.surprise_fence == pytest.approx(1.25 * 9.0)


def test_a_higher_threshold_moves_nobody_past_it_but_who_is_above() -> None:
    seen = Views(
        surprise=np.array([0.9, 0.9]),
        novelty=np.array([1.4, 1.6]),
        distance=np.array([0.0, 0.0]),
    )
    joined = seen.joined(1.5)
    assert joined[0] == pytest.approx(1.4)
    assert joined[1] > 1.5 * 1.9
