"""Where the reading of each source stands.

A cursor is saved after everything it covers is stored, never before: a crash in between
repeats work, and loses nothing. `save` is a compare-and-swap; a cursor that somebody
else moved raises StateConflict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from connector.errors import StateConflict
from connector.state import StateStore, Stored
from connector.timestamps import read_time, to_iso

_KIND = "cursors"


class Version(NamedTuple):
    """Which write of a document this is."""

    seq_no: int
    primary_term: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source was read.

    `position`: everything before it, by `cursor_field`, was read. `open_from`: where
    the earliest session began that was still open; a restart reads again from there.
    `seen`: SeenIds.snapshot() of the overlap behind the position. `notes`: what its
    reader wants remembered with it, as JSON. `version`: None for a
    cursor that was never saved.
    """

    source: str
    cursor_field: str
    position: datetime | None = None
    open_from: datetime | None = None
    seen: tuple[str, ...] = ()
    version: Version | None = None
    notes: str = ""


class CursorStore(Protocol):
    """Cursors by the name of their source."""

    def load(self, source: str) -> Cursor | None:
        """The cursor as it is now, or None for a source that was never read."""
        ...

    def save(self, cursor: Cursor) -> Cursor:
        """Store it over the version it was loaded as; gives it back with the new one.

        Raises StateConflict when somebody else saved one since.
        """
        ...


class ElasticCursorStore:
    """Cursors in a StateStore, one document a source."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def load(self, source: str) -> Cursor | None:
        """See CursorStore."""
        stored = self._store.get(_KIND, _doc_id(source))
        return None if stored is None else _from_stored(stored)

    def save(self, cursor: Cursor) -> Cursor:
        """See CursorStore."""
        doc_id, body = _doc_id(cursor.source), _to_body(cursor)
        if cursor.version is None:
            stored = self._store.create(_KIND, doc_id, body)
            if stored is None:
                raise _conflict(cursor)
        else:
            known = Stored(_KIND, doc_id, {}, *cursor.version)
            stored = self._store.replace(known, body)
        return replace(cursor, version=Version(stored.seq_no, stored.primary_term))


class InMemoryCursorStore:
    """The same behaviour without Elasticsearch, for tests and dry runs."""

    def __init__(self) -> None:
        self._cursors: dict[str, Cursor] = {}
        self._saves = 0

    def load(self, source: str) -> Cursor | None:
        """See CursorStore."""
        return self._cursors.get(source)

    def save(self, cursor: Cursor) -> Cursor:
        """See CursorStore."""
        current = self._cursors.get(cursor.source)
        if cursor.version != (current.version if current else None):
            raise _conflict(cursor)
        self._saves += 1
        saved = replace(cursor, version=Version(self._saves, 1))
        self._cursors[cursor.source] = saved
        return saved


def _conflict(cursor: Cursor) -> StateConflict:
    return StateConflict(
        f"cursor of source {cursor.source}: somebody else moved it meanwhile; "
        "is a second elkwatch running on this namespace?"
    )


def _doc_id(source: str) -> str:
    """Source names are free text; a document id holds at most 512 bytes."""
    if len(source.encode()) <= 128:
        return source
    return sha256(source.encode()).hexdigest()


def _to_body(cursor: Cursor) -> dict[str, Any]:
    return {
        "source": cursor.source,
        "cursor_field": cursor.cursor_field,
        "position_at": None if cursor.position is None else to_iso(cursor.position),
        "open_from_at": None if cursor.open_from is None else to_iso(cursor.open_from),
        # Nested, so that Elasticsearch stores it without indexing 50,000 terms.
        "overlap": {"seen": " ".join(cursor.seen), "notes": cursor.notes},
    }


def _from_stored(stored: Stored) -> Cursor:
    body: Mapping[str, Any] = stored.body
    position, open_from = body.get("position_at"), body.get("open_from_at")
    return Cursor(
        source=body["source"],
        cursor_field=body["cursor_field"],
        position=None if position is None else read_time(position),
        open_from=None if open_from is None else read_time(open_from),
        seen=tuple(body["overlap"]["seen"].split()),
        notes=str(body["overlap"].get("notes", "")),
        version=Version(stored.seq_no, stored.primary_term),
    )
