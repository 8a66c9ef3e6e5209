"""Which cluster is which class: ids that keep their meaning over trainings.

Each new cluster is set against each class that was known: how alike the prototypes
are, by wording, and how many of the cluster's members the old model takes for that
class. The best assignment of all together (Hungarian) decides; a pair that is not
alike enough is no pair. What is left over is new and gets a number never used before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from model.lineage import Change, Lineage, Remembered
from model.prototypes import Prototype, likeness

MIN_LIKENESS = 0.6
SHARED = 0.5
SAME = 0.9
_NUMBERED = re.compile(r"c(\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """A class of this training. `class_id` is given where it was taught.

    `votes`: how many of its members the old model takes for each of its classes;
    `judged`: it was asked.
    """

    prototype: Prototype
    members: int
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    class_id: str = ""
    votes: Mapping[str, int] = field(default_factory=dict)
    judged: bool = False


def name_classes(
    found: Sequence[Found], former: Lineage
) -> tuple[tuple[str, ...], Lineage]:
    """The ids of the classes (N), in order, and the lineage with them in it.

    What people took on between trainings stays until a training finds it.
    """
    old = [c for c in former.classes if not c.taught]
    loose = [i for i, f in enumerate(found) if not f.class_id]
    pairs = _assign([found[i] for i in loose], old)
    ids = [f.class_id for f in found]
    for row, column in pairs.items():
        ids[loose[row]] = old[column].class_id
    highest = max([former.highest, *(number_of(c.class_id) for c in former.classes)])
    for place in loose:
        if not ids[place]:
            highest += 1
            ids[place] = f"c{highest:02d}"
    late = tuple(one for one in former.late if one.class_id not in ids)
    kept = {one.class_id for one in late}
    changes = [*former.changes, *_changes(found, ids, former, kept)]
    classes = tuple(
        _remembered(class_id, one, former.of(class_id))
        for class_id, one in zip(ids, found, strict=True)
    )
    others = tuple(
        replace(c, current=c.class_id in kept)
        for c in former.classes
        if c.class_id not in ids
    )
    return tuple(ids), Lineage((*classes, *others), tuple(changes), highest, late)


def _assign(found: Sequence[Found], old: Sequence[Remembered]) -> dict[int, int]:
    """New → old places of the pairs that are alike enough."""
    if not found or not old:
        return {}
    table = _likeness(found, old)
    return {
        int(row): int(column)
        for row, column in zip(*linear_sum_assignment(-table), strict=True)
        if table[row, column] >= MIN_LIKENESS
    }


def _likeness(found: Sequence[Found], old: Sequence[Remembered]) -> NDArray[np.float64]:
    """How alike each new (N) and old (M) class are: (N, M), 0 to 1.

    The mean of both signs where the old model has judged the members, else the
    prototypes alone; a gone class has no votes, and is not held against that. What
    mostly was something else, and does not read the same, is not alike: the id would
    mean something else from then on.
    """
    table = np.zeros((len(found), len(old)))
    total = Counter[str]()
    for one in found:
        total.update(one.votes)
    for row, one in enumerate(found):
        for column, class_ in enumerate(old):
            alike = likeness(one.prototype, class_.prototype)
            if total[class_.class_id]:
                shared = one.votes.get(class_.class_id, 0)
                if shared < SHARED * one.members and alike < SAME:
                    continue
                both = one.members + total[class_.class_id] - shared
                alike = (alike + shared / max(both, 1)) / 2
            elif one.judged and class_.current and alike < SAME:
                continue
            table[row, column] = alike
    return table


def _changes(
    found: Sequence[Found], ids: Sequence[str], former: Lineage, late: Set[str]
) -> list[Change]:
    """What this training did to the classes, for their history; nothing to `late`."""
    changes = []
    given = {*ids, *late}
    for class_id, one in zip(ids, found, strict=True):
        known = former.of(class_id)
        if known is None:
            source = _mostly(one)
            split = source is not None and source in given
            changes.append(Change("split", class_id, source or "")) if split else (
                changes.append(Change("found", class_id))
            )
        elif not known.current:
            changes.append(Change("back", class_id))
    for old in former.classes:
        if old.class_id in given or not old.current:
            continue
        heir = _heir(old.class_id, found, ids)
        if heir is None:
            changes.append(Change("gone", old.class_id))
        else:
            taught = not _NUMBERED.fullmatch(heir)
            changes.append(Change("taught" if taught else "merged", old.class_id, heir))
    return changes


def _mostly(one: Found) -> str | None:
    """The old class that holds at least half of the members, None where none does."""
    best = max(one.votes.items(), key=lambda pair: pair[1], default=("", 0))
    return best[0] if best[1] >= SHARED * one.members and best[1] else None


def _heir(old: str, found: Sequence[Found], ids: Sequence[str]) -> str | None:
    """The class that took over at least half of what the old model takes for `old`."""
    total = sum(one.votes.get(old, 0) for one in found)
    for class_id, one in zip(ids, found, strict=True):
        votes = one.votes.get(old, 0)
        if votes and votes >= SHARED * total:
            return class_id
    return None


def _remembered(class_id: str, one: Found, known: Remembered | None) -> Remembered:
    first = [t for t in (one.first_seen, known.first_seen if known else None) if t]
    last = [t for t in (one.last_seen, known.last_seen if known else None) if t]
    return Remembered(
        class_id=class_id,
        taught=bool(one.class_id),
        prototype=one.prototype,
        members=one.members,
        first_seen=min(first, default=None),
        last_seen=max(last, default=None),
        own_name=known.own_name if known else "",
    )


def number_of(class_id: str) -> int:
    """The number in the id of a found class; 0 for a name that people gave."""
    match = _NUMBERED.fullmatch(class_id)
    return int(match[1]) if match else 0
