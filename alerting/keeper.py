"""Stores a decision in the one order that survives a crash: rows, then the episode.

Killed between the two, the rows are there and the episode is as it was: the replay
decides the same again, finds its rows, and goes on. Nothing is sent in between, since
a row waits until its episode has reached it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from alerting.episode import Episode, episode_from
from alerting.errors import StateConflict, StoreBusy
from alerting.lifecycle import Decision
from alerting.news import episode_news
from alerting.outbox import Outbox
from alerting.recall import Recall
from alerting.records import Transition
from alerting.rows import OutboxRow, episode_row_id
from alerting.store import EPISODES, AlertStore, Stored

MAX_CONFLICTS = 8


class Keeper:
    """Reads and writes episodes; owes what their transitions owe."""

    def __init__(self, store: AlertStore, outbox: Outbox, recall: Recall) -> None:
        self._store = store
        self._outbox = outbox
        self._recall = recall

    def read(self, episode_id: str) -> Stored | None:
        return self._store.get(EPISODES, episode_id)

    def held(self, episode_id: str) -> Stored | None:
        """The episode as this process wrote it last; None: it did not, or not lately.

        Enough to decide by: what is put over an older version is refused.
        """
        return self._recall.written.get(episode_id)

    def forget(self, episode_id: str) -> None:
        """Somebody else wrote: the episode is to be read anew."""
        self._recall.written.drop(episode_id)

    def change(
        self,
        episode_id: str,
        decide: Callable[[Episode], Decision | None],
        now: datetime,
    ) -> Transition | None:
        """Decides on the newest version and stores that, again after each conflict.

        None: no such episode, or nothing to change. Raises StoreBusy.
        """
        for _ in range(MAX_CONFLICTS):
            stored = self.read(episode_id)
            if stored is None:
                return None
            episode = episode_from(stored.body)
            decision = decide(episode)
            if decision is None:
                self._recall.stored(episode, ())
                return None
            try:
                return self.put(stored, decision, now)
            except StateConflict:
                continue
        raise StoreBusy(f"episode {episode_id} keeps changing; try again")

    def put(
        self, stored: Stored | None, decision: Decision, now: datetime
    ) -> Transition:
        """Stores one decision over ``stored`` (None: as a new document).

        Raises StateConflict where somebody else wrote first.
        """
        episode, rows = self._owe(decision, now)
        self._recall.written.drop(episode.episode_id)
        body = episode.body()
        if stored is None:
            written = self._store.create(EPISODES, episode.episode_id, body)
            if written is None:
                raise StateConflict(f"episode {episode.episode_id} exists already")
            before: Sequence[str] = ()
        else:
            written = self._store.replace(stored, body)
            before = stored.body["finding_ids"]
        self._recall.written.put(episode.episode_id, written)
        known = set(before)
        new = [one for one in episode.finding_ids if one not in known]
        self._recall.stored(episode, new)
        return Transition(
            kind=decision.kind,
            episode_id=episode.episode_id,
            source=episode.source,
            fingerprint=episode.fingerprint,
            number=episode.number,
            sequence=episode.sequence,
            at=now,
            notified=bool(rows),
            reason=decision.reason,
            rows=rows,
        )

    def _owe(
        self, decision: Decision, now: datetime
    ) -> tuple[Episode, tuple[str, ...]]:
        episode = decision.episode
        if decision.message is None:
            return episode, ()
        sequence = self._outbox.free_sequence(
            episode.episode_id, episode.sequence, decision.cause
        )
        if sequence != episode.sequence:
            opens = episode.opening_sequence == episode.sequence
            opening = sequence if opens else episode.opening_sequence
            episode = replace(episode, sequence=sequence, opening_sequence=opening)
        rows = [self._row(decision, episode, name, now) for name in self._channels()]
        return episode, self._outbox.owe(rows)

    def _channels(self) -> tuple[str, ...]:
        return self._outbox.channels

    def _row(
        self, decision: Decision, episode: Episode, channel: str, now: datetime
    ) -> OutboxRow:
        assert decision.message is not None
        eid = episode.episode_id
        return OutboxRow(
            row_id=episode_row_id(eid, episode.sequence, channel),
            kind=decision.message,
            channel=channel,
            source=episode.source,
            created_at=now,
            owed_since=now,
            next_attempt_at=now,
            thread_id=episode_row_id(eid, episode.opening_sequence, channel),
            episode_id=eid,
            sequence=episode.sequence,
            cause=decision.cause,
            episode=episode_news(episode, decision.reason),
        )
