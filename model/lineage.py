"""What is remembered of the classes from one training to the next.

    this training ─▶ clusters ─▶ naming.py ─▶ ids ─▶ Lineage ─▶ the next training
                                    ▲                    │
                                    └────────────────────┘

A prototype is the mean deviation of a class *by template text*, never by event id: ids
are given anew by each training, the wording of the logs stays. Classes that are gone
are remembered as well, so that their id is never given to something else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from model.errors import BundleError
from model.features import USUAL_NATS

MAX_KEYS = 24
MAX_CLASSES = 500
MAX_CHANGES = 1000
MAX_NAME_CHARS = 100
MISSING = "missing: "
_MASK = re.compile(r"<[^<>\s]*>")
_SPACES = re.compile(r"\s+")

Prototype = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A class as later trainings and people know it again.

    `prototype` is a unit vector by wording. `current` says whether the model of this
    bundle knows it; `own_name` is the name that people gave it.
    """

    class_id: str
    taught: bool
    prototype: Prototype
    members: int
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    own_name: str = ""
    current: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a class: found, split, merged, gone, back, renamed.

    `other` is the class it was split from or merged into, or its new name. `at` is
    None until a bundle is written.
    """

    what: str
    class_id: str
    other: str = ""
    at: datetime | None = None

    def told(self) -> str:
        """The change as people read it."""
        after = {"split": "from", "merged": "into", "renamed": "to", "taught": "as"}
        link = after.get(self.what, "")
        return f"{self.what} {link} {self.other}".strip() if link else self.what


@dataclass(frozen=True, slots=True)
class Lineage:
    """All classes ever known by this line of models, and what became of them."""

    classes: tuple[Remembered, ...] = ()
    changes: tuple[Change, ...] = ()
    highest: int = 0

    def of(self, class_id: str) -> Remembered | None:
        """What is remembered of a class, None where nothing is."""
        return next((c for c in self.classes if c.class_id == class_id), None)

    def history(self, class_id: str) -> tuple[Change, ...]:
        """The changes that name a class, oldest first."""
        return tuple(
            c
            for c in self.changes
            if class_id == c.class_id
            or (c.what in ("split", "merged", "taught") and class_id == c.other)
        )

    def renamed(self, class_id: str, name: str, at: datetime) -> Lineage:
        """With a name of people's own. Raises KeyError for a class it does not know."""
        known = self.of(class_id)
        if known is None:
            raise KeyError(class_id)
        classes = tuple(
            replace(c, own_name=name) if c is known else c for c in self.classes
        )
        change = Change("renamed", class_id, name, at)
        return replace(self, classes=classes, changes=(*self.changes, change))

    def stamped(self, at: datetime) -> Lineage:
        """With a time for the changes of the training that just ended, bounded."""
        changes = [c if c.at is not None else replace(c, at=at) for c in self.changes]
        kept = sorted(self.classes, key=lambda c: not c.current)[:MAX_CLASSES]
        return replace(self, classes=tuple(kept), changes=tuple(changes[-MAX_CHANGES:]))

    def state(self) -> dict[str, Any]:
        """The lineage as plain JSON."""
        return {
            "highest": self.highest,
            "classes": [
                {
                    "class_id": c.class_id,
                    "taught": c.taught,
                    "prototype": {k: round(v, 4) for k, v in c.prototype.items()},
                    "members": c.members,
                    "first_seen": _iso(c.first_seen),
                    "last_seen": _iso(c.last_seen),
                    "own_name": c.own_name,
                    "current": c.current,
                }
                for c in self.classes
            ],
            "changes": [
                {
                    "at": _iso(c.at),
                    "what": c.what,
                    "class_id": c.class_id,
                    "other": c.other,
                }
                for c in self.changes
            ],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Lineage:
        """A lineage as `state` described it. Raises BundleError where it is damaged."""
        try:
            classes = tuple(_class_from(c) for c in state["classes"])
            changes = tuple(
                Change(
                    str(c["what"]), str(c["class_id"]), str(c["other"]), _time(c["at"])
                )
                for c in state["changes"]
            )
            return cls(classes, changes, int(state["highest"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(
                "lineage.json is damaged; restore it, or remove it (the names that "
                "people gave are lost then)"
            ) from error


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


def prototype_of(
    lines: Iterable[tuple[str, float]], missing: Iterable[str] = ()
) -> dict[str, float]:
    """The deviation a finding shows: templates with their nats, what is missing."""
    weights: dict[str, float] = {}
    for text, nats in lines:
        key = wording(text)
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


def check_name(name: str) -> str:
    """A name that people may give. Raises ValueError with what is wrong."""
    shown = " ".join(name.split())
    if not shown:
        raise ValueError("the name is empty")
    if len(shown) > MAX_NAME_CHARS:
        raise ValueError(f"the name is longer than {MAX_NAME_CHARS} characters")
    if not shown.isprintable():
        raise ValueError("the name holds characters that cannot be printed")
    return shown


def _class_from(state: Mapping[str, Any]) -> Remembered:
    return Remembered(
        class_id=str(state["class_id"]),
        taught=bool(state["taught"]),
        prototype=unit({str(k): float(v) for k, v in state["prototype"].items()}),
        members=int(state["members"]),
        first_seen=_time(state["first_seen"]),
        last_seen=_time(state["last_seen"]),
        own_name=check_name(state["own_name"]) if state["own_name"] else "",
        current=bool(state["current"]),
    )


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(str(text))
