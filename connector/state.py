"""Versioned documents: what elkwatch remembers between runs, one at a time.

Every write is a compare-and-swap, so two writers can never silently overwrite each
other. Kinds are those of STATE_KINDS; each is an ordinary index
`elkwatch-<kind>-<namespace>` (index templates: `elkwatch setup`).

Bodies are JSON objects. `find` sees their top-level texts, numbers and booleans; what
is nested is stored and given back, but not searched. Names ending in `_at` hold times.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from connector.errors import StateConflict

STATE_KINDS = (
    "cursors",
    "episodes",
    "outbox",
    "deliveries",
    "catchups",
    "leases",
    "installs",
    "masks",
    "feedback",
)
FIND_LIMIT_MAX = 10_000

Equals = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it was read or written, with the version to replace it by."""

    kind: str
    doc_id: str
    body: Mapping[str, Any]
    seq_no: int
    primary_term: int


@dataclass(frozen=True, slots=True)
class Write:
    """A body to store under an id: anew, or `over` exactly that version."""

    doc_id: str
    body: Mapping[str, Any]
    over: Stored | None = None


class StateStore(Protocol):
    """Versioned documents by kind and id."""

    def get(self, kind: str, doc_id: str) -> Stored | None:
        """The document as it is now (never stale), or None."""
        ...

    def create(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored | None:
        """Write a new document; None when the id exists already."""
        ...

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        """Replace exactly the version that `stored` is.

        Raises StateConflict when somebody else wrote it since.
        """
        ...

    def get_many(self, kind: str, ids: Sequence[str]) -> dict[str, Stored]:
        """Those of the documents that are there, as they are now, in that order."""
        ...

    def write_many(self, kind: str, writes: Sequence[Write]) -> list[Stored | None]:
        """All of these, each as `create` or `replace` would, ids differ; → as stored.

        None for one whose id exists already, or that somebody else wrote since. Each
        stands for itself: killed on the way, any of them may have been written.
        """
        ...

    def find(
        self,
        kind: str,
        equals: Equals,
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[Stored]:
        """Up to `limit` documents whose fields equal all of `equals`, by `order_by`.

        A sequence means any of its values. May lag behind writes by a moment. Ordered
        ascending, documents without the field last. Raises ValueError for a limit
        outside 1 … 10,000.
        """
        ...


class InMemoryStateStore:
    """The same behaviour without Elasticsearch, for tests and dry runs."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Stored]] = {}
        self._last_seq_no = -1

    def get(self, kind: str, doc_id: str) -> Stored | None:
        """See StateStore."""
        stored = self._kinds.get(kind, {}).get(doc_id)
        return None if stored is None else _copied(stored)

    def create(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored | None:
        """See StateStore."""
        if doc_id in self._kinds.get(kind, {}):
            return None
        return self._put(kind, doc_id, body)

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        """See StateStore."""
        current = self._kinds.get(stored.kind, {}).get(stored.doc_id)
        if current is None or current.seq_no != stored.seq_no:
            raise conflict(stored)
        return self._put(stored.kind, stored.doc_id, body)

    def get_many(self, kind: str, ids: Sequence[str]) -> dict[str, Stored]:
        """See StateStore."""
        read = {doc_id: self.get(kind, doc_id) for doc_id in ids}
        return {doc_id: stored for doc_id, stored in read.items() if stored is not None}

    def write_many(self, kind: str, writes: Sequence[Write]) -> list[Stored | None]:
        """See StateStore."""
        return [self._write(kind, write) for write in writes]

    def find(
        self,
        kind: str,
        equals: Equals,
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[Stored]:
        """See StateStore."""
        check_limit(limit)
        found: Iterable[Stored] = (
            stored
            for stored in self._kinds.get(kind, {}).values()
            if all(_matches(stored.body.get(f), want) for f, want in equals.items())
        )
        if order_by is not None:
            found = sorted(found, key=lambda stored: _sort_key(stored.body, order_by))
        return [_copied(stored) for _, stored in zip(range(limit), found, strict=False)]

    def forget(self, kind: str, over: Callable[[Stored], bool]) -> list[Stored]:
        """Removes the documents that are over and gives them back: a long dry run.

        `over` is not to change what it is shown.
        """
        held = self._kinds.get(kind, {})
        gone = [stored for stored in held.values() if over(stored)]
        for stored in gone:
            del held[stored.doc_id]
        return gone

    def _write(self, kind: str, write: Write) -> Stored | None:
        if write.over is None:
            return self.create(kind, write.doc_id, write.body)
        try:
            return self.replace(write.over, write.body)
        except StateConflict:
            return None

    def _put(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored:
        self._last_seq_no += 1
        stored = Stored(kind, doc_id, json_copy(body), self._last_seq_no, 1)
        self._kinds.setdefault(kind, {})[doc_id] = stored
        return _copied(stored)


def conflict(stored: Stored) -> StateConflict:
    """The error of a stale replace."""
    return StateConflict(
        f"state {stored.kind}/{stored.doc_id}: somebody else wrote it meanwhile; "
        "read it again (is a second elkwatch running on this namespace?)"
    )


def check_limit(limit: int) -> None:
    """Raises ValueError for a limit that one search cannot give."""
    if not 1 <= limit <= FIND_LIMIT_MAX:
        raise ValueError(f"limit {limit}: between 1 and {FIND_LIMIT_MAX}")


def json_copy(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it is read back: tuples are lists then."""
    copy: dict[str, Any] = orjson.loads(orjson.dumps(dict(body)))
    return copy


def _copied(stored: Stored) -> Stored:
    return replace(stored, body=json_copy(stored.body))


def _as_terms(value: Any) -> set[str]:
    """What a `terms` query would find a value by."""
    if value is None or isinstance(value, Mapping):
        return set()
    if isinstance(value, bool):
        return {"true" if value else "false"}
    if isinstance(value, (list, tuple)):
        return set().union(*(_as_terms(item) for item in value)) if value else set()
    return {str(value)}


def _matches(value: Any, wanted: str | Sequence[str]) -> bool:
    allowed = {wanted} if isinstance(wanted, str) else set(wanted)
    return not allowed.isdisjoint(_as_terms(value))


def _sort_key(body: Mapping[str, Any], field: str) -> tuple[bool, float, str]:
    value = body.get(field)
    if value is None:
        return True, 0.0, ""
    if isinstance(value, (int, float)):
        return False, float(value), ""
    return False, 0.0, str(value)
