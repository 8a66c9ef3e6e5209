"""Whether the service lives and whether it does its work, as it last told.

*Alive*: its loop turns, also while Elasticsearch is away; a restart would only help
where it hangs. *Ready*: the last round over all sources went well, or another process
does the work and this one stands by.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe is told. `reasons`: why not, or what it does; one line each."""

    good: bool
    state: str
    reasons: tuple[str, ...] = ()


class Pulse:
    """What the service last did. Written by its thread, read by probes."""

    def __init__(self, stale_after: timedelta, now: datetime) -> None:
        self._stale_after = stale_after
        self._lock = threading.Lock()
        self._beat = now
        self._last: Answer = Answer(False, "starting", ("no round has ended yet",))

    def beat(self, now: datetime) -> None:
        """The loop turned, or a long round went a step on."""
        with self._lock:
            self._beat = now

    def round_ended(self, now: datetime, failures: Sequence[str]) -> None:
        """A round over all sources is done; `failures`: a line for each that failed."""
        state = "failing" if failures else "working"
        self._told(now, Answer(not failures, state, tuple(failures)))

    def stands_by(self, now: datetime) -> None:
        """Another process does the work."""
        self._told(now, Answer(True, "standby", ("another process works",)))

    def failed(self, now: datetime, reason: str) -> None:
        """A round ended in an error that stopped it."""
        self._told(now, Answer(False, "failing", (reason,)))

    def alive(self, now: datetime) -> Answer:
        """For a liveness probe."""
        with self._lock:
            silent = now - self._beat
        if silent <= self._stale_after:
            return Answer(True, "alive")
        reason = f"nothing happened for {silent.total_seconds():.0f} s; it hangs"
        return Answer(False, "hanging", (reason,))

    def ready(self, now: datetime) -> Answer:
        """For a readiness probe."""
        alive = self.alive(now)
        with self._lock:
            return self._last if alive.good else alive

    def _told(self, now: datetime, answer: Answer) -> None:
        with self._lock:
            self._beat, self._last = now, answer
