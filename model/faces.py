"""Clusters that strike together are faces of one kind.

One trouble may show differently in different sessions: of a deadlock there is a victim
and a winner, a crash cuts some sessions off and turns others away. Their lines tell
nothing of each other, but they come at the same moments. Of two clusters it is asked:

    moments    what comes within a scale of time is one, were it a hundred sessions
    together   the share of both clusters' moments that touch the other's (Dice)
    by chance  the same after the one is moved a little in time, by many steps

They are coupled where they are together clearly more often than by chance, in several
moments. Moving by *little* steps is what counts: in an outage everything happens in the
same minutes, also what has nothing to do with each other, but not at the same instants
(the jitter test of neuroscience: Amarasingham et al., J. Neurophysiol. 2012).

A cluster whose sessions hold lines that training hardly knows says what the trouble is;
such ones are joined where each is coupled with each. One without is a bystander (a
session that waits, or is cut off, has no line that says why): it joins the trouble that
it is coupled with, and none if it strikes with others, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

SCALES_S = (0.1, 1.0, 10.0)
TOGETHER = 0.25
MIN_MOMENTS = 3
DOUBT = 0.01
STEPS = np.array([k / 2 for n in range(4, 13) for k in (-n, n)])  # of a scale
MINUTE_S = 60.0

Labels = NDArray[np.int64]
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Moments:
    """When a cluster struck: first and last second of each burst (M,), in order."""

    first: Times
    last: Times

    @classmethod
    def of(cls, times: Times, scale: float) -> _Moments:
        """Sorted times (N,) as bursts, none longer than the scale."""
        firsts = [0]
        while (
            after := int(np.searchsorted(times, times[firsts[-1]] + scale, "right"))
        ) < len(times):
            firsts.append(after)
        lasts = [*(first - 1 for first in firsts[1:]), len(times) - 1]
        return cls(times[firsts], times[lasts])

    def touch(self, other: _Moments, scale: float, step: float) -> NDArray[np.bool_]:
        """Which of these, moved by a step, are within the scale of one of the other."""
        next_ = np.searchsorted(other.last, self.first + step - scale)
        reach = np.append(other.first, np.inf)[next_]
        touching: NDArray[np.bool_] = reach <= self.last + step + scale
        return touching


def join_faces(
    labels: Labels, times: Sequence[float], telling: Sequence[bool]
) -> Labels:
    """Clusters (N,) with those that strike together as one, the largest first.

    `times` (N,): when each row deviates, in seconds; `telling` (N,): it holds a line
    that training hardly knows. −1 in `labels` stays what it is.
    """
    when, tells = np.asarray(times, dtype=np.float64), np.asarray(telling, dtype=bool)
    numbers = [int(n) for n in np.unique(labels) if n >= 0]
    own = {n: np.sort(when[labels == n]) for n in numbers}
    troubles = [n for n in numbers if tells[labels == n].mean() > 0.5]
    pairs = [
        pair for pair in combinations(numbers, 2) if not set(pair).isdisjoint(troubles)
    ]
    doubt = DOUBT / max(1, len(pairs) * len(SCALES_S))
    excess = {pair: _together(own[pair[0]], own[pair[1]], doubt) for pair in pairs}
    groups = _troubles(troubles, excess)
    joined = {n: min(group) for group in groups for n in group}
    for number in set(numbers) - set(troubles):
        joined[number] = _stands_by(number, groups, excess)
    return _renumbered(labels, joined)


def _troubles(
    troubles: Sequence[int], excess: Mapping[tuple[int, int], float]
) -> list[frozenset[int]]:
    """Groups in which each is coupled with each, the most coupled joined first."""
    groups = {n: frozenset([n]) for n in troubles}
    for left, right in sorted(excess, key=lambda pair: -excess[pair]):
        if left not in groups or right not in groups:
            continue
        both = groups[left] | groups[right]
        if all(excess[pair] >= TOGETHER for pair in combinations(sorted(both), 2)):
            groups |= dict.fromkeys(both, both)
    return sorted(set(groups.values()), key=min)


def _stands_by(
    number: int,
    groups: Sequence[frozenset[int]],
    excess: Mapping[tuple[int, int], float],
) -> int:
    """The trouble that a bystander belongs to; itself where to none, or to several."""
    most = [
        max(excess[min(n, number), max(n, number)] for n in group) for group in groups
    ]
    touched = [group for group, share in zip(groups, most, strict=True) if share > 0]
    if len(touched) == 1 and max(most) >= TOGETHER:
        return min(touched[0])
    return number


def _renumbered(labels: Labels, joined: Mapping[int, int]) -> Labels:
    size = Counter(joined[int(n)] for n in labels if n >= 0)
    order = sorted(size, key=lambda n: (-size[n], n))
    place = {n: order.index(to) for n, to in joined.items()}
    return np.array([place.get(int(n), -1) for n in labels], dtype=np.int64)


def _together(left: Times, right: Times, doubt: float) -> float:
    """How much more of two clusters' moments is together than by chance, 0 to 1.

    At the scale where it is most; 0 where chance may well have done it.
    """
    grain = max(_grain(left), _grain(right))
    fine = [scale for scale in SCALES_S if scale >= grain]
    return max((_at_scale(left, right, scale, doubt) for scale in fine), default=0.0)


def _at_scale(left: Times, right: Times, scale: float, doubt: float) -> float:
    fewer, more = sorted(
        (_Moments.of(left, scale), _Moments.of(right, scale)),
        key=lambda moments: len(moments.first),
    )
    hit = fewer.touch(more, scale, 0.0)
    if hit.sum() < MIN_MOMENTS or _by_the_clock(fewer.first[hit]):
        return 0.0
    moved = np.array(
        [
            (
                fewer.touch(more, scale, step).sum(),
                more.touch(fewer, scale, -step).sum(),
            )
            for step in STEPS * scale
        ]
    )
    chance = (moved[:, 0].sum() + 1) / (len(hit) * len(STEPS) + 1)
    if float(binom.sf(hit.sum() - 1, len(hit), chance)) >= doubt:
        return 0.0
    total = len(fewer.first) + len(more.first)
    share = (hit.sum() + more.touch(fewer, scale, 0.0).sum()) / total
    return max(0.0, float(share - moved.sum(axis=1).mean() / total))


def _by_the_clock(times: Times) -> bool:
    """Whether most of these moments lie in one second of the minute: what timers
    start has only the timer in common."""
    seconds = Counter(np.floor(times % MINUTE_S).tolist())
    return 2 * max(seconds.values()) > len(times)


def _grain(times: Times) -> float:
    """How finely these are told: a minute, a second, or finer (0)."""
    for grain in (MINUTE_S, 1.0):
        if np.all(times % grain == 0):
            return grain
    return 0.0
