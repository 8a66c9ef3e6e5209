"""Findings that were written already get the name of the class taken on for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

from connector import FindingSink
from connector.findings import EVENT_SEVERITY, LOG_LEVEL
from connector.timestamps import to_iso
from elkwatch.late_classes import Discovery
from model import Advice, load_bundle

Document = Mapping[str, Any]


def relabel_findings(
    sink: FindingSink, found: Discovery, folder: Path, *, language: str, now: datetime
) -> dict[str, int]:
    """Gives each finding its class, by id, name and advice; → how many, by class.

    What was known before keeps its class, also where it became known since: it is
    looked at anew. Names are those of the bundle at `folder`. Raises what the sink
    raises.
    """
    named = {c.class_id: c for c in load_bundle(folder).known_classes}
    told = {}
    for one in found.found.classes:
        known = named[one.class_id]
        advice = known.entry.told_in(language, known.about)
        ids = [str(u["finding"]) for u in found.taken(one) if u.get("finding")]
        told[one.class_id] = sink.change(ids, _renaming(one.class_id, advice, now))
    return told


def _renaming(
    class_id: str, advice: Advice, now: datetime
) -> Callable[[Document], dict[str, Any] | None]:
    def renamed(before: Document) -> dict[str, Any] | None:
        if before["elkwatch"]["class"]["known"]:
            return None
        document: dict[str, Any] = deepcopy(dict(before))
        own, class_ = document["elkwatch"], document["elkwatch"]["class"]
        old = str(class_["name"])
        class_.update(id=class_id, name=advice.name, known=True, before=class_["id"])
        own["severity"] = advice.severity
        own["causes"] = list(advice.causes)
        own["amended_at"] = to_iso(now)
        own["revision"] = own.get("revision", 0) + 1
        document["rule"].update(
            id=class_id, name=advice.name, description=advice.advice
        )
        document["event"]["severity"] = EVENT_SEVERITY[advice.severity]
        document["log"]["level"] = LOG_LEVEL[advice.severity]
        document["message"] = document["message"].replace(old, advice.name, 1)
        reason = document["event"]["reason"]
        document["event"]["reason"] = reason.replace(old, advice.name, 1)
        return document

    return renamed
