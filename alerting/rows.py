"""One owed message: an outbox row, and the pure rules of its life.

    pending ──claimed──▶ sending ──▶ sent
       ▲                    │ └─────▶ dead  (refused, or given up; replayable)
       └──────retry─────────┘
    pending ──overtaken by a newer transition──▶ dropped

The id of a row is made of the episode, its transition and the channel, so a transition
that is decided twice owes one row. It is also the idempotency key that receivers see.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from alerting.lifecycle import MessageKind, span
from alerting.news import CatchUpNews, EpisodeNews

RowState = Literal["pending", "sending", "sent", "dead", "dropped"]
UNSENT: tuple[RowState, ...] = ("pending", "sending")

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """See the module. Times are UTC-aware.

    next_attempt_at: when it is due; of a claimed row, when the claim lapses.
    owed_since: what ``max_age`` counts from. attempts: ever; forgiven: before a replay.
    remaining: the recipients still owed after a part of them accepted. thread_id: the
    row that opened the episode on this channel. cause: see ``Decision``.
    """

    row_id: str
    kind: MessageKind
    channel: str
    source: str
    created_at: datetime
    owed_since: datetime
    next_attempt_at: datetime
    thread_id: str
    episode_id: str | None = None
    sequence: int = 0
    cause: tuple[str, ...] = ()
    state: RowState = "pending"
    attempts: int = 0
    forgiven: int = 0
    claimed_at: datetime | None = None
    claimed_by: str | None = None
    sent_at: datetime | None = None
    reason: str = ""
    remaining: tuple[str, ...] = ()
    episode: EpisodeNews | None = None
    catch_up: CatchUpNews | None = None

    @property
    def unsent(self) -> bool:
        return self.state in UNSENT

    @property
    def untouched(self) -> bool:
        """Nobody ever tried to send it."""
        return self.state == "pending" and self.attempts == 0

    @property
    def test(self) -> bool:
        news = self.episode or self.catch_up
        return news is not None and news.test

    def body(self) -> dict[str, Any]:
        """As a document: what is searched on top, all of it in ``payload``."""
        payload: dict[str, Any] = msgspec.to_builtins(self)
        searched = (
            "state",
            "channel",
            "source",
            "kind",
            "episode_id",
            "sequence",
            "attempts",
            "reason",
            "created_at",
            "next_attempt_at",
            "sent_at",
        )
        return {key: payload[key] for key in searched} | {"payload": payload}


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How often and how long a row is tried.

    claim_timeout: a claim older than this is of a sender that died. backoff_s doubles
    with each attempt up to backoff_max_s; each wait is drawn from its upper half. A row
    is dead after max_attempts, or max_age after it was owed. channel_budget: what one
    channel may take of one pass, so that a slow receiver does not hold up the rest.
    """

    claim_timeout: timedelta = timedelta(minutes=5)
    max_age: timedelta = timedelta(hours=24)
    max_attempts: int = 40
    backoff_s: float = 30.0
    backoff_max_s: float = 3600.0
    channel_budget: timedelta = timedelta(seconds=30)


def row_from(body: Mapping[str, Any]) -> OutboxRow:
    """The row that ``OutboxRow.body`` wrote."""
    return msgspec.convert(body["payload"], OutboxRow)


def episode_row_id(episode_id: str, sequence: int, channel: str) -> str:
    """The same for the same transition and channel, always."""
    return f"{episode_id}-{sequence}-{slug(channel)}"


def catch_up_row_id(source: str, number: int, channel: str) -> str:
    """The same for the same catch-up and channel, always."""
    return f"catchup-{slug(source)}-{number}-{slug(channel)}"


def slug(name: str) -> str:
    """The name itself if made of letters, digits, ``_`` and ``-``, else a marked copy.

    Ids travel in mail and HTTP headers, and Standard Webhooks forbids dots in them.
    """
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]
    if safe == name:
        return name
    mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{safe[:48]}_{mark}"


def claimed(
    row: OutboxRow, owner: str, now: datetime, rules: DeliveryRules
) -> OutboxRow:
    """The row as it is while ``owner`` sends it."""
    return replace(
        row,
        state="sending",
        attempts=row.attempts + 1,
        claimed_at=now,
        claimed_by=owner,
        next_attempt_at=now + rules.claim_timeout,
    )


def settled_sent(row: OutboxRow, now: datetime, detail: str) -> OutboxRow:
    """The row once the receiver has accepted it."""
    return replace(
        row, state="sent", sent_at=now, reason=detail[:MAX_REASON], remaining=()
    )


def settled_dead(row: OutboxRow, reason: str) -> OutboxRow:
    """The row that is given up; visible, replayable."""
    return replace(row, state="dead", reason=reason[:MAX_REASON])


def settled_retry(
    row: OutboxRow,
    reason: str,
    now: datetime,
    wait_s: float,
    rules: DeliveryRules,
    remaining: tuple[str, ...],
) -> OutboxRow:
    """The row after an attempt that may be repeated: due again later, or dead."""
    tried = row.attempts - row.forgiven
    after = replace(row, remaining=remaining or row.remaining)
    if tried >= rules.max_attempts:
        return settled_dead(after, f"given up after {tried} attempts: {reason}")
    due = now + timedelta(seconds=wait_s)
    if due - row.owed_since > rules.max_age:
        age = span(rules.max_age)
        return settled_dead(after, f"given up, not delivered within {age}: {reason}")
    return replace(
        after, state="pending", next_attempt_at=due, reason=reason[:MAX_REASON]
    )


def replayed(row: OutboxRow, now: datetime) -> OutboxRow:
    """A dead or dropped row, owed again from now on under its own id."""
    return replace(
        row,
        state="pending",
        owed_since=now,
        next_attempt_at=now,
        forgiven=row.attempts,
        reason=f"replayed; before: {row.reason}"[:MAX_REASON],
    )


def backoff_s(attempt: int, draw: float, rules: DeliveryRules) -> float:
    """Seconds to wait after the attempt-th (from 1) failed; draw in [0, 1)."""
    full = min(rules.backoff_max_s, rules.backoff_s * 2.0 ** min(attempt - 1, 30))
    return full * (0.5 + 0.5 * draw)
