"""What is owed, and that it is sent: once, in order, to every channel on its own.

``owe`` stores a row for each channel before anything is sent and before the episode
moves; ``deliver`` sends what is due. A row is an *intent* until its episode has reached
its sequence: a crash between the two leaves a row that waits for the replay.
"""

from __future__ import annotations

import random
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from alerting.courier import Courier
from alerting.delivery import Channel, DeliveryReport
from alerting.errors import RowError, StateConflict, StoreBusy
from alerting.lifecycle import Decision
from alerting.records import Clock
from alerting.rows import (
    UNSENT,
    DeliveryRules,
    OutboxRow,
    RowState,
    episode_row_id,
    replayed,
    row_from,
)
from alerting.store import OUTBOX, AlertStore, Write

MAX_ROWS = 1000
MAX_FRESH = 10_000
MAX_CONFLICTS = 8

#: A transition: (episode id, sequence).
Place = tuple[str, int]


class Outbox:
    """Owed rows and their delivery. Not for several threads at once.

    rng: draws the jitter of retries. owner, alone: see ``Courier``.
    """

    def __init__(
        self,
        store: AlertStore,
        channels: Sequence[Channel],
        clock: Clock,
        *,
        rules: DeliveryRules | None = None,
        rng: random.Random | None = None,
        owner: str | None = None,
        alone: bool = False,
    ) -> None:
        self._store = store
        self._channels = tuple(channels)
        self._fresh: OrderedDict[str, None] = OrderedDict()
        self._courier = Courier(
            store,
            channels,
            clock,
            rng or random.Random(),
            rules or DeliveryRules(),
            owner=owner or uuid.uuid4().hex,
            alone=alone,
        )

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(channel.name for channel in self._channels)

    def causes(self, places: Iterable[Place]) -> dict[Place, frozenset[str]]:
        """What the rows of those transitions, if any are there, were owed for."""
        return {
            place: frozenset(cause for row in rows for cause in row.cause)
            for place, rows in self._rows_at(places).items()
        }

    def free_sequences(self, decisions: Iterable[Decision]) -> dict[str, int]:
        """By episode: the first sequence, from the decided one on, that is its own.

        Its rows are of the same cause, or not there, or nobody has seen them: a row of
        another cause is left by a transition that was decided, but never stored. Where
        somebody tried to send it we go past it.
        """
        free: dict[str, int] = {}
        left = {
            (one.episode.episode_id, one.episode.sequence): one.cause
            for one in decisions
        }
        while left:
            further = {}
            rows = self._rows_at(left)
            for (episode_id, sequence), cause in left.items():
                taken = any(
                    not row.untouched and not _same(row, cause)
                    for row in rows[episode_id, sequence]
                )
                if taken:
                    further[episode_id, sequence + 1] = cause
                else:
                    free[episode_id] = sequence
            left = further
        return free

    def owe(self, rows: Iterable[OutboxRow]) -> tuple[str, ...]:
        """Stores rows that are not there yet; → the ids of all. Raises StoreBusy."""
        every = list(rows)
        left = every
        for _ in range(MAX_CONFLICTS):
            missed = self.owe_all(left)
            if not missed:
                return tuple(row.row_id for row in every)
            left = [row for row in left if row.row_id in missed]
        raise StoreBusy(f"outbox row {left[0].row_id} keeps changing; try again")

    def owe_all(self, rows: Sequence[OutboxRow]) -> set[str]:
        """Stores rows that are not there yet; → the ids of those that met a conflict.

        A row that is there for the same cause stays as it is, whatever became of it;
        one of another cause is rewritten if nobody tried to send it.
        """
        missed = self._rewrite(self._create(rows))
        self._fresh.update(dict.fromkeys(row.row_id for row in rows))
        while len(self._fresh) > MAX_FRESH:
            self._fresh.popitem(last=False)
        return missed

    def deliver(
        self,
        now: datetime,
        *,
        only: Collection[str] | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> DeliveryReport:
        """Sends what is due (of these row ids, if given). Raises what the store raises.

        ``may_go_on`` is asked before each message; the rest waits where it says no.
        Failed channels are in the report, never raised.
        """
        rows = [row for row in self._unsent() if only is None or row.row_id in only]
        return self._courier.deliver(rows, now, may_go_on)

    def row(self, row_id: str) -> OutboxRow | None:
        """One row, as it is now."""
        stored = self._store.get(OUTBOX, row_id)
        return None if stored is None else row_from(stored.body)

    def rows(
        self,
        states: Sequence[RowState] | None = None,
        *,
        channel: str | None = None,
        limit: int = MAX_ROWS,
    ) -> list[OutboxRow]:
        """Rows in these states (all), of that channel (any), the longest due first."""
        equals: dict[str, str | Sequence[str]] = {}
        if states is not None:
            equals["state"] = tuple(states)
        if channel is not None:
            equals["channel"] = channel
        order = "next_attempt_at"
        found = self._store.find(OUTBOX, equals, limit=limit, order_by=order)
        return [row_from(stored.body) for stored in found]

    def replay(self, row_id: str, now: datetime) -> OutboxRow:
        """Owes a dead or dropped row again, under its own id.

        Raises RowError where there is no such row, or it is not dead.
        """
        for _ in range(MAX_CONFLICTS):
            stored = self._store.get(OUTBOX, row_id)
            if stored is None:
                raise RowError(f"no outbox row {row_id}: `alerts list` shows them all")
            row = row_from(stored.body)
            if row.state not in ("dead", "dropped"):
                raise RowError(
                    f"row {row_id} is {row.state}: only dead or dropped ones can be "
                    "replayed"
                )
            try:
                self._store.replace(stored, replayed(row, now).body())
            except StateConflict:
                continue
            self._fresh[row_id] = None
            return replayed(row, now)
        raise StoreBusy(f"outbox row {row_id} keeps changing; try again")

    def _rows_at(self, places: Iterable[Place]) -> dict[Place, list[OutboxRow]]:
        """The rows of each of these transitions."""
        at: dict[Place, list[OutboxRow]] = {place: [] for place in places}
        ids = {episode_row_id(*place, n): place for place in at for n in self.channels}
        for row in self._read(list(ids)).values():
            at[ids[row.row_id]].append(row)
        return at

    def _read(self, ids: Sequence[str]) -> dict[str, OutboxRow]:
        if not ids:
            return {}
        read = self._store.get_many(OUTBOX, ids)
        return {row_id: row_from(stored.body) for row_id, stored in read.items()}

    def _create(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """→ those whose id is there already."""
        if not rows:
            return []
        writes = [Write(row.row_id, row.body()) for row in rows]
        created = self._store.write_many(OUTBOX, writes)
        return [row for row, one in zip(rows, created, strict=True) if one is None]

    def _rewrite(self, rows: Sequence[OutboxRow]) -> set[str]:
        """Rewrites those that may be; → ids of what changed or went meanwhile."""
        if not rows:
            return set()
        there = self._store.get_many(OUTBOX, [row.row_id for row in rows])
        missed = {row.row_id for row in rows if row.row_id not in there}
        writes = []
        for row in rows:
            stored = there.get(row.row_id)
            held = None if stored is None else row_from(stored.body)
            if held is not None and held.untouched and not _same(held, row.cause):
                writes.append(Write(row.row_id, row.body(), stored))
        written = self._store.write_many(OUTBOX, writes) if writes else []
        for write, one in zip(writes, written, strict=True):
            if one is None:
                missed.add(write.doc_id)
        return missed

    def _unsent(self) -> list[OutboxRow]:
        """What a search finds, and what it may not show yet because it is new.

        Channel by channel, so that the many rows of a dead one do not hide the rest.
        """
        found = [
            self.rows(UNSENT, channel=name, limit=MAX_ROWS) for name in self.channels
        ]
        gone = self.rows(UNSENT, limit=MAX_ROWS)  # of channels that are no more
        rows = {row.row_id: row for some in (*found, gone) for row in some}
        rows |= self._read([one for one in self._fresh if one not in rows])
        for row_id in list(self._fresh):
            if row_id not in rows or not rows[row_id].unsent:
                del self._fresh[row_id]
                rows.pop(row_id, None)
        return list(rows.values())


def _same(row: OutboxRow, cause: Collection[str]) -> bool:
    return not set(row.cause).isdisjoint(cause)
