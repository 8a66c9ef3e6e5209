"""Alerting as it is, with its state in memory and channels that only count.

findings ─▶ EpisodeTracker ─▶ Outbox ─▶ channel of the same name ─▶ told(row, time)

What is over (sent rows, episodes long resolved) is counted and let go of, so that a
long period takes no more memory than a short one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting import (
    Alerting,
    Channel,
    Clock,
    Episode,
    EpisodeTracker,
    Outbox,
    OutboxRow,
    OutgoingMessage,
    Policy,
    Receipt,
    episode_from,
)
from connector import InMemoryStateStore, Stored
from elkwatch.alert_store import AlertStateStore

KEEP_RESOLVED = timedelta(days=1)
LOOK_EVERY = 50

Told = Callable[[OutboxRow, datetime], None]


class _CountingChannel:
    """Both ends of a channel: no words are made, and nobody is called."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._rows: dict[str, OutboxRow] = {}

    def compose(self, row: OutboxRow, sent_at: datetime) -> OutgoingMessage:
        news = row.episode or row.catch_up
        self._rows[row.row_id] = row
        return OutgoingMessage(
            row_id=row.row_id,
            kind=row.kind,
            thread_id=row.thread_id,
            sent_at=sent_at,
            severity=news.severity if news else "low",
            subject="",
            text="",
            html="",
            document={},
        )

    def send(self, message: OutgoingMessage) -> Receipt:
        self._told(self._rows.pop(message.row_id), message.sent_at)
        return Receipt("counted, not sent")

    def probe(self) -> Receipt:
        return Receipt("nobody is called")


@dataclass(frozen=True, slots=True)
class ChannelName:
    """A configured channel, without anything that could reach somebody."""

    name: str
    kind: str


class Rehearsal:
    """Tracker and outbox that nobody hears. `over`: told of each episode let go of."""

    def __init__(
        self,
        policy: Policy,
        channels: Sequence[ChannelName],
        clock: Clock,
        told: Told,
        over: Callable[[Episode], None],
    ) -> None:
        self.state = InMemoryStateStore()
        store = AlertStateStore(self.state)
        counting = [
            Channel(c.name, c.kind, one, one)
            for c in channels
            for one in (_CountingChannel(told),)
        ]
        outbox = Outbox(store, counting, clock, rng=random.Random(0), alone=True)
        self.alerts = Alerting(EpisodeTracker(store, outbox, policy), outbox)
        self._over = over
        self._looks = 0

    def settle(self, now: datetime) -> None:
        """Lets go of what is over. To be called after each delivery."""
        self.state.forget("deliveries", lambda _: True)
        self.state.forget("outbox", lambda s: s.body["state"] in _ENDED)
        self._looks += 1
        if self._looks % LOOK_EVERY == 0:
            self._let_go(now - KEEP_RESOLVED)

    def end(self) -> None:
        """Tells of every episode that is left."""
        for stored in self.state.forget("episodes", lambda _: True):
            self._over(episode_from(stored.body))

    def _let_go(self, before: datetime) -> None:
        """Old episodes but the newest of each kind, which late findings may join."""
        newest: dict[tuple[str, str], int] = {}

        def note(stored: Stored) -> bool:
            key, number = _place(stored)
            newest[key] = max(newest.get(key, 0), number)
            return False

        def over(stored: Stored) -> bool:
            key, number = _place(stored)
            return (
                stored.body["state"] == "resolved"
                and number < newest[key]
                and datetime.fromisoformat(stored.body["last_seen_at"]) < before
            )

        self.state.forget("episodes", note)
        for stored in self.state.forget("episodes", over):
            self._over(episode_from(stored.body))
        numbers: dict[str, int] = {}
        for stored in self.state.find("catchups", {}, limit=10_000):
            source = stored.body["source"]
            numbers[source] = max(numbers.get(source, 0), stored.body["number"])
        self.state.forget(
            "catchups", lambda s: s.body["number"] < numbers[s.body["source"]]
        )


_ENDED = ("sent", "dead", "dropped")


def _place(stored: Stored) -> tuple[tuple[str, str], int]:
    body = stored.body
    return (body["source"], body["fingerprint"]), body["number"]
