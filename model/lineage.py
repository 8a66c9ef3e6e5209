"""What is remembered of the classes from one training to the next.

    this training ─▶ clusters ─▶ naming.py ─▶ ids ─▶ Lineage ─▶ the next training
                                    ▲                    │
                                    └────────────────────┘

A prototype is the mean deviation of a class *by template text*, never by event id: ids
are given anew by each training, the wording of the logs stays. Classes that are gone
are remembered as well, so that their id is never given to something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from model.errors import BundleError, CatalogueError
from model.late_classes import MAX_LATE, LateClass
from model.prototypes import Prototype, unit

MAX_CLASSES = 500
MAX_CHANGES = 1000
MAX_NAME_CHARS = 100


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
    """One thing that happened to a class: found, split, merged, gone, back, renamed …

    `other` is the class it was split from or merged into, its new name, or how many
    findings it was written into. `at` is None until a bundle is written.
    """

    what: str
    class_id: str
    other: str = ""
    at: datetime | None = None

    def told(self) -> str:
        """The change as people read it."""
        after = {"split": "from", "merged": "into", "renamed": "to", "taught": "as"}
        after["relabelled"] = "in"
        link = after.get(self.what, "")
        return f"{self.what} {link} {self.other}".strip() if link else self.what


@dataclass(frozen=True, slots=True)
class Lineage:
    """All classes ever known by this line of models, and what became of them.

    `late` are those that people took on since the training.
    """

    classes: tuple[Remembered, ...] = ()
    changes: tuple[Change, ...] = ()
    highest: int = 0
    late: tuple[LateClass, ...] = ()

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
            "late": [one.state() for one in self.late],
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
            late = tuple(map(LateClass.from_state, state.get("late") or ()))
            return cls(classes, changes, int(state["highest"]), late[:MAX_LATE])
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            CatalogueError,
        ) as error:
            raise BundleError(
                "lineage.json is damaged; restore it, or remove it (the names that "
                "people gave are lost then)"
            ) from error


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
