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
from typing import Literal

from alerting.courier import Courier
from alerting.delivery import Channel, DeliveryReport
from alerting.errors import RowError, StateConflict, StoreBusy
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
from alerting.store import OUTBOX, AlertStore

MAX_ROWS = 1000
MAX_FRESH = 10_000
MAX_CONFLICTS = 8

Owed = Literal["owed", "owed before", "rewritten"]


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

    def causes(self, episode_id: str, sequence: int) -> frozenset[str]:
        """What the rows of that transition, if any are there, were owed for."""
        rows = self._rows_of(episode_id, sequence)
        return frozenset(cause for row in rows for cause in row.cause)

    def free_sequence(
        self, episode_id: str, sequence: int, cause: Collection[str]
    ) -> int:
        """The first sequence, from this one on, whose rows are ours or not there.

        A row of another cause is left by a transition that was decided, but never
        stored. Nobody has seen it unless somebody tried to send it; then we go past it.
        """
        while any(
            not row.untouched and not _same(row, cause)
            for row in self._rows_of(episode_id, sequence)
        ):
            sequence += 1
        return sequence

    def owe(self, rows: Iterable[OutboxRow]) -> tuple[str, ...]:
        """Stores rows that are not there yet; → the ids of all of them.

        A row that is there for the same cause stays as it is, whatever became of it.
        """
        ids = []
        for row in rows:
            self._owe_one(row)
            ids.append(row.row_id)
            self._fresh[row.row_id] = None
        while len(self._fresh) > MAX_FRESH:
            self._fresh.popitem(last=False)
        return tuple(ids)

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

    def _rows_of(self, episode_id: str, sequence: int) -> list[OutboxRow]:
        found = (
            self.row(episode_row_id(episode_id, sequence, name))
            for name in self.channels
        )
        return [row for row in found if row is not None]

    def _owe_one(self, row: OutboxRow) -> Owed:
        for _ in range(MAX_CONFLICTS):
            if self._store.create(OUTBOX, row.row_id, row.body()) is not None:
                return "owed"
            stored = self._store.get(OUTBOX, row.row_id)
            if stored is None:
                continue
            held = row_from(stored.body)
            if _same(held, row.cause) or not held.untouched:
                return "owed before"
            try:
                self._store.replace(stored, row.body())
            except StateConflict:
                continue
            return "rewritten"
        raise StoreBusy(f"outbox row {row.row_id} keeps changing; try again")

    def _unsent(self) -> list[OutboxRow]:
        """What a search finds, and what it may not show yet because it is new.

        Channel by channel, so that the many rows of a dead one do not hide the rest.
        """
        found = [
            self.rows(UNSENT, channel=name, limit=MAX_ROWS) for name in self.channels
        ]
        gone = self.rows(UNSENT, limit=MAX_ROWS)  # of channels that are no more
        rows = {row.row_id: row for some in (*found, gone) for row in some}
        for row_id in list(self._fresh):
            row = rows.get(row_id) or self.row(row_id)
            if row is None or not row.unsent:
                del self._fresh[row_id]
            else:
                rows[row_id] = row
        return list(rows.values())


def _same(row: OutboxRow, cause: Collection[str]) -> bool:
    return not set(row.cause).isdisjoint(cause)
