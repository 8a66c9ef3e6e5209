"""The observer of the service: feeds the probes and the metrics."""

from __future__ import annotations

from datetime import datetime

from elkwatch.monitoring.metrics import ServiceMetrics
from elkwatch.monitoring.pulse import Pulse
from elkwatch.rounds import Tick


class Watcher:
    """Passes on what the service does. Called from the service's thread only."""

    def __init__(self, pulse: Pulse, metrics: ServiceMetrics) -> None:
        self._pulse, self._metrics = pulse, metrics

    def step(self, now: datetime) -> None:
        """A long round goes on."""
        self._pulse.beat(now)

    def stood_by(self, now: datetime) -> None:
        """Another process works."""
        self._pulse.stands_by(now)
        self._metrics.leading(False)

    def round_ended(self, tick: Tick, now: datetime) -> None:
        """A round over all sources is done."""
        self._pulse.round_ended(now, tick.failures)
        self._metrics.leading(True)
        self._metrics.round_ended(tick, now)

    def round_failed(self, reason: str, now: datetime) -> None:
        """A round ended in an error that stopped it."""
        self._pulse.failed(now, reason)
        self._metrics.round_failed()
