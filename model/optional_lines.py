"""Lines that come or not while all else is equal: they tell nothing of the flow.

Of the usual sessions that hold an *optional* template, nine in ten would be usual
without it too: sessions with all of their other templates, and not this one, are no
rarer than what makes a pattern usual (support.py). A template that tells two flows
apart by coming together with others is none.
"""

from __future__ import annotations

from collections import Counter

from model.detectors.support import SupportDistance

OPTIONAL_SHARE = 0.9


def optional_events(support: SupportDistance) -> frozenset[int]:
    """The event ids of optional templates, by the usual sessions of training."""
    sets = support.usual_sets()
    holding: Counter[int] = Counter()
    spared: Counter[int] = Counter()
    for events, times in sets.items():
        for event in events:
            holding[event] += times
            if sets[events - {event}] >= support.rare:
                spared[event] += times
    return frozenset(
        event
        for event, times in spared.items()
        if times >= OPTIONAL_SHARE * holding[event]
    )
