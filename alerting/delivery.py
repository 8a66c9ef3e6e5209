"""What a delivery needs (channels) and what it tells (reports)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from alerting.notifiers import Notifier, OutgoingMessage
from alerting.rows import OutboxRow

Outcome = Literal["sent", "retry", "dead", "dropped"]


class Composer(Protocol):
    """Turns a row into the message of one channel."""

    def compose(self, row: OutboxRow, sent_at: datetime) -> OutgoingMessage: ...


@dataclass(frozen=True, slots=True)
class Channel:
    """A named way to people: whose words it uses and who carries them."""

    name: str
    kind: str
    composer: Composer
    notifier: Notifier


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one row in this pass. reason: for people, without secrets."""

    row_id: str
    channel: str
    kind: str
    attempt: int
    outcome: Outcome
    reason: str
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One pass. held: how many due rows had to wait, by reason."""

    attempts: tuple[Attempt, ...] = ()
    held: Mapping[str, int] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> int:
        """How many rows ended this pass so."""
        return sum(one.outcome == outcome for one in self.attempts)

    @property
    def sent(self) -> int:
        return self.count("sent")

    @property
    def retried(self) -> int:
        return self.count("retry")

    @property
    def dead(self) -> int:
        return self.count("dead")
