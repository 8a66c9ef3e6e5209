"""Stores decisions in the one order that survives a crash: rows, then the episodes.

Killed in between, or when some were written and others not, rows are there and their
episode is as it was: the replay decides the same again, finds its rows, and goes on.
Nothing is sent in between, since a row waits until its episode has reached it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerting.episode import Episode, episode_from
from alerting.errors import StoreBusy
from alerting.lifecycle import Decision
from alerting.news import episode_news
from alerting.outbox import Outbox
from alerting.recall import Held, Recall
from alerting.records import Transition
from alerting.rows import OutboxRow, episode_row_id
from alerting.store import EPISODES, AlertStore, Stored, Write

MAX_CONFLICTS = 8
CHUNK = 200

#: One decision an episode; None where nothing changes.
Decide = Callable[[Sequence[Episode]], Sequence[Decision | None]]


@dataclass(frozen=True, slots=True)
class Change:
    """A decision to store over what is held (None: as a new document)."""

    held: Held | None
    decision: Decision


class Keeper:
    """Reads and writes episodes; owes what their transitions owe."""

    def __init__(self, store: AlertStore, outbox: Outbox, recall: Recall) -> None:
        self._store = store
        self._outbox = outbox
        self._recall = recall

    def read_all(self, ids: Iterable[str]) -> dict[str, Held]:
        """The newest version of each that is there; what was held is that from now."""
        wanted = list(ids)
        read: dict[str, Held] = {}
        for at in range(0, len(wanted), CHUNK):
            found = self._store.get_many(EPISODES, wanted[at : at + CHUNK])
            for its_id, stored in found.items():
                read[its_id] = held = Held.of(episode_from(stored.body), stored)
                if self._recall.written.get(its_id) is not None:
                    self._recall.written.put(its_id, held)
        return read

    def held(self, episode_id: str) -> Held | None:
        """The episode as this process wrote it last; None: it did not, or not lately.

        Enough to decide by: what is put over an older version is refused.
        """
        return self._recall.written.get(episode_id)

    def forget(self, episode_id: str) -> None:
        """Somebody else wrote: the episode is to be read anew."""
        self._recall.written.drop(episode_id)

    def change_each(
        self, ids: Sequence[str], decide: Decide, now: datetime
    ) -> list[Transition]:
        """Decides on the newest versions, so many at a time. Raises StoreBusy."""
        done: list[Transition] = []
        for at in range(0, len(ids), CHUNK):
            read = self.read_all(ids[at : at + CHUNK])
            done += self.change_all(read, decide, now)
        return done

    def change_all(
        self, read: Mapping[str, Held], decide: Decide, now: datetime
    ) -> list[Transition]:
        """Decides on what was read and stores that; again what meets a conflict.

        Nothing for episodes that are gone, or without a change. Raises StoreBusy.
        """
        done: list[Transition] = []
        for _ in range(MAX_CONFLICTS):
            if not read:
                return done
            read = self.read_all(self._change_once(read, decide, now, done))
        if read:
            raise StoreBusy(f"episode {', '.join(read)} keeps changing; try again")
        return done

    def _change_once(
        self,
        read: Mapping[str, Held],
        decide: Decide,
        now: datetime,
        done: list[Transition],
    ) -> list[str]:
        """→ the episodes that met a conflict."""
        held = list(read.values())
        changes = []
        for one, decision in zip(held, decide([h.episode for h in held]), strict=True):
            if decision is None:
                self._recall.stored(one.episode, ())
            else:
                changes.append(Change(one, decision))
        left = []
        for change, transition in zip(changes, self.put_all(changes, now), strict=True):
            if transition is None:
                left.append(change.decision.episode.episode_id)
            else:
                done.append(transition)
        return left

    def put_all(
        self, changes: Sequence[Change], now: datetime
    ) -> list[Transition | None]:
        """Stores decisions, each on another episode; None where one met a conflict."""
        if not changes:
            return []
        episodes = self._with_free_sequences([change.decision for change in changes])
        owed = [
            self._rows(change.decision, episode, now)
            for change, episode in zip(changes, episodes, strict=True)
        ]
        missed = self._outbox.owe_all([row for rows in owed for row in rows])
        ready = [
            (change, episode)
            for change, episode, rows in zip(changes, episodes, owed, strict=True)
            if missed.isdisjoint(row.row_id for row in rows)
        ]
        stored = self._write(ready)
        return [
            _transition(change.decision, episode, rows, now)
            if episode.episode_id in stored
            else None
            for change, episode, rows in zip(changes, episodes, owed, strict=True)
        ]

    def _write(self, ready: Sequence[tuple[Change, Episode]]) -> dict[str, Stored]:
        """→ what was written; not there: that one met a conflict."""
        if not ready:
            return {}
        writes = []
        for change, episode in ready:
            self._recall.written.drop(episode.episode_id)
            over = None if change.held is None else change.held.version
            writes.append(Write(episode.episode_id, episode.body(), over))
        written: dict[str, Stored] = {}
        for (change, episode), stored in zip(
            ready, self._store.write_many(EPISODES, writes), strict=True
        ):
            if stored is None:
                continue
            written[episode.episode_id] = stored
            self._recall.written.put(episode.episode_id, Held.of(episode, stored))
            known = set(change.held.episode.finding_ids if change.held else ())
            new = [one for one in episode.finding_ids if one not in known]
            self._recall.stored(episode, new)
        return written

    def _with_free_sequences(self, decisions: Sequence[Decision]) -> list[Episode]:
        """The episodes, those that tell something with a sequence that is theirs."""
        telling = [one for one in decisions if one.message is not None]
        free = self._outbox.free_sequences(telling)
        return [
            _at_sequence(one.episode, free.get(one.episode.episode_id))
            for one in decisions
        ]

    def _rows(
        self, decision: Decision, episode: Episode, now: datetime
    ) -> list[OutboxRow]:
        if decision.message is None:
            return []
        return [
            _row(decision, episode, channel, now) for channel in self._outbox.channels
        ]


def _at_sequence(episode: Episode, sequence: int | None) -> Episode:
    if sequence is None or sequence == episode.sequence:
        return episode
    opens = episode.opening_sequence == episode.sequence
    opening = sequence if opens else episode.opening_sequence
    return replace(episode, sequence=sequence, opening_sequence=opening)


def _row(
    decision: Decision, episode: Episode, channel: str, now: datetime
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


def _transition(
    decision: Decision, episode: Episode, rows: Sequence[OutboxRow], now: datetime
) -> Transition:
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
        rows=tuple(row.row_id for row in rows),
    )
