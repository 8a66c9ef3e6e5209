"""What a detector learns from, and the threshold that all unsupervised ones share.

Labels keep anomalous sessions out of what is usual. A fifth of the rest, drawn by the
seed, is held out, and the threshold set on it, so that no detector is judged by
sessions that it has learned by heart. The shares were set on the PostgreSQL logs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from model.detectors.protocol import Flags, Floats, Kinds, S
from model.errors import TrainingError
from model.labels import IGNORE, NORMAL

ALARM_SHARE = 0.005
FENCE_QUANTILE, FENCE_FACTOR = 0.98, 1.5
HELD_OUT_SHARE = 0.2
MAX_LEARNED = 20_000


def usual(sessions: Sequence[S], labels: Kinds | None) -> list[S]:
    """The sessions that no label calls anomalous. Raises TrainingError for none."""
    given: Kinds = [None] * len(sessions) if labels is None else labels
    kept = [
        session
        for session, label in zip(sessions, given, strict=True)
        if label in (None, NORMAL)
    ]
    if not kept:
        raise TrainingError(
            f"no session of {len(sessions)} to learn what is normal from; give more "
            "logs, or check the labels"
        )
    return kept


def told_apart(
    name: str, sessions: Sequence[S], labels: Kinds | None, seed: int
) -> tuple[list[S], Flags]:
    """The labelled sessions, and which of them are anomalous, (N,).

    Of more than 20,000 so many are drawn by the seed, of both sorts alike.

    Raises TrainingError where there are none of both sorts.
    """
    pairs = [
        (session, label != NORMAL)
        for session, label in zip(
            sessions, labels or [None] * len(sessions), strict=True
        )
        if label not in (None, IGNORE)
    ]
    odd = np.array([flag for _, flag in pairs], dtype=bool)
    if not odd.any() or odd.all():
        raise TrainingError(
            f"{name} learns from labels: it needs sessions labelled normal and others "
            f"labelled anomalous, and got {int((~odd).sum())} and {int(odd.sum())}; "
            "give labels of both, or choose a detector that needs none"
        )
    order = np.random.default_rng(seed).permutation(len(pairs))
    by_sort = [order[odd[order]], order[~odd[order]]]
    share = min(1.0, MAX_LEARNED / len(pairs))
    drawn = [part[: math.ceil(share * len(part))] for part in by_sort]
    kept = np.sort(np.concatenate(drawn))
    return [pairs[i][0] for i in kept], odd[kept]


def held_out(sessions: Sequence[S], seed: int) -> tuple[list[S], list[S]]:
    """What is learned (at most 20,000) and what the threshold is set on.

    Where there are fewer than five sessions, all are both.
    """
    if len(sessions) < 1 / HELD_OUT_SHARE:
        return list(sessions), list(sessions)
    order = np.random.default_rng(seed).permutation(len(sessions))
    aside = int(HELD_OUT_SHARE * len(sessions))
    learned = sorted(order[aside : aside + MAX_LEARNED].tolist())
    return [sessions[i] for i in learned], [sessions[i] for i in sorted(order[:aside])]


def alarm_threshold(scores: Floats) -> float:
    """The threshold of held-out scores (N,): ALARM_SHARE of them are above it.

    It is at most 1½ times what 98 % of them keep to: what is far beyond most is taken
    for trouble that nobody labelled, not for normal.
    """
    fence = FENCE_FACTOR * float(np.quantile(scores, FENCE_QUANTILE))
    return min(float(np.quantile(scores, 1 - ALARM_SHARE)), fence)
