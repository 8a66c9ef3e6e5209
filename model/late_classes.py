"""Classes that people took on between two trainings, known by what evidence shows.

    elkwatch classes discover --apply ─▶ LateClass ─▶ lineage.json ─▶ the next verdict

The network knows nothing of them. A session that fits none of its classes is held
against their exemplars, by wording: they outlive a change of templates, and go into a
class of the network when a training finds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.catalogue.entries import Entry
from model.catalogue.loading import entry_from
from model.prototypes import Prototype, likeness, rooted

MAX_LATE = 100
MAX_EXEMPLARS = 8
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class LateClass:
    """A class of findings that fitted none.

    `exemplars` are rooted prototypes; what is no farther than `radius` from one of them
    belongs to it.
    """

    class_id: str
    pattern: str
    about: str
    members: int
    entry: Entry
    exemplars: tuple[Prototype, ...]
    radius: float

    def distance(self, deviation: Prototype) -> float:
        """How far a deviation is from the nearest exemplar, 0 to 1."""
        own = rooted(deviation)
        return 1.0 - max((likeness(own, e) for e in self.exemplars), default=0.0)

    def state(self) -> dict[str, Any]:
        """The class as plain JSON."""
        return {
            "class_id": self.class_id,
            "pattern": self.pattern,
            "about": self.about,
            "members": self.members,
            "entry_id": self.entry.entry_id,
            "entry": self.entry.state(),
            "exemplars": [
                {text: round(weight, _DIGITS) for text, weight in e.items()}
                for e in self.exemplars
            ],
            "radius": round(self.radius, _DIGITS),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LateClass:
        """A class as `state` described it. Raises CatalogueError, or what reading
        damaged values raises."""
        return cls(
            class_id=str(state["class_id"]),
            pattern=str(state["pattern"]),
            about=str(state["about"]),
            members=int(state["members"]),
            entry=entry_from(str(state["entry_id"]), state["entry"], "lineage.json"),
            exemplars=tuple(
                {str(text): float(weight) for text, weight in e.items()}
                for e in state["exemplars"]
            ),
            radius=float(state["radius"]),
        )


def nearest_late(
    classes: Sequence[LateClass], deviation: Prototype
) -> tuple[LateClass, float] | None:
    """The class that a deviation belongs to and how far it is, None where to none."""
    if not deviation:
        return None
    near = [(one.distance(deviation), place) for place, one in enumerate(classes)]
    fitting = [pair for pair in near if pair[0] <= classes[pair[1]].radius]
    if not fitting:
        return None
    distance, place = min(fitting)
    return classes[place], distance
