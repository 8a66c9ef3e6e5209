"""New kinds among findings that fitted none, from what their evidence shows.

    unknown findings ─▶ deviation by wording ─▶ stage 3 ─▶ ids, old or new
                                                   └─▶ accepted? ─▶ lineage.json

A finding keeps its strongest lines, so nothing else has to be kept of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from model.bundle_lineage import read_lineage, write_lineage
from model.catalogue import Catalogue, Entry
from model.clusters import find_clusters
from model.errors import ModelError
from model.features import Matrix
from model.kinds import choose_exemplars
from model.late_classes import MAX_EXEMPLARS, MAX_LATE, LateClass
from model.lineage import Change, Lineage, Remembered
from model.naming import Found, name_classes, number_of
from model.prototypes import Prototype, mean_prototype, rooted
from model.trained import TrainedModel

ABOUT_CHARS = 60
SLIGHT = "slight-deviation"


@dataclass(frozen=True, slots=True)
class Strange:
    """A finding that fits no class, as it was written.

    `texts`: its lines by template, the most surprising first.
    """

    deviation: Prototype
    pattern: str = SLIGHT
    texts: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class LateFound:
    """The class id of each finding (N), None where too few are like it; the classes,
    the largest first, and what later trainings will know them by."""

    ids: tuple[str | None, ...]
    classes: tuple[LateClass, ...] = ()
    remembered: tuple[Remembered, ...] = ()


def discover_late(
    strange: Sequence[Strange], lineage: Lineage, catalogue: Catalogue
) -> LateFound:
    """Classes among findings that fit none. Changes nothing.

    An id that the lineage knows is that class come back, or more of it; others are new,
    and are what the next training would give if it found just these.
    """
    rows, keys = _rows([one.deviation for one in strange])
    found = find_clusters(rows)
    groups = [np.flatnonzero(found.labels == k) for k in range(found.clusters)]
    members = [[strange[int(i)] for i in group] for group in groups]
    named = [
        Found(
            mean_prototype([one.deviation for one in own]),
            len(own),
            min((one.start for one in own if one.start), default=None),
            max((one.end for one in own if one.end), default=None),
            judged=True,
        )
        for own in members
    ]
    ids, after = name_classes(named, lineage)
    classes, remembered = [], []
    for number, class_id in enumerate(ids):
        exemplars, radius = _exemplars(rows[groups[number]], keys)
        classes.append(
            _described(class_id, members[number], exemplars, radius, catalogue)
        )
        known = after.of(class_id)
        assert known is not None
        remembered.append(known)
    return LateFound(
        tuple(ids[k] if k >= 0 else None for k in found.labels),
        tuple(classes),
        tuple(remembered),
    )


def accept_late(
    model: TrainedModel, folder: Path, found: LateFound, *, now: datetime
) -> None:
    """Takes the classes on: the next verdicts of this bundle know them.

    The model and its version stay as they are. Raises BundleError for a bundle that
    cannot be written, ModelError for too many classes.
    """
    lineage = model.full_lineage
    fresh = {one.class_id for one in found.classes}
    before = {one.class_id: one for one in lineage.late}
    late = [one for one in lineage.late if one.class_id not in fresh]
    late += [_with_more(one, before.get(one.class_id)) for one in found.classes]
    if len(late) > MAX_LATE:
        raise ModelError(
            f"model {folder}: {MAX_LATE} classes at most are taken on between two "
            "trainings; train again with these logs"
        )
    changes = [
        Change(_what(lineage.of(one.class_id)), one.class_id, at=now)
        for one in found.remembered
    ]
    kept = [c for c in lineage.classes if c.class_id not in fresh]
    known = [_merged(one, lineage.of(one.class_id)) for one in found.remembered]
    highest = max([lineage.highest, *map(number_of, fresh)])
    write_lineage(
        Lineage(
            (*kept, *known), (*lineage.changes, *changes), highest, tuple(late)
        ).stamped(now),
        folder,
    )


def tell_relabelled(folder: Path, class_id: str, count: int, *, now: datetime) -> None:
    """Puts into a class's history that findings were given its name afterwards."""
    lineage = read_lineage(folder)
    what = f"{count} finding{'' if count == 1 else 's'}"
    change = Change("relabelled", class_id, what, now)
    write_lineage(replace(lineage, changes=(*lineage.changes, change)), folder)


def _rows(deviations: Sequence[Prototype]) -> tuple[Matrix, list[str]]:
    """Rooted deviations as unit vectors (N, D), and the text of each column."""
    keys = sorted({key for one in deviations for key in one})
    place = {key: column for column, key in enumerate(keys)}
    rows = np.zeros((len(deviations), len(keys)), dtype=np.float32)
    for row, one in zip(rows, deviations, strict=True):
        for key, weight in rooted(one).items():
            row[place[key]] = weight
    return rows, keys


def _exemplars(
    rows: Matrix, keys: Sequence[str]
) -> tuple[tuple[Prototype, ...], float]:
    """What stands for a class, by text, and how near to it its members are."""
    own = np.zeros(len(rows), dtype=np.int64)
    exemplars, _, radii = choose_exemplars(rows, own, 1)
    return tuple(
        {keys[int(column)]: float(row[column]) for column in np.flatnonzero(row)}
        for row in exemplars[:MAX_EXEMPLARS]
    ), float(radii[0])


def _described(
    class_id: str,
    members: Sequence[Strange],
    exemplars: tuple[Prototype, ...],
    radius: float,
    catalogue: Catalogue,
) -> LateClass:
    """Its pattern, name and advice, by what most of its members show."""
    pattern = Counter(one.pattern for one in members).most_common(1)[0][0]
    loudest = Counter(one.texts[0] for one in members if one.texts)
    about = loudest.most_common(1)[0][0][:ABOUT_CHARS] if loudest else ""
    entry = catalogue.patterns.get(pattern, catalogue.patterns[SLIGHT])
    entries: dict[str, Entry] = {}
    votes: Counter[str] = Counter()
    for one in members:
        rule = catalogue.recognise(one.texts)
        if rule is not None:
            entries[rule.entry.entry_id] = rule.entry
            votes[rule.entry.entry_id] += 1
    if votes and votes.most_common(1)[0][1] * 2 > len(members):
        entry, about = entries[votes.most_common(1)[0][0]], ""
    return LateClass(class_id, pattern, about, len(members), entry, exemplars, radius)


def _with_more(one: LateClass, before: LateClass | None) -> LateClass:
    """A class that was taken on twice: with what stood for it the first time."""
    if before is None:
        return one
    half = MAX_EXEMPLARS // 2
    exemplars = (*before.exemplars[:half], *one.exemplars)[:MAX_EXEMPLARS]
    radius = max(one.radius, before.radius)
    return replace(before, exemplars=exemplars, radius=radius)


def _merged(one: Remembered, before: Remembered | None) -> Remembered:
    """What is remembered of a class: its prototype stays the one it was found by."""
    if before is None:
        return one
    return replace(
        before,
        current=True,
        first_seen=one.first_seen,
        last_seen=one.last_seen,
        prototype=before.prototype or one.prototype,
    )


def _what(before: Remembered | None) -> str:
    if before is None:
        return "taken on"
    return "widened" if before.current else "back"
