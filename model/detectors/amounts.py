"""How often one template comes in a session, against the sessions that have it at all.

The distance of counts is of all templates together: where sessions are of very unlike
lengths, hundreds of one line drown in it. Each template has an amount that hardly any
(2 %) of the sessions with it exceed; three times that is far.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from model.events import EncodedSession

EXCEEDED_BY = 0.02
FAR = 3.0


def usual_amounts(sessions: Sequence[EncodedSession]) -> dict[int, int]:
    """Event id → the amount that at most 2 % of the sessions with it exceed.

    Of fewer than fifty sessions with it: the largest.
    """
    amounts: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for session, times in Counter(sessions).items():
        for event, amount in Counter(session.ids).items():
            amounts[event][amount] += times
    return {event: _hardly_exceeded(seen) for event, seen in sorted(amounts.items())}


def _hardly_exceeded(seen: Counter[int]) -> int:
    left = math.floor(EXCEEDED_BY * seen.total())
    for amount in sorted(seen, reverse=True):
        left -= seen[amount]
        if left < 0:
            return amount
    return max(seen)


def farthest_amount(session: EncodedSession, usual: Mapping[int, int]) -> float:
    """The largest of a session's amounts, in thresholds; what is new has none."""
    return max(_amounts(session, usual).values(), default=0.0)


def far_amounts(session: EncodedSession, usual: Mapping[int, int]) -> tuple[int, ...]:
    """The event ids of the amounts past their threshold, the farthest first."""
    far = {e: amount for e, amount in _amounts(session, usual).items() if amount > 1}
    return tuple(sorted(far, key=lambda event: (-far[event], event)))


def _amounts(session: EncodedSession, usual: Mapping[int, int]) -> dict[int, float]:
    return {
        event: amount / (FAR * usual[event])
        for event, amount in Counter(session.ids).items()
        if event in usual
    }
