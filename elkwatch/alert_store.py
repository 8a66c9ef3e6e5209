"""The connector's state store as the one that alerting asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import alerting
import connector


class AlertStateStore:
    """alerting.AlertStore over connector.StateStore: same shape, other records."""

    def __init__(self, store: connector.StateStore) -> None:
        self._store = store

    def get(self, kind: str, doc_id: str) -> alerting.Stored | None:
        """See AlertStore."""
        return _taken(self._store.get(kind, doc_id))

    def create(
        self, kind: str, doc_id: str, body: Mapping[str, Any]
    ) -> alerting.Stored | None:
        """See AlertStore."""
        return _taken(self._store.create(kind, doc_id, body))

    def replace(
        self, stored: alerting.Stored, body: Mapping[str, Any]
    ) -> alerting.Stored:
        """See AlertStore."""
        try:
            return _as_theirs(self._store.replace(_as_ours(stored), body))
        except connector.StateConflict as error:
            raise alerting.StateConflict(str(error)) from error

    def get_many(self, kind: str, ids: Sequence[str]) -> dict[str, alerting.Stored]:
        """See AlertStore."""
        read = self._store.get_many(kind, ids)
        return {doc_id: _as_theirs(stored) for doc_id, stored in read.items()}

    def write_many(
        self, kind: str, writes: Sequence[alerting.Write]
    ) -> list[alerting.Stored | None]:
        """See AlertStore."""
        ours = [
            connector.Write(
                w.doc_id, w.body, None if w.over is None else _as_ours(w.over)
            )
            for w in writes
        ]
        return [_taken(stored) for stored in self._store.write_many(kind, ours)]

    def find(
        self,
        kind: str,
        equals: Mapping[str, str | Sequence[str]],
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[alerting.Stored]:
        """See AlertStore."""
        found = self._store.find(kind, equals, limit=limit, order_by=order_by)
        return [_as_theirs(stored) for stored in found]


def _taken(stored: connector.Stored | None) -> alerting.Stored | None:
    return None if stored is None else _as_theirs(stored)


def _as_theirs(stored: connector.Stored) -> alerting.Stored:
    return alerting.Stored(
        stored.kind, stored.doc_id, stored.body, stored.seq_no, stored.primary_term
    )


def _as_ours(stored: alerting.Stored) -> connector.Stored:
    return connector.Stored(
        stored.kind, stored.doc_id, stored.body, stored.seq_no, stored.primary_term
    )
