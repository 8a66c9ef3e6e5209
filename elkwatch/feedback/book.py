"""All feedback of a namespace: given, listed, taken back. One document each.

Nothing is deleted: what was removed stays, with the time, and can be given again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector import StateConflict, StateStore, Stored, to_iso
from elkwatch.errors import FeedbackError
from elkwatch.feedback.opinion import Opinion, opinion_from
from elkwatch.feedback.opinions import Opinions, holding
from elkwatch.program_log import get_logger

KIND = "feedback"
MOST = 10_000

_log = get_logger("elkwatch.feedback")


class FeedbackBook:
    """Feedback in a state store. Raises what that raises."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def add(self, opinion: Opinion, now: datetime) -> Opinion | None:
        """Keeps it; → the one of equal verdict and scope that it takes the place of.

        Raises FeedbackError where what is there says something else.
        """
        doc_id = opinion.feedback_id
        stored = self._store.get(KIND, doc_id)
        if stored is None:
            if self._store.create(KIND, doc_id, opinion.body()) is not None:
                return None
            stored = self._store.get(KIND, doc_id)
        if stored is None:
            raise StateConflict(f"feedback {doc_id} cannot be kept; try again")
        there = _read(stored)
        before = there if there is not None and there.holds(now) else None
        if before is not None and not before.same_verdict(opinion):
            raise FeedbackError(
                f"feedback {doc_id} of {before.who} says of the same findings: "
                f"{before.says}; take that back first: `elkwatch feedback remove "
                f"{doc_id}`"
            )
        self._store.replace(stored, opinion.body())
        return before

    def remove(self, feedback_id: str, now: datetime) -> Opinion:
        """Takes it back; from the next run on it counts no more.

        Raises FeedbackError where there is none of this id.
        """
        stored = self._store.get(KIND, feedback_id)
        there = None if stored is None else _read(stored)
        if stored is None or there is None:
            raise FeedbackError(
                f"no feedback {feedback_id}; `elkwatch feedback list --all` shows them"
            )
        if there.removed_at is not None:
            raise FeedbackError(
                f"feedback {feedback_id} was removed at {to_iso(there.removed_at)}"
            )
        gone = replace(there, removed_at=now)
        self._store.replace(stored, gone.body())
        return gone

    def every(self, source: str | None = None) -> list[Opinion]:
        """All of a source, or of all, also what counts no more; the oldest first."""
        equals = {} if source is None else {"source": source}
        found = self._store.find(KIND, equals, limit=MOST, order_by="given_at")
        return [one for one in map(_read, found) if one is not None]

    def opinions(self, source: str, now: datetime) -> Opinions:
        """What holds for a source at this time."""
        equals = {"source": source, "state": "given"}
        found = self._store.find(KIND, equals, limit=MOST, order_by="given_at")
        return Opinions(
            holding((one for one in map(_read, found) if one is not None), now, source)
        )


def _read(stored: Stored) -> Opinion | None:
    """None for what cannot be read: told of, and passed over."""
    try:
        return opinion_from(stored.body)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        _log.warning("feedback cannot be read", feedback=stored.doc_id, reason=reason)
        return None
