"""The classes of a bundle as records: what `elkwatch classes` shows.

TrainedModel (classes, lineage) ─┐
findings of the last days ───────┴─▶ one record a class, plain data
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import fmean
from typing import Any

from elkwatch.privacy import Mask
from model import (
    Lineage,
    ModelClass,
    Prototype,
    TrainedModel,
    likeness,
    prototype_of,
)

_DIGITS = 3


def class_records(
    model: TrainedModel,
    drift: Mapping[str, tuple[int, float]],
    language: str = "en",
    mask: Mask = str,
) -> list[dict[str, Any]]:
    """One record a class, in the model's order; drift as `drift_by_class` gives it.

    `mask` hides what is private in what was taken from the logs.
    """
    return [
        _record(known, model.lineage, drift, language, mask)
        for known in model.known_classes
    ]


def drift_by_class(
    findings: Iterable[Mapping[str, Any]], source: str, model: TrainedModel
) -> dict[str, tuple[int, float]]:
    """Class id → how many findings it had, their mean distance to it, 0–1."""
    lineage, unseen = model.lineage, model.templates.mask
    found: dict[str, list[float]] = {}
    for document in findings:
        own = document.get("elkwatch", {})
        known = lineage.of(str(own.get("class", {}).get("id", "")))
        if own.get("source") != source or known is None or not known.prototype:
            continue
        if own.get("status") != "withdrawn":
            distance = 1.0 - likeness(known.prototype, shown_deviation(own, unseen))
            found.setdefault(known.class_id, []).append(distance)
    return {key: (len(values), fmean(values)) for key, values in found.items()}


def shown_deviation(own: Mapping[str, Any], unseen: Mask) -> Prototype:
    """The deviation that the `elkwatch` part of a finding shows, by wording.

    `unseen` masks a line that no template matches.
    """
    lines = [
        (
            str(line.get("template", "")),
            str(line.get("message", "")),
            float(line.get("surprise_nats", 0.0)),
        )
        for line in own.get("evidence") or ()
    ]
    return prototype_of(lines, map(str, own.get("missing") or ()), unseen)


def _record(
    known: ModelClass,
    lineage: Lineage,
    drift: Mapping[str, tuple[int, float]],
    language: str,
    mask: Mask,
) -> dict[str, Any]:
    advice = known.entry.told_in(language, known.about)
    remembered = lineage.of(known.class_id)
    findings, distance = drift.get(known.class_id, (0, None))
    return {
        "class_id": known.class_id,
        "name": mask(advice.name),
        "own_name": bool(remembered and remembered.own_name),
        "severity": advice.severity,
        "pattern": known.pattern,
        "taught": known.taught,
        "members": known.members,
        "first_seen": _iso(remembered.first_seen if remembered else None),
        "last_seen": _iso(remembered.last_seen if remembered else None),
        "findings": findings,
        "drift": None if distance is None else round(distance, _DIGITS),
        "advice": advice.advice,
        "causes": list(advice.causes),
        "prototype": [
            {"text": mask(text), "weight": round(weight, _DIGITS)}
            for text, weight in sorted(
                (remembered.prototype if remembered else {}).items(),
                key=lambda pair: -pair[1],
            )
        ],
        "history": [
            {"at": _iso(c.at), "class_id": c.class_id, "what": c.told()}
            for c in lineage.history(known.class_id)
        ],
    }


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")
