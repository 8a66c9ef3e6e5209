"""Which of several elkwatch processes does the work: the one that holds the lease.

    lead() / wait() ─▶ work, with check() before each write ─▶ resign()

A thread renews the lease while it is held, so that long steps cost nothing. That thread
goes on where the work hangs or is slow; where the whole process is paused or cut off,
nothing renews, another process takes over, and `check` stops this one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from connector import ConnectorError, Lease, LeaseLost
from elkwatch.errors import LeaseHeldError
from elkwatch.program_log import get_logger

_log = get_logger("elkwatch.leadership")

RENEWALS_A_LIFETIME = 3
WAITING_LIFETIMES = 2


class Leadership:
    """The right to work on a namespace, while this process has it."""

    def __init__(self, lease: Lease, namespace: str) -> None:
        self._lease = lease
        self._namespace = namespace
        self._ended = threading.Event()
        self._renewer: threading.Thread | None = None
        self._told = ""

    @property
    def retry_s(self) -> float:
        """How often it is worth asking for a lease that somebody else holds."""
        return min(self._lease.ttl_s / RENEWALS_A_LIFETIME, 5.0)

    @property
    def leads(self) -> bool:
        """Whether this process has the lease, as far as it knows."""
        return self._lease.token is not None

    @property
    def token(self) -> int | None:
        """The number of this leadership, higher than of any before; None without."""
        return self._lease.token

    def lead(self) -> bool:
        """Takes the lease if it is free; → whether we have it.

        Says once, in one line, who has it otherwise. Raises what the store raises.
        """
        if self.leads:
            return True
        if self._lease.acquire():
            _log.info("leading", namespace=self._namespace, token=self._lease.token)
            self._told = ""
            self._start_renewing()
            return True
        holder = self._lease.holder()
        if holder is not None and holder.owner.name != self._told:
            _log.info(f"standby: {holder} holds the lease", namespace=self._namespace)
            self._told = holder.owner.name
        return False

    def wait(self, pause: Callable[[float], bool]) -> bool:
        """Waits for the lease, two lifetimes at most; → False when told to stop.

        `pause` waits so many seconds and says whether to stop instead. Raises
        LeaseHeldError when time is up.
        """
        wait_s = WAITING_LIFETIMES * self._lease.ttl_s
        waited_s, step_s = 0.0, min(self.retry_s, 1.0)
        while not self.lead():
            if waited_s >= wait_s:
                raise self._held_elsewhere(wait_s)
            if pause(step_s):
                return False
            waited_s += step_s
        return True

    def check(self) -> None:
        """Raises LeaseLost unless the lease is ours at this moment, by the store."""
        self._lease.verify()

    def holds(self) -> bool:
        """Whether `check` passes. Raises only what the store raises."""
        try:
            self.check()
        except LeaseLost:
            return False
        return True

    def resign(self) -> None:
        """Stops renewing and frees the lease, so that another need not wait.

        Where Elasticsearch is away the lease ends by itself.
        """
        self._stop_renewing()
        try:
            self._lease.release()
        except ConnectorError as error:
            _log.warning("lease not released; it expires", reason=str(error))

    def _held_elsewhere(self, waited_s: float) -> LeaseHeldError:
        holder = self._lease.holder()
        who = "another process" if holder is None else str(holder)
        return LeaseHeldError(
            f"namespace {self._namespace}: {who} does the work (waited {waited_s:g} s "
            "for its lease); stop it, or leave the work to it"
        )

    def _start_renewing(self) -> None:
        self._stop_renewing()
        self._ended = threading.Event()
        self._renewer = threading.Thread(
            target=self._renew, args=(self._ended,), name="lease", daemon=True
        )
        self._renewer.start()

    def _stop_renewing(self) -> None:
        self._ended.set()
        if self._renewer is not None:
            self._renewer.join()
            self._renewer = None

    def _renew(self, ended: threading.Event) -> None:
        while not ended.wait(self._lease.ttl_s / RENEWALS_A_LIFETIME):
            try:
                self._lease.renew()
            except LeaseLost as lost:
                _log.warning("lease lost", reason=str(lost))
                return
            except ConnectorError as error:
                _log.warning("lease not renewed", reason=str(error))
