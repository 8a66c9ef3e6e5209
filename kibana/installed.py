"""What elkwatch remembers of what it put into a space of Kibana.

Enough to remove exactly that again, under the ids it has there, and to tell whether
somebody has worked on it since: a copy as Kibana gave it back right after.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from kibana.answers import Key
from kibana.client import Exported
from kibana.compare import differences, meaning
from kibana.objects import SavedObject


@dataclass(frozen=True, slots=True)
class Installed:
    """One object of ours in a space.

    `key` is ours, `there` its id in that space. `sent`: digest of what we sent. `seen`:
    what Kibana gave back after that, None where it could not be asked. `pending`: it
    was sent, and the answer did not come.
    """

    key: Key
    there: str
    sent: str
    seen: Exported | None = None
    pending: bool = False

    @property
    def place(self) -> Key:
        """What it is called in its space."""
        return Key(self.key.type, self.there)


@dataclass(frozen=True, slots=True)
class InstallRecord:
    """All that elkwatch has installed in one space. `kibana`: where, for people."""

    space: str
    kibana: str = ""
    changed_at: datetime | None = None
    objects: tuple[Installed, ...] = ()

    def get(self, key: Key) -> Installed | None:
        """The entry of one of our objects."""
        return next((one for one in self.objects if one.key == key), None)

    def where(self, key: Key) -> str:
        """The id one of our objects has in the space; our own where nothing is known.

        Links name objects by it.
        """
        found = self.get(key)
        return found.there if found else key.id

    def our_ids(self) -> dict[str, str]:
        """Id in the space → our id."""
        return {one.there: one.key.id for one in self.objects}

    def having(self, entries: Iterable[Installed]) -> InstallRecord:
        """With these entries in place of what was known of their objects."""
        new = {one.key: one for one in entries}
        kept = tuple(one for one in self.objects if one.key not in new)
        objects = sorted((*kept, *new.values()), key=lambda one: one.key)
        return replace(self, objects=tuple(objects))

    def without(self, keys: Iterable[Key]) -> InstallRecord:
        """Without these of our objects."""
        gone = set(keys)
        return replace(
            self, objects=tuple(o for o in self.objects if o.key not in gone)
        )

    def as_document(self) -> dict[str, Any]:
        """As JSON; `payload` holds what nobody searches."""
        return {
            "space": self.space,
            "kibana": self.kibana,
            "changed_at": self.changed_at.isoformat() if self.changed_at else None,
            "payload": {
                "objects": [
                    {
                        "type": one.key.type,
                        "id": one.key.id,
                        "there": one.there,
                        "sent": one.sent,
                        "seen": None if one.seen is None else json.dumps(one.seen),
                        "pending": one.pending,
                    }
                    for one in self.objects
                ]
            },
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> InstallRecord:
        """What `as_document` wrote."""
        changed_at = document.get("changed_at")
        return cls(
            space=document["space"],
            kibana=document.get("kibana", ""),
            changed_at=datetime.fromisoformat(changed_at) if changed_at else None,
            objects=tuple(
                Installed(
                    Key(one["type"], one["id"]),
                    one["there"],
                    one["sent"],
                    None if one.get("seen") is None else json.loads(one["seen"]),
                    bool(one.get("pending")),
                )
                for one in document["payload"]["objects"]
            ),
        )


class InstallStore(Protocol):
    """Where records are kept, one a space."""

    def load(self, space: str) -> InstallRecord | None: ...

    def save(self, record: InstallRecord) -> None: ...

    def spaces(self) -> list[str]:
        """The spaces that something is installed in."""
        ...


def digest(ours: SavedObject) -> str:
    """What tells one version of an object of ours from another."""
    return sha256(ours.as_line().encode()).hexdigest()[:16]


def edits(
    entry: Installed,
    theirs: Exported,
    ours: SavedObject | None,
    our_ids: Mapping[str, str],
) -> tuple[str, ...]:
    """Where people have changed an object since it was installed, as paths.

    Kibana keeps the time of the last save, whatever it migrates: as long as that is the
    one seen after the import, nobody has saved it. Else what it means decides. `ours`
    stands in where Kibana could not be asked after the import.
    """
    now = meaning(theirs, our_ids)
    if entry.seen is not None:
        saved_at = theirs.get("updated_at")
        if saved_at is not None and saved_at == entry.seen.get("updated_at"):
            return ()
        by = "typeMigrationVersion"
        return differences(
            meaning(entry.seen, our_ids),
            now,
            additions=entry.seen.get(by) == theirs.get(by),
        )
    if ours is not None and digest(ours) == entry.sent:
        return differences(meaning(as_exported(ours), {}), now, additions=False)
    return ("unknown",)


def as_exported(ours: SavedObject) -> Exported:
    """One of our objects in the form of an export."""
    found: Exported = json.loads(ours.as_line())
    return found
