"""The seam to where alerting keeps its state: versioned documents of a few kinds.

    episodes    one document an episode
    outbox      one row per (episode, transition, channel)
    deliveries  one document per attempt to send a row
    catchups    one document per catch-up message

Every body has a few top-level keys that ``find`` filters and sorts on (``SEARCHED``;
keywords, or times where they end in ``_at``) and a ``payload`` that nobody
searches. All but ``find`` must be real-time; ``find`` may lag by a refresh, and nothing
here depends on it for correctness, only for promptness.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from alerting.errors import StateConflict

EPISODES: Final = "episodes"
OUTBOX: Final = "outbox"
DELIVERIES: Final = "deliveries"
CATCHUPS: Final = "catchups"

#: kind → the top-level keys (strings or lists of strings) that find() may name.
SEARCHED: Final[Mapping[str, tuple[str, ...]]] = {
    EPISODES: (
        "source",
        "state",
        "fingerprint",
        "class_id",
        "severity",
        "service",
        "catch_up",
        "finding_ids",
        "last_seen_at",
    ),
    OUTBOX: (
        "state",
        "channel",
        "source",
        "kind",
        "episode_id",
        "created_at",
        "next_attempt_at",
    ),
    DELIVERIES: ("row_id", "channel", "outcome", "attempted_at"),
    CATCHUPS: ("source", "state", "created_at"),
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A document with the version that a compare-and-swap needs."""

    kind: str
    doc_id: str
    body: Mapping[str, Any]
    seq_no: int
    primary_term: int


@dataclass(frozen=True, slots=True)
class Write:
    """A body to store under an id: anew, or ``over`` exactly that version."""

    doc_id: str
    body: Mapping[str, Any]
    over: Stored | None = None


class AlertStore(Protocol):
    """Versioned documents. Raises ``alerting.StateConflict`` where it says so."""

    def get(self, kind: str, doc_id: str) -> Stored | None:
        """The newest version, in real time, or None."""

    def create(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored | None:
        """The new document, or None where the id exists already."""

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        """Swaps the body; raises StateConflict if somebody wrote since ``stored``."""

    def get_many(self, kind: str, ids: Sequence[str]) -> dict[str, Stored]:
        """Those of the documents that are there, in that order."""

    def write_many(self, kind: str, writes: Sequence[Write]) -> list[Stored | None]:
        """All of these, each as ``create`` or ``replace`` would; ids differ.

        None for one whose id exists already, or that somebody wrote since. Each stands
        for itself: killed on the way, any of them may have been written.
        """

    def find(
        self,
        kind: str,
        equals: Mapping[str, str | Sequence[str]],
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[Stored]:
        """Documents whose keys equal (one of) these; a list matches by any item.

        order_by: ascending by that key, documents without it last.
        """


class InMemoryAlertStore:
    """An ``AlertStore`` that forgets everything with the process.

    Bodies pass through JSON, so that what could not be stored fails here too.
    """

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], tuple[str, int]] = {}
        self._numbers = itertools.count()

    def get(self, kind: str, doc_id: str) -> Stored | None:
        held = self._documents.get((kind, doc_id))
        return None if held is None else _stored(kind, doc_id, *held)

    def create(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored | None:
        if (kind, doc_id) in self._documents:
            return None
        return self._put(kind, doc_id, body)

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        held = self._documents.get((stored.kind, stored.doc_id))
        if held is None or held[1] != stored.seq_no:
            raise StateConflict(f"{stored.kind}/{stored.doc_id} was written meanwhile")
        return self._put(stored.kind, stored.doc_id, body)

    def get_many(self, kind: str, ids: Sequence[str]) -> dict[str, Stored]:
        read = {doc_id: self.get(kind, doc_id) for doc_id in ids}
        return {doc_id: stored for doc_id, stored in read.items() if stored is not None}

    def write_many(self, kind: str, writes: Sequence[Write]) -> list[Stored | None]:
        return [self._write(kind, write) for write in writes]

    def find(
        self,
        kind: str,
        equals: Mapping[str, str | Sequence[str]],
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[Stored]:
        found = [
            _stored(kind, doc_id, *held)
            for (its_kind, doc_id), held in self._documents.items()
            if its_kind == kind
        ]
        found = [one for one in found if _matches(one.body, equals)]
        if order_by is not None:
            found.sort(key=lambda one: _sort_key(one.body.get(order_by)))
        return found[:limit]

    def _write(self, kind: str, write: Write) -> Stored | None:
        if write.over is None:
            return self.create(kind, write.doc_id, write.body)
        try:
            return self.replace(write.over, write.body)
        except StateConflict:
            return None

    def _put(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored:
        text = json.dumps(body, allow_nan=False)
        held = (text, next(self._numbers))
        self._documents[(kind, doc_id)] = held
        return _stored(kind, doc_id, *held)


def _stored(kind: str, doc_id: str, text: str, number: int) -> Stored:
    return Stored(kind, doc_id, json.loads(text), number, 1)


def _values(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _matches(
    body: Mapping[str, Any], equals: Mapping[str, str | Sequence[str]]
) -> bool:
    return all(
        not set(_values(wanted)).isdisjoint(_values(body.get(key)))
        for key, wanted in equals.items()
    )


def _sort_key(value: Any) -> tuple[bool, str]:
    return value is None, str(value)
