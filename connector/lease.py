"""One writer at a time: a lease in the state store, taken and kept by compare-and-swap.

    lease = Lease(store, "run", Owner.this_process(), clock)
    lease.acquire() ─▶ renew() … verify() before each write … ─▶ release()

The document says who holds it, until when, and the `token`: a number that rises with
every change of hands, so that no two holders ever had the same. Each renewal counts up
`renewals`, since Elasticsearch does not store a write that changes nothing.

What is assumed of clocks: `expires_at` is written by one host and read by another, so
the lifetime must be much longer than their clocks differ (60 s against NTP's
milliseconds). Clocks further apart cost no data: a waiter whose clock is ahead takes
over early, and the holder learns of it at its next `verify`, which reads the document
and trusts no clock at all.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Protocol

from connector.errors import LeaseLost, StateConflict
from connector.owner import Owner
from connector.state import StateStore, Stored
from connector.timestamps import read_time, to_iso

KIND = "leases"
DEFAULT_TTL_S = 60.0


class Clock(Protocol):
    """Tells what time it is."""

    def now(self) -> datetime:
        """The present time, UTC-aware."""
        ...


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, and until when if it is not renewed."""

    owner: Owner
    token: int
    expires_at: datetime

    def __str__(self) -> str:
        return f"process {self.owner.pid} on host {self.owner.host}"


class Lease:
    """A lease on `name`, of one owner. May be used by several threads.

    All methods raise StateUnavailable and EngineErrors of the store.
    """

    def __init__(
        self,
        store: StateStore,
        name: str,
        owner: Owner,
        clock: Clock,
        ttl_s: float = DEFAULT_TTL_S,
    ) -> None:
        self.name = name
        self.owner = owner
        self.ttl_s = ttl_s
        self._store = store
        self._clock = clock
        self._mine: Stored | None = None
        self._lock = RLock()

    @property
    def token(self) -> int | None:
        """The number of this holding; None while it is not held, as far as we know."""
        mine = self._mine
        return None if mine is None else int(mine.body["token"])

    def holder(self) -> Holder | None:
        """Who holds it now by the store; None when it is free for the taking.

        Free is what was never held, released, expired, or held by a process that is
        provably dead.
        """
        stored = self._store.get(KIND, self.name)
        return None if stored is None else self._holder(stored)

    def acquire(self) -> bool:
        """Takes the lease if it is free, keeps it if it is ours; → whether we hold it.

        Where several want it at once, one gets it.
        """
        with self._lock:
            stored = self._store.get(KIND, self.name)
            if stored is None:
                self._mine = self._store.create(KIND, self.name, self._body(1, 0))
                return self._mine is not None
            holder = self._holder(stored)
            if holder is not None and holder.owner.name != self.owner.name:
                self._mine = None
                return False
            token, renewals = int(stored.body["token"]), 0
            if holder is None:
                token += 1
            else:
                renewals = int(stored.body["renewals"]) + 1
            try:
                self._mine = self._store.replace(stored, self._body(token, renewals))
            except StateConflict:
                self._mine = None
            return self._mine is not None

    def renew(self) -> None:
        """Holds it for another `ttl_s`, even past its end if nobody took it meanwhile.

        Raises LeaseLost when somebody did, or it is not held at all.
        """
        with self._lock:
            mine = self._held()
            try:
                self._mine = self._renewed(mine)
            except StateConflict:
                self._renew_as_stored()

    def verify(self) -> None:
        """Asks the store whether we hold it; renews it when half its time is over.

        Raises LeaseLost. For use right before a write: a process that slept, for
        however long, must not go on.
        """
        with self._lock:
            mine = self._held()
            stored = self._store.get(KIND, self.name)
            if stored is None or not _same_holding(stored.body, mine.body):
                raise self._lost()
            self._mine = stored
            left = read_time(stored.body["expires_at"]) - self._clock.now()
            if left < timedelta(seconds=self.ttl_s / 2):
                self.renew()

    def release(self) -> None:
        """Frees it for others at once; nothing when it is not ours any more."""
        with self._lock:
            mine, self._mine = self._mine, None
            if mine is None:
                return
            stored = self._store.get(KIND, self.name)
            if stored is None or not _same_holding(stored.body, mine.body):
                return
            ended = to_iso(self._clock.now())
            with suppress(StateConflict):  # then somebody else has it already
                self._store.replace(
                    stored, {**stored.body, "owner": "", "expires_at": ended}
                )

    def _renewed(self, stored: Stored) -> Stored:
        body = self._body(stored.body["token"], stored.body["renewals"] + 1)
        return self._store.replace(stored, body)

    def _renew_as_stored(self) -> None:
        """After a conflict: perhaps it was our own write, whose answer never came."""
        stored = self._store.get(KIND, self.name)
        if stored is None or not _same_holding(stored.body, self._held().body):
            raise self._lost()
        try:
            self._mine = self._renewed(stored)
        except StateConflict as error:
            raise self._lost() from error

    def _holder(self, stored: Stored) -> Holder | None:
        body = stored.body
        expires_at = read_time(body["expires_at"])
        if not body["owner"] or expires_at <= self._clock.now():
            return None
        owner = Owner(
            name=body["owner"],
            host=body["host"],
            pid=int(body["pid"]),
            started=body["started"],
            place=body["place"],
        )
        if owner.provably_dead:
            return None
        return Holder(owner, int(body["token"]), expires_at)

    def _body(self, token: int, renewals: int) -> dict[str, Any]:
        expires_at = self._clock.now() + timedelta(seconds=self.ttl_s)
        return {
            "owner": self.owner.name,
            "host": self.owner.host,
            "pid": self.owner.pid,
            "started": self.owner.started,
            "place": self.owner.place,
            "token": token,
            "renewals": renewals,
            "expires_at": to_iso(expires_at),
        }

    def _held(self) -> Stored:
        if self._mine is None:
            raise LeaseLost(f"lease {self.name}: not held by this process")
        return self._mine

    def _lost(self) -> LeaseLost:
        """Nothing is ours any more; the error that says so."""
        self._mine = None
        return LeaseLost(
            f"lease {self.name}: somebody else took it meanwhile; this process stops "
            "writing (was it paused, or cut off from Elasticsearch?)"
        )


def _same_holding(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["owner"] == other["owner"] and one["token"] == other["token"])
