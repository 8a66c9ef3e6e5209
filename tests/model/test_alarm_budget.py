from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from model import sessions_a_day, share_of, threshold_within
from model.scoring import Calibration

SCORES = list(np.linspace(0.0, 2.0, 1001))


def test_the_threshold_keeps_within_the_budget_by_its_bound() -> None:
    found = threshold_within(SCORES, 1001, rate_a_day=100, budget_a_day=5)
    flagged = sum(score > found.threshold for score in SCORES)
    here, next_one = share_of(flagged, 1001), share_of(flagged + 1, 1001)
    assert here is not None
    assert next_one is not None
    assert here.high * 100 <= 5 < next_one.high * 100
    assert found.most_a_day == pytest.approx(here.high * 100)
    assert found.needed is None


def test_a_smaller_budget_never_has_a_lower_threshold() -> None:
    found = [threshold_within(SCORES, 1001, 100, b).threshold for b in (1, 2, 5, 20)]
    assert found == sorted(found, reverse=True)
    assert threshold_within(SCORES, 1001, 100, 100).threshold == 1.0


def test_what_few_sessions_cannot_promise_is_said() -> None:
    found = threshold_within([0.2, 0.5, 1.4], 3, rate_a_day=1000, budget_a_day=1)
    assert found.threshold == 1.4
    assert found.most_a_day > 100
    assert found.needed is not None
    enough = share_of(0, found.needed)
    too_few = share_of(0, found.needed - 1)
    assert enough is not None
    assert too_few is not None
    assert enough.high <= 0.001 < too_few.high


def test_without_held_out_sessions_nothing_is_promised() -> None:
    found = threshold_within([], 0, rate_a_day=10, budget_a_day=1)
    assert (found.threshold, found.most_a_day) == (1.0, float("inf"))
    assert found.needed


def test_logs_without_a_time_have_no_day() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert sessions_a_day(50, start, start + timedelta(hours=12)) == 100
    assert sessions_a_day(50, start, start) is None
    undated = datetime(1970, 1, 1, tzinfo=UTC)
    assert sessions_a_day(50, undated, undated + timedelta(days=1)) is None


@pytest.mark.parametrize("threshold", [0.4, 1.0, 1.7])
def test_risk_is_50_at_whatever_threshold_was_set(threshold: float) -> None:
    calibration = Calibration(6.0, threshold, tuple(SCORES), len(SCORES))
    scores = [*np.linspace(0, threshold, 50), *np.linspace(threshold, 9, 50)]
    risks = [calibration.risk(float(score)) for score in scores]
    assert risks == sorted(risks)
    assert risks[0] == 0
    assert calibration.risk(threshold) in (49, 50)
    assert calibration.risk(threshold * 1.05) > 50
    assert calibration.risk(2 * threshold) == 75
