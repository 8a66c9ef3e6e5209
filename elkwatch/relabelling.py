"""Findings that were written already get the name of the class taken on for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from connector import FindingChanger, WrittenFinding, finding_from
from elkwatch.feedback.written import as_kind
from elkwatch.late_classes import Discovery
from model import Advice, load_bundle

_ROUNDS_MAX = 4


def relabel_findings(
    changer: FindingChanger,
    written: Iterable[WrittenFinding],
    found: Discovery,
    folder: Path,
    *,
    language: str,
    now: datetime,
) -> dict[str, int]:
    """Gives each finding its class, by id, name and advice; → how many, by class.

    What was known before keeps its class, also where it became known since: it is
    looked at anew. Names are those of the bundle at `folder`. Raises what the changer
    raises.
    """
    named = {c.class_id: c for c in load_bundle(folder).known_classes}
    place = {one.document["event"]["id"]: one for one in written}
    told = {}
    for one in found.found.classes:
        known = named[one.class_id]
        advice = known.entry.told_in(language, known.about)
        ids = [str(own.get("finding")) for own in found.taken(one)]
        due = [place[finding_id] for finding_id in ids if finding_id in place]
        told[one.class_id] = _relabel(changer, due, one.class_id, advice, now)
    return told


def _relabel(
    changer: FindingChanger,
    due: list[WrittenFinding],
    class_id: str,
    advice: Advice,
    now: datetime,
) -> int:
    """How many were changed; what somebody else changed meanwhile is read again."""
    done = 0
    for _ in range(_ROUNDS_MAX):
        strange = [
            (one, finding)
            for one in (changer.newest(due) if due else [])
            if not (finding := finding_from(one.document)).known
        ]
        changes = [
            (one, replace(as_kind(f, class_id, advice), class_before=f.class_id))
            for one, f in strange
        ]
        outcomes = changer.change(changes, now)
        done += outcomes.count("changed")
        due = [
            one
            for (one, _), outcome in zip(changes, outcomes, strict=True)
            if outcome == "conflict"
        ]
        if not due:
            break
    return done
