"""One score a session, from three views; each is 1 at its own threshold.

    surprise   the network's highest −log p over the session, against held-out normal
    novelty    rare patterns of order                        (detectors/support.py)
    distance   counts far from those of normal sessions      (detectors/support.py)

Up to the threshold the score is the largest: any view alone may call a session
anomalous, none can veto. Past it the yes or no is settled, and the network, which ranks
best, says how bad: 1 + surprise thresholds, the largest view breaking ties. Where
support has decided it says no worse than that: what is rare was set aside when the
network learned, so that a flow that comes every hour surprises it like one that never
came. The threshold keeps to a share of held-out normal sessions, or to a budget of
false alarms a day (alarm_budget.py), and is 1 or more.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.alarm_budget import Budgeted, threshold_within
from model.detectors.protocol import Floats
from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.surprise import MAX_NATS, Surprise

SURPRISE_QUANTILE = 0.995
SURPRISE_MARGIN = 1.25
LEARNED_QUANTILE = 0.999
MIN_SURPRISE_FENCE = 4.0
ALARM_SHARE = 0.005
LARGEST_SHARE = 0.001
MAX_HELD_OUT = 1000
NOTHING: Floats = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Views:
    """The three views of N sessions, each (N,), 1 at its own threshold."""

    surprise: Floats
    novelty: Floats
    distance: Floats

    def largest(self) -> Floats:
        """The largest view of each session, (N,)."""
        return np.maximum(self.surprise, self.without_network())

    def joined(self, threshold: float) -> Floats:
        """The session score, (N,): past this threshold the network ranks."""
        return _ranked(self.without_network(), self.surprise, threshold)

    def without_counts(self, threshold: float) -> Floats:
        """Ablation: the score without the count vector, (N,)."""
        return _ranked(self.novelty, self.surprise, threshold)

    def without_network(self) -> Floats:
        """Ablation: the score without the network, (N,)."""
        return np.maximum(self.novelty, self.distance)


def _ranked(support: Floats, surprise: Floats, threshold: float) -> Floats:
    """The largest view up to the threshold; past it, how surprised the network is, but
    no worse than support where that has decided."""
    largest = np.maximum(support, surprise)
    ties = LARGEST_SHARE * np.log(np.maximum(largest, 1.0))
    rank = np.where(support > threshold, np.minimum(surprise, support), surprise)
    past = threshold * (1.0 + rank + ties)
    return np.where(largest > threshold, past, largest)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What held-out normal sessions said.

    `held_out`: the largest view of each of `judged` sessions, sorted; their quantiles
    where they are more than 1,000.
    """

    surprise_fence: float
    threshold: float
    held_out: tuple[float, ...]
    judged: int = 0

    def within(self, budget_a_day: float, rate_a_day: float) -> Budgeted:
        """The threshold that allows so many false alarms a day, at such a rate of
        sessions a day."""
        judged = self.judged or len(self.held_out)
        return threshold_within(self.held_out, judged, rate_a_day, budget_a_day)

    def risk(self, score: float) -> int:
        """0–100; 50 at the threshold, by rank against held-out normal below it.

        Above it ranks are all alike: 100 − 50·threshold/score, so twice the threshold
        is 75 whatever the model.
        """
        if not math.isfinite(score):
            return 100
        if score > self.threshold:
            return min(100, round(100 - 50 * self.threshold / score))
        below = bisect_right(self.held_out, self.threshold)
        if not below:
            return min(50, int(50 * score / self.threshold))
        low = bisect_left(self.held_out, score)
        high = bisect_right(self.held_out, score)
        return min(50, int(50 * (low + high) / 2 / below))


def views(
    support: SupportDistance,
    highest: Floats,
    sessions: Sequence[EncodedSession],
    fence: float,
    left_out: int = 0,
) -> Views:
    """The three views of sessions (N) whose highest surprises (N) are known, nats."""
    parts = support.parts(sessions, left_out)
    return Views(highest / fence, parts.novelty, parts.distance)


def highest_of(surprises: Sequence[Surprise]) -> Floats:
    """The highest surprise of each session, nats. surprises (N) → (N,)."""
    return np.array([s.highest for s in surprises], dtype=np.float64)


def calibrate(
    support: SupportDistance,
    highest: Floats,
    held_out: Sequence[EncodedSession],
    learned: Floats = NOTHING,
) -> Calibration:
    """Fences and threshold from held-out normal sessions (N) and their highest
    surprises (N), nats.

    `learned` are those of the sessions that taught the network: a flow that is rare
    among normal ones may be held out by none of its few.
    """
    fence = SURPRISE_MARGIN * max(
        _quantile(highest, SURPRISE_QUANTILE), _quantile(learned, LEARNED_QUANTILE)
    )
    fence = min(max(fence, MIN_SURPRISE_FENCE), MAX_NATS)
    seen = views(support, highest, held_out, fence, left_out=1)
    threshold, sample = 1.0, np.sort(seen.largest())
    if len(held_out):
        threshold = max(1.0, float(np.quantile(sample, 1 - ALARM_SHARE)))
    if len(sample) > MAX_HELD_OUT:
        sample = np.quantile(sample, np.linspace(0, 1, MAX_HELD_OUT))
    return Calibration(fence, threshold, tuple(float(s) for s in sample), len(held_out))


def _quantile(highest: Floats, share: float) -> float:
    """A quantile of the highest surprises, nats; 0 where there are none."""
    return float(np.quantile(highest, share)) if len(highest) else 0.0
