"""The figures of a training whose presence head decides: sessions told by the others.

Where weights of templates decide (presence_choice.py), what the three views would flag
is no longer what is flagged. Every labelled session was told once by a head that had
not learned it: these results take their place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from model.labels import NORMAL
from model.presence_choice import HeadChoice, Labelled
from model.training_figures import group_of, table_of

_NOTHING = np.zeros(0)


def with_head(
    figures: Mapping[str, Any], choice: HeadChoice | None, labelled: Labelled
) -> dict[str, Any]:
    """`figures` with what was tried; where the head decides, with what it says."""
    tried = None if choice is None else choice.figures
    told = {**figures, "presence": tried}
    if choice is None or choice.head is None:
        return told
    threshold, normal = 1.0, len(labelled.normal)
    scores: dict[str, Any] = {"threshold": threshold}
    for name in ("held_out_unusual", "cleaned_out", "deviants"):
        scores[name] = group_of(figures["scores"][name]["sessions"], _NOTHING, 1.0)
    scores["held_out"] = group_of(normal, choice.scores[:normal], threshold)
    names = (NORMAL, *labelled.kinds)
    counts = {name: Counter[str]() for name in names}
    for truth, call in zip(labelled.codes, choice.calls, strict=True):
        counts[names[truth]][names[call]] += 1
    return {
        **told,
        "scores": scores,
        "labelled": [_row(kind, counts[kind]) for kind in labelled.kinds],
        "confusion": table_of(counts, labelled.kinds),
    }


def _row(kind: str, called: Counter[str]) -> dict[str, Any]:
    total = called.total()
    return {
        "kind": kind,
        "sessions": total,
        "judged": total,
        "detected": total - called[NORMAL],
        "held_out": total,
        "right": called[kind],
    }
