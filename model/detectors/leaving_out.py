"""Why a session scores as it does, for any detector: the score without each template.

What a template adds is by how much the score falls when all its events are taken out;
it is told at its first position. So the reasons of all detectors mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.detectors.protocol import Floats, Reason, Sample, part_of

MAX_TEMPLATES = 100


def by_leaving_out(
    score: Callable[[Sequence[Sample]], Floats], session: Sample
) -> tuple[Reason, ...]:
    """The templates of a session, the one that adds most to its score first.

    Of a session with more than 100 templates the first 100 are tried.
    """
    first: dict[int, int] = {}
    for position, event in enumerate(session.ids):
        first.setdefault(event, position)
    tried = dict(list(first.items())[:MAX_TEMPLATES])
    if len(first) < 2:
        return tuple(
            Reason(position, event, float(score([session])[0]))
            for event, position in tried.items()
        )
    without = [
        part_of(session, (i for i, e in enumerate(session.ids) if e != event))
        for event in tried
    ]
    scores = score([session, *without])
    reasons = [
        Reason(position, event, float(scores[0] - left))
        for (event, position), left in zip(tried.items(), scores[1:], strict=True)
    ]
    return tuple(sorted(reasons, key=lambda r: (-r.contribution, r.position)))
