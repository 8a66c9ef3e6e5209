"""Remove exactly what elkwatch installed in a space: dashboards first, views last.

Kibana lets anybody remove what others build upon, without a word; so whoever uses our
data views is asked for first, and what people edited is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from kibana.answers import Key
from kibana.client import KibanaClient
from kibana.errors import EditsFound, SpaceMissing
from kibana.installed import InstallRecord, InstallStore, edits
from kibana.objects import SavedObject

Outcome = Literal["removed", "was gone", "shared", "would remove"]

# What refers to others goes before what it refers to.
_ORDER = {"dashboard": 0, "lens": 1, "visualization": 1, "search": 2}
_LAST = 3


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of one object. `shared`: other spaces have it too, so it was left."""

    key: Key
    space: str
    outcome: Outcome
    note: str = ""

    def __str__(self) -> str:
        note = f": {self.note}" if self.note else ""
        return f"{self.outcome:<12} {self.key}{note}"


def uninstall(
    client: KibanaClient,
    store: InstallStore,
    now: datetime,
    *,
    ours: Sequence[SavedObject] = (),
    force: bool = False,
    dry_run: bool = False,
) -> tuple[Removal, ...]:
    """What was removed, or with `dry_run` would be; what is gone already is done.

    Raises EditsFound, unless `force`, where people edited an object of ours or built
    upon a data view of ours: then nothing is removed. Raises KibanaErrors, what the
    store raises; what was removed by then is remembered as removed. `ours` helps to
    tell edits where an install was cut off.
    """
    record = store.load(client.space)
    if record is None or not record.objects:
        return ()
    try:
        client.check()
    except SpaceMissing as error:
        if not error.gone:
            raise
        return _forgotten(store, record, now, dry_run)
    work = _work_of_people(client, record, ours)
    if work and not force:
        raise EditsFound(
            f"{client.where}: nothing was removed, since work of people is in it: "
            f"{'; '.join(work)}; --force removes it all the same",
            objects=work,
        )
    entries = sorted(
        record.objects, key=lambda one: (_ORDER.get(one.key.type, _LAST), one.key)
    )
    removals: list[Removal] = []
    try:
        for entry in entries:
            outcome: Outcome = "would remove" if dry_run else client.delete(entry.place)
            note = ""
            if outcome == "shared":
                note = "other spaces use it; remove it in Kibana once they do not"
            removals.append(Removal(entry.place, client.space, outcome, note))
    finally:
        done = {r.key for r in removals if r.outcome in ("removed", "was gone")}
        keys = [one.key for one in record.objects if one.place in done]
        if keys:
            store.save(replace(record.without(keys), changed_at=now))
    return tuple(removals)


def _forgotten(
    store: InstallStore, record: InstallRecord, now: datetime, dry_run: bool
) -> tuple[Removal, ...]:
    """The space was removed, and all that was in it."""
    if not dry_run:
        store.save(replace(record, objects=(), changed_at=now))
    note = f"with the space {record.space}"
    return tuple(
        Removal(one.place, record.space, "was gone", note) for one in record.objects
    )


def _work_of_people(
    client: KibanaClient, record: InstallRecord, ours: Sequence[SavedObject]
) -> list[str]:
    """One line for each object of ours that holds, or carries, work of others."""
    known = {Key(one.type, one.id): one for one in ours}
    there = client.export([one.place for one in record.objects])
    told = [
        f"{entry.place} was edited"
        for entry in record.objects
        if entry.place in there
        and edits(entry, there[entry.place], known.get(entry.key), record.our_ids())
    ]
    own = {one.place for one in record.objects}
    carriers = [key for key in own if key.type in ("index-pattern", "search")]
    for key, document in client.users(sorted(carriers)).items():
        if key not in own:
            title = (document.get("attributes") or {}).get("title") or key.id
            told.append(f"{key.type} {str(title)[:80]!r} is built upon it")
    return told
