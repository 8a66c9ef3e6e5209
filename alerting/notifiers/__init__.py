"""The seam to one channel: a ``Notifier`` takes a finished message or says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from alerting.lifecycle import MessageKind


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message, rendered and ready.

    row_id: the idempotency key, the same in every attempt. thread_id: that of the
    message this one answers (its own for the first). document: the JSON of a webhook.
    remaining: only these recipients are still owed; empty = all.
    """

    row_id: str
    kind: MessageKind
    thread_id: str
    sent_at: datetime
    severity: str
    subject: str
    text: str
    html: str
    document: Mapping[str, Any]
    remaining: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receiver answered when it took the message, for the delivery log."""

    detail: str


class Notifier(Protocol):
    """One channel."""

    def send(self, message: OutgoingMessage) -> Receipt:
        """Hands the message over. Raises DeliveryError when that failed."""

    def probe(self) -> Receipt:
        """Goes the same way and sends nothing. Raises DeliveryError where it ends."""


__all__ = ["Notifier", "OutgoingMessage", "Receipt"]
