"""What the tests of alerting are made of: notices, a clock, channels, broken stores."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from alerting import (
    Alerting,
    AlertStore,
    Channel,
    DeliveryRules,
    EpisodeTracker,
    FindingNotice,
    InMemoryAlertStore,
    Outbox,
    OutgoingMessage,
    Policy,
    Receipt,
    Stored,
    Write,
    sample_notice,
)
from alerting.assembly import RowComposer
from alerting.delivery import Composer
from alerting.document import webhook_document
from alerting.messages.render import Messages, Rendered
from alerting.rows import OutboxRow

_T = TypeVar("_T")

_COMPOSER = RowComposer(Messages())  # its files are compiled once

T0 = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def notice(finding_id: str, at: datetime = T0, **changes: Any) -> FindingNotice:
    """A finding of class c07 on shop-db that ended at that time."""
    made = replace(
        sample_notice(at),
        finding_id=finding_id,
        fingerprint="c07/shop-db",
        session=f"session {finding_id}",
        start=at - minutes(1),
        end=at,
        detected_at=at,
    )
    return replace(made, **changes)


class FakeClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime = T0) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def forward(self, length: timedelta) -> datetime:
        self.time += length
        return self.time


@dataclass
class Recorder:
    """A notifier that keeps what it is given, or first does what ``before`` says."""

    before: Callable[[OutgoingMessage], None] = lambda message: None
    after: Callable[[OutgoingMessage], None] = lambda message: None
    messages: list[OutgoingMessage] = field(default_factory=list)

    def send(self, message: OutgoingMessage) -> Receipt:
        self.before(message)
        self.messages.append(message)
        self.after(message)
        return Receipt("recorded")

    def probe(self) -> Receipt:
        return Receipt("there")

    @property
    def ids(self) -> list[str]:
        return [message.row_id for message in self.messages]

    @property
    def kinds(self) -> list[str]:
        return [message.kind for message in self.messages]


class Wordless:
    """A composer that makes the document only, for tests that send thousands."""

    def compose(self, row: OutboxRow, sent_at: datetime) -> OutgoingMessage:
        return OutgoingMessage(
            row_id=row.row_id,
            kind=row.kind,
            thread_id=row.thread_id,
            sent_at=sent_at,
            severity="low",
            subject="",
            text="",
            html="",
            document=webhook_document(row, Rendered("", "", "")),
        )


class LongestWait(random.Random):
    """Always draws nearly one: the longest jitter, so that waits are known."""

    def random(self) -> float:
        return 0.999999


@dataclass
class World:
    """One run of alerting over a store: tracker, outbox, and channels that record."""

    store: AlertStore = field(default_factory=InMemoryAlertStore)
    clock: FakeClock = field(default_factory=FakeClock)
    channels: Mapping[str, Any] = field(default_factory=lambda: {"mail": Recorder()})
    policy: Policy = field(default_factory=Policy)
    rules: DeliveryRules = field(default_factory=DeliveryRules)
    alone: bool = False
    owner: str | None = None
    composer: Composer = _COMPOSER

    def __post_init__(self) -> None:
        outbox = Outbox(
            self.store,
            [Channel(n, "test", self.composer, c) for n, c in self.channels.items()],
            self.clock,
            rules=self.rules,
            rng=LongestWait(),
            alone=self.alone,
            owner=self.owner,
        )
        tracker = EpisodeTracker(self.store, outbox, self.policy)
        self.alerting = Alerting(tracker, outbox)

    @property
    def tracker(self) -> EpisodeTracker:
        return self.alerting.tracker

    @property
    def outbox(self) -> Outbox:
        return self.alerting.outbox

    def restarted(self, **changes: Any) -> World:
        """Fresh objects over the same store, clock and channels."""
        return replace(self, **changes)


class Crash(BaseException):
    """The process is killed here; not an Exception, so nothing may catch it."""


class ThroughStore:
    """A store in front of another: requests go through `_read` or `_write`."""

    def __init__(self, inner: AlertStore) -> None:
        self._inner = inner

    def get(self, kind: str, doc_id: str) -> Stored | None:
        self._read(f"read one of {kind}")
        return self._inner.get(kind, doc_id)

    def get_many(self, kind: str, ids: Sequence[str]) -> dict[str, Stored]:
        assert ids, "nothing need be asked for"
        self._read(f"read {kind}")
        return self._inner.get_many(kind, ids)

    def find(
        self,
        kind: str,
        equals: Mapping[str, str | Sequence[str]],
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[Stored]:
        self._read(f"search {kind}")
        return self._inner.find(kind, equals, limit=limit, order_by=order_by)

    def create(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored | None:
        what = f"write one of {kind}"
        return self._write(what, lambda _: self._inner.create(kind, doc_id, body), 1)

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        what = f"write one of {stored.kind}"
        return self._write(what, lambda _: self._inner.replace(stored, body), 1)

    def write_many(self, kind: str, writes: Sequence[Write]) -> list[Stored | None]:
        assert writes, "nothing need be written"
        return self._write(
            f"write {kind}",
            lambda kept: self._inner.write_many(kind, [writes[at] for at in kept]),
            len(writes),
        )

    def _read(self, what: str) -> None:
        """A request to read is on its way."""

    def _write(
        self, what: str, write: Callable[[Collection[int]], _T], size: int
    ) -> _T:
        """Lets documents (by their places) through; all of them."""
        return write(range(size))


class CountedStore(ThroughStore):
    """Counts the requests to a store, by what they do to which kind."""

    def __init__(self, inner: AlertStore) -> None:
        super().__init__(inner)
        self.requests: Counter[str] = Counter()

    def taken(self) -> dict[str, int]:
        """The requests since the last time."""
        requests, self.requests = self.requests, Counter()
        return dict(requests)

    def _read(self, what: str) -> None:
        self.requests[what] += 1

    def _write(
        self, what: str, write: Callable[[Collection[int]], _T], size: int
    ) -> _T:
        self.requests[what] += 1
        return super()._write(what, write, size)


class CrashingStore(ThroughStore):
    """A store whose process is killed at the k-th request to write (from 1).

    kept: which of its documents (from 0) have reached the store when it happens.
    ``sizes``: how many documents each request so far was to write.
    """

    def __init__(self, inner: AlertStore, at: int, kept: Collection[int] = ()) -> None:
        super().__init__(inner)
        self._at = at
        self._kept = kept
        self.sizes: list[int] = []

    def _write(
        self, what: str, write: Callable[[Collection[int]], _T], size: int
    ) -> _T:
        self.sizes.append(size)
        if len(self.sizes) != self._at:
            return super()._write(what, write, size)
        if self._kept:
            write(sorted(at for at in self._kept if at < size))
        raise Crash


class LaggingStore(InMemoryAlertStore):
    """A store whose searches do not see anything written since ``refresh``."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = InMemoryAlertStore()

    def refresh(self) -> None:
        self._seen._documents = dict(self._documents)

    def find(
        self,
        kind: str,
        equals: Mapping[str, str | Sequence[str]],
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[Stored]:
        return self._seen.find(kind, equals, limit=limit, order_by=order_by)


class ContestedStore(InMemoryAlertStore):
    """Somebody else rewrites a document just before the next few replaces of a kind."""

    def __init__(self, kind: str, times: int) -> None:
        super().__init__()
        self._kind = kind
        self.left = times

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        if stored.kind == self._kind and self.left > 0:
            self.left -= 1
            current = self.get(stored.kind, stored.doc_id)
            assert current is not None
            super().replace(current, current.body)
        return super().replace(stored, body)
