"""One pass over the due rows: claim, send, settle, log.

    candidates ─▶ its turn? ─▶ due? ─▶ channel well? ─▶ claim ─▶ send ─▶ settle ─▶ log

Order holds within an episode and channel: nobody reads "resolved" before "opened". A
channel that failed once is left alone for the rest of the pass, so a dead receiver
costs one time-out a pass and never stops the other channels.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.delivery import Attempt, Channel, DeliveryReport, Outcome
from alerting.errors import DeliveryError, StateConflict
from alerting.lifecycle import span
from alerting.records import Clock
from alerting.rows import (
    DeliveryRules,
    OutboxRow,
    backoff_s,
    claimed,
    row_from,
    settled_dead,
    settled_retry,
    settled_sent,
)
from alerting.store import DELIVERIES, EPISODES, OUTBOX, AlertStore, Stored

MAX_CONFLICTS = 8

Thread = tuple[str, str]


class Courier:
    """Sends rows. One an ``Outbox``; remembers only what receivers asked to wait.

    owner: the name on this process's claims. alone: no other process delivers (the
    caller holds the lease), so claims of other owners are of dead runs and due at once.
    """

    def __init__(
        self,
        store: AlertStore,
        channels: Sequence[Channel],
        clock: Clock,
        rng: random.Random,
        rules: DeliveryRules,
        *,
        owner: str,
        alone: bool,
    ) -> None:
        self._store = store
        self._channels = {channel.name: channel for channel in channels}
        self._clock = clock
        self._rng = rng
        self._rules = rules
        self._owner = owner
        self._alone = alone
        self._wait_until: dict[str, datetime] = {}

    def deliver(
        self,
        rows: Sequence[OutboxRow],
        now: datetime,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> DeliveryReport:
        """Sends what of these (unsent) rows is due; see the module."""
        work = _Pass(rows, self._wait_until, now)
        ordered = work.ordered()
        there = self._read([row.row_id for row in ordered])
        for row in ordered:
            stored = there.get(row.row_id)
            fresh = row_from(stored.body) if stored else None
            if stored is None or fresh is None or not fresh.unsent:
                work.done(row)
                continue
            if not self._is_due(fresh, now):
                continue
            if not may_go_on():
                break
            self._one(stored, fresh, work, now)
        return DeliveryReport(tuple(work.attempts), dict(work.held))

    def _read(self, ids: Sequence[str]) -> dict[str, Stored]:
        """The rows as they are now; who claims one that changed since is refused."""
        return self._store.get_many(OUTBOX, ids) if ids else {}

    def _is_due(self, row: OutboxRow, now: datetime) -> bool:
        if row.state == "sending" and self._alone and row.claimed_by != self._owner:
            return True
        return row.next_attempt_at <= now

    def _one(self, stored: Stored, row: OutboxRow, work: _Pass, now: datetime) -> None:
        newer = work.overtaken_by(row)
        if newer is not None:
            reason = f"overtaken by transition {newer} of the same episode"
            self._settle(stored, replace(row, state="dropped", reason=reason), work)
            return
        blocked = self._why_not_now(row, work)
        if blocked is None:
            self._attempt(stored, row, work)
            return
        reason, hopeless = blocked
        if hopeless and now - row.owed_since > self._rules.max_age:
            age = span(self._rules.max_age)
            dead = settled_dead(row, f"given up after {age} without delivery: {reason}")
            self._settle(stored, dead, work)
        else:
            work.held[reason] += 1

    def _why_not_now(self, row: OutboxRow, work: _Pass) -> tuple[str, bool] | None:
        """Why a due row has to wait, and whether only age can end that."""
        if work.earlier_unsent(row):
            return "an earlier message of the same episode is not sent yet", False
        if row.channel in work.failed:
            return f"channel {row.channel}: {work.failed[row.channel]}", True
        if row.channel not in self._channels:
            return f"channel {row.channel} is not configured any more", True
        spent = work.spent.get(row.channel, timedelta())
        if spent > self._rules.channel_budget:
            return f"channel {row.channel} is slow: the rest waits for next time", False
        if not self._confirmed(row):
            return "its transition has not been stored yet", True
        return None

    def _confirmed(self, row: OutboxRow) -> bool:
        """Whether the episode has made the transition that the row tells of."""
        if row.episode_id is None or row.test:
            return True
        stored = self._store.get(EPISODES, row.episode_id)
        return stored is not None and stored.body["sequence"] >= row.sequence

    def _attempt(self, stored: Stored, row: OutboxRow, work: _Pass) -> None:
        began = self._clock.now()
        claim = claimed(row, self._owner, began, self._rules)
        try:
            held = self._store.replace(stored, claim.body())
        except StateConflict:
            work.held["another process took it"] += 1
            return
        channel = self._channels[row.channel]
        try:
            message = channel.composer.compose(claim, began)
            receipt = channel.notifier.send(message)
        except DeliveryError as error:
            after = self._after_failure(claim, error, work)
        except Exception as error:  # a bug in one channel must not stop the others
            reason = f"unexpected {type(error).__name__} in channel {row.channel}"
            failure = DeliveryError(reason, recoverable=True)
            after = self._after_failure(claim, failure, work)
        else:
            after = settled_sent(claim, self._clock.now(), receipt.detail)
        ended = self._clock.now()
        work.spent[row.channel] = work.spent.get(row.channel, timedelta()) + (
            ended - began
        )
        self._settle(held, after, work)
        self._log(after, began, ended)

    def _after_failure(
        self, row: OutboxRow, error: DeliveryError, work: _Pass
    ) -> OutboxRow:
        if not error.recoverable:
            return settled_dead(row, error.reason)
        now = self._clock.now()
        work.failed[row.channel] = error.reason
        wait_s = backoff_s(row.attempts - row.forgiven, self._rng.random(), self._rules)
        if error.retry_after_s is not None:
            wait_s = error.retry_after_s * (1 + 0.1 * self._rng.random())
            wait_s = min(wait_s, self._rules.max_age.total_seconds() / 2)
            self._wait_until[row.channel] = now + timedelta(seconds=wait_s)
        return settled_retry(
            row, error.reason, now, wait_s, self._rules, error.remaining
        )

    def _settle(self, stored: Stored, row: OutboxRow, work: _Pass) -> None:
        """Stores what became of the row; a delivery is recorded whoever else wrote."""
        for _ in range(MAX_CONFLICTS):
            try:
                self._store.replace(stored, row.body())
            except StateConflict:
                current = self._store.get(OUTBOX, row.row_id)
                if current is None or row.state != "sent":
                    return
                stored = current
            else:
                work.record(row)
                return

    def _log(self, row: OutboxRow, began: datetime, ended: datetime) -> None:
        outcome = "retry" if row.state == "pending" else row.state
        body = {
            "row_id": row.row_id,
            "channel": row.channel,
            "kind": row.kind,
            "attempt": row.attempts,
            "attempted_at": began.isoformat(),
            "outcome": outcome,
            "reason": row.reason,
            "duration_s": (ended - began).total_seconds(),
        }
        self._store.create(DELIVERIES, f"{row.row_id}.{row.attempts}", body)


class _Pass:
    """What one pass has learnt so far: who is still unsent, which channels failed."""

    def __init__(
        self,
        rows: Sequence[OutboxRow],
        wait_until: Mapping[str, datetime],
        now: datetime,
    ) -> None:
        self._rows = rows
        self._unsent: dict[Thread, set[int]] = {}
        for row in rows:
            self._unsent.setdefault(_thread(row), set()).add(row.sequence)
        self.attempts: list[Attempt] = []
        self.held: Counter[str] = Counter()
        self.spent: dict[str, timedelta] = {}
        self.failed = {
            channel: f"its receiver asked to wait until {until:%H:%M:%S} UTC"
            for channel, until in wait_until.items()
            if until > now
        }

    def ordered(self) -> list[OutboxRow]:
        """Longest due first, each episode's rows in their own order."""
        first: dict[Thread, OutboxRow] = {}
        for row in self._rows:
            best = first.setdefault(_thread(row), row)
            if row.sequence < best.sequence:
                first[_thread(row)] = row
        return sorted(
            self._rows,
            key=lambda row: (
                first[_thread(row)].next_attempt_at,
                row.created_at,
                row.sequence,
                row.row_id,
            ),
        )

    def earlier_unsent(self, row: OutboxRow) -> bool:
        return min(self._unsent[_thread(row)], default=row.sequence) < row.sequence

    def overtaken_by(self, row: OutboxRow) -> int | None:
        """The sequence that makes a reminder pointless, if there is one."""
        newest = max(self._unsent[_thread(row)], default=row.sequence)
        return newest if row.kind == "ongoing" and newest > row.sequence else None

    def done(self, row: OutboxRow) -> None:
        self._unsent[_thread(row)].discard(row.sequence)

    def record(self, row: OutboxRow) -> None:
        pending = row.state == "pending"
        if not pending:
            self.done(row)
        self.attempts.append(
            Attempt(
                row_id=row.row_id,
                channel=row.channel,
                kind=row.kind,
                attempt=row.attempts,
                outcome="retry" if pending else _ended(row),
                reason=row.reason,
                next_attempt_at=row.next_attempt_at if pending else None,
            )
        )


def _ended(row: OutboxRow) -> Outcome:
    if row.state == "sent":
        return "sent"
    return "dropped" if row.state == "dropped" else "dead"


def _thread(row: OutboxRow) -> Thread:
    return row.episode_id or row.row_id, row.channel
