"""Evidence that is tried: without its lines a session scores lower.

What surprises most is not always what the score hangs on: take it away, and what is
left may be as odd. Then what is odd there is evidence, too. Source of the test:
occlusion (Zeiler & Fergus, ECCV 2014), here of whole lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.explain import MAX_LINES
from model.surprise import Surprise

Judge = Callable[[Sequence[EncodedSession]], tuple[Sequence[Surprise], Floats]]


def until_lower(
    judge: Judge,
    sessions: Sequence[EncodedSession],
    scores: Sequence[float],
    positions: Sequence[Sequence[int]],
) -> list[Sequence[int]]:
    """Positions (N) of sessions (N), more where the score (N) does not fall without.

    At most MAX_LINES each; as given where that does not help, as in a session that
    lacks something. `judge`: sessions (M) → what surprises in them, their scores (M).
    """
    chosen = list(positions)
    tried = {i: tuple(given) for i, given in enumerate(positions)}
    while tried:
        cuts = {i: _without(sessions[i], lines) for i, lines in tried.items()}
        cuts = {i: cut for i, cut in cuts.items() if cut.ids}
        for i in tried.keys() - cuts.keys():
            chosen[i] = tried[i]  # nothing is left that could be odd
        found, left = judge(list(cuts.values()))
        again = {}
        for i, surprise, score in zip(cuts, found, left.tolist(), strict=True):
            if score < scores[i]:
                chosen[i] = tried[i]
            elif len(tried[i]) < MAX_LINES:
                more = _oddest(len(sessions[i].ids), tried[i], surprise)
                again[i] = tuple(sorted((*tried[i], more)))
        tried = again  # one line more in each: at most MAX_LINES rounds
    return chosen


def _without(session: EncodedSession, positions: Collection[int]) -> EncodedSession:
    kept = (e for i, e in enumerate(session.ids) if i not in positions)
    return replace(session, ids=tuple(kept))


def _oddest(events: int, left_out: Collection[int], surprise: Surprise) -> int:
    """Where the line stood that is now most surprising; of the end, the last one."""
    kept = [i for i in range(events) if i not in left_out]
    return kept[min(int(surprise.nats.argmax()), len(kept) - 1)]
