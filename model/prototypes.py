"""Deviations by wording: what one model saw, as another one understands it.

A prototype is a unit vector with a weight for each template that deviates, *by its
text*: event ids are given anew by each training, the wording of the logs stays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from model.features import USUAL_NATS
from model.vocabulary import UNSEEN

MAX_KEYS = 24
MISSING = "missing: "
_MASK = re.compile(r"<[^<>\s]*>")
_SPACES = re.compile(r"\s+")

Prototype = Mapping[str, float]


def wording(text: str) -> str:
    """What stays of a template's text when its masks are drawn otherwise."""
    return _SPACES.sub(" ", _MASK.sub(" ", text)).strip().lower() or text


def unit(weights: Mapping[str, float]) -> dict[str, float]:
    """The strongest MAX_KEYS weights, as a vector of length 1; empty where none is."""
    strongest = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    kept = {k: v for k, v in strongest[:MAX_KEYS] if math.isfinite(v) and v > 0}
    length = math.sqrt(sum(v * v for v in kept.values()))
    return {k: v / length for k, v in kept.items()} if length else {}


def likeness(left: Prototype, right: Prototype) -> float:
    """Cosine of two prototypes, 0 to 1."""
    return min(1.0, sum(v * right.get(k, 0.0) for k, v in left.items()))


def rooted(prototype: Prototype) -> dict[str, float]:
    """With square roots of the weights: many lines count more than one loud line."""
    return unit({text: math.sqrt(weight) for text, weight in prototype.items()})


def prototype_of(
    lines: Iterable[tuple[str, str, float]],
    missing: Iterable[str],
    unseen: Callable[[str], str],
) -> dict[str, float]:
    """The deviation a finding shows: templates, lines and their nats, what is missing.

    A line that no template matches stands for itself, as `unseen` masks it: two lines
    that were never seen are not alike for that.
    """
    weights: dict[str, float] = {}
    for template, line, nats in lines:
        key = wording(unseen(line) if template == UNSEEN and line else template)
        weights[key] = max(nats - USUAL_NATS, weights.get(key, 0.0))
    for text in missing:
        weights[MISSING + wording(text)] = USUAL_NATS
    return unit(weights)


def mean_prototype(rows: Sequence[Prototype]) -> dict[str, float]:
    """The prototype of several deviations."""
    total: dict[str, float] = {}
    for row in rows:
        for key, value in row.items():
            total[key] = total.get(key, 0.0) + value
    return unit(total)
