"""Put our objects into a space, or bring those there up to date; lose nobody's work.

    our objects, what is there, what we remember ──▶ steps ──▶ two imports ──▶ record

What people edited is found before anything is sent. What is as it should be is not sent
again. Objects are sent under the ids they have in this space, since a second space
gives them new ones and an import rewrites references within one file only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from kibana.answers import Key
from kibana.client import Exported, KibanaClient
from kibana.compare import differences, meaning
from kibana.errors import EditsFound, ImportFailed
from kibana.installed import (
    Installed,
    InstallRecord,
    InstallStore,
    as_exported,
    digest,
    edits,
)
from kibana.objects import Reference, SavedObject, ndjson

OnEdits = Literal["refuse", "keep", "overwrite"]
Change = Literal["create", "update", "overwrite", "unchanged", "kept", "refused"]

_LOSING: Mapping[OnEdits, Change] = {
    "refuse": "refused",
    "keep": "kept",
    "overwrite": "overwrite",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What is done, or would be, with one object of ours. `note`: why, where needed."""

    key: Key
    title: str
    change: Change
    note: str = ""

    def __str__(self) -> str:
        note = f": {self.note}" if self.note else ""
        return f"{self.change:<10} {self.key} ({self.title}){note}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """Steps, and what they rest on."""

    objects: Mapping[Key, SavedObject]
    record: InstallRecord
    there: Mapping[Key, Exported]
    steps: tuple[Step, ...]

    def keys(self, *changes: Change) -> list[Key]:
        """The objects of these steps, in the order of import."""
        return [step.key for step in self.steps if step.change in changes]


def install(
    client: KibanaClient,
    objects: Sequence[SavedObject],
    store: InstallStore,
    now: datetime,
    *,
    on_edits: OnEdits = "refuse",
    dry_run: bool = False,
) -> tuple[Step, ...]:
    """What was done, or with `dry_run` would be; idempotent.

    Where people's work would be lost, `refuse` raises EditsFound before anything is
    sent, `keep` leaves those objects as they are, `overwrite` replaces them. Raises
    ImportFailed where Kibana refused objects, KibanaErrors; what the store raises.
    """
    client.check()
    known = store.load(client.space) or InstallRecord(client.space)
    plan = _plan(client, objects, known, on_edits)
    if dry_run:
        return plan.steps
    refused = [step for step in plan.steps if step.change == "refused"]
    if refused:
        names = ", ".join(f"{step.key} ({step.note})" for step in refused)
        raise EditsFound(
            f"{client.where}: nothing was installed, since work of people would be "
            f"lost: {names}; --keep-edits leaves these as they are, --overwrite "
            "replaces them",
            objects=[f"{step.key}: {step.note}" for step in refused],
        )
    new, changed = plan.keys("create"), plan.keys("update", "overwrite")
    record = replace(_adopted(plan), kibana=client.where, changed_at=now).having(
        Installed(key, known.where(key), digest(plan.objects[key]), pending=True)
        for key in new
    )
    if record.objects != known.objects:
        store.save(record)
    if new:
        overwrite = on_edits == "overwrite"
        record = _send(client, store, plan, record, new, overwrite)
    if changed:
        _send(client, store, plan, record, changed, True)
    return plan.steps


def _plan(
    client: KibanaClient,
    objects: Sequence[SavedObject],
    record: InstallRecord,
    on_edits: OnEdits,
) -> _Plan:
    ours = {Key(one.type, one.id): one for one in objects}
    places = {key: Key(key.type, record.where(key)) for key in ours}
    found = client.export(list(places.values()))
    there = {key: found[place] for key, place in places.items() if place in found}
    steps = [_step(one, there.get(key), record, on_edits) for key, one in ours.items()]
    return _Plan(ours, record, there, tuple(steps))


def _step(
    ours: SavedObject,
    theirs: Exported | None,
    record: InstallRecord,
    on_edits: OnEdits,
) -> Step:
    """What to do with one object."""
    key = Key(ours.type, ours.id)
    step = Step(key, str(ours.attributes.get("title", "")), "unchanged")
    entry = record.get(key)
    if theirs is None:
        note = "it was removed here" if entry and not entry.pending else ""
        return replace(step, change="create", note=note)
    if entry is None:
        own = meaning(as_exported(ours), {})
        apart = differences(own, meaning(theirs, record.our_ids()), additions=False)
        if not apart:
            note = "elkwatch did not install it, so `uninstall` leaves it"
            return replace(step, note=note)
        note = f"elkwatch did not install it, it differs in {_paths(apart)}"
        return replace(step, change=_LOSING[on_edits], note=note)
    apart = edits(entry, theirs, ours, record.our_ids())
    is_new = digest(ours) != entry.sent
    if not apart:
        return replace(step, change="update" if is_new else "unchanged")
    note = f"edited here: {_paths(apart)}"
    if is_new or on_edits == "overwrite":
        return replace(step, change=_LOSING[on_edits], note=note)
    return replace(step, change="kept", note=note)


def _send(
    client: KibanaClient,
    store: InstallStore,
    plan: _Plan,
    record: InstallRecord,
    keys: Sequence[Key],
    overwrite: bool,
) -> InstallRecord:
    """Import these, and remember what came of it. Raises ImportFailed."""
    sent = {key: _located(plan.objects[key], record) for key in keys}
    answer = client.import_file(ndjson(sent.values()), overwrite=overwrite)
    entries = []
    for key, one in sent.items():
        there = answer.created.get(Key(one.type, one.id))
        if there is not None:
            entries.append(Installed(key, there, digest(plan.objects[key])))
    pending = {one.key for one in record.objects if one.pending}
    record = record.without(pending.intersection(keys)).having(entries)
    store.save(record)
    if not answer.success:
        problems = [str(problem) for problem in answer.problems]
        done = (
            f"{len(entries)} of {len(keys)} objects were" if entries else "nothing was"
        )
        raise ImportFailed(
            f"{client.where}: {done} imported; "
            f"{'; '.join(problems) or 'Kibana gave no reason, see its log'}",
            problems=problems,
        )
    seen = client.export([entry.place for entry in entries])
    record = record.having(
        replace(entry, seen=seen.get(entry.place)) for entry in entries
    )
    store.save(record)
    return record


def _adopted(plan: _Plan) -> InstallRecord:
    """What an import left without its answer, and is there as it was sent, is ours."""
    unchanged = {step.key for step in plan.steps if step.change == "unchanged"}
    return plan.record.having(
        replace(entry, seen=plan.there[entry.key], pending=False)
        for entry in plan.record.objects
        if entry.seen is None and entry.key in unchanged
    )


def _located(ours: SavedObject, record: InstallRecord) -> SavedObject:
    return replace(
        ours,
        id=record.where(Key(ours.type, ours.id)),
        references=tuple(
            Reference(r.name, r.type, record.where(Key(r.type, r.id)))
            for r in ours.references
        ),
    )


def _paths(paths: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(paths[:most])
    more = len(paths) - most
    return f"{shown} and {more} more" if more > 0 else shown
