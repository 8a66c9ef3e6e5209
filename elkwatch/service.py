"""The service: every interval each source is worked through, then what is owed is sent.

    schedule ─▶ lead? ─▶ tick ─▶ run_source … ─▶ outbox.deliver ─▶ run figures

Ticks never overlap; those missed while one ran are made up for by one. A source that
fails is told of and tried again at the next tick; the others go on. Of several services
on one namespace one works; the others stand by, and take over when its lease ends.
"""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from alerting import AlertingError, DeliveryReport
from connector import ConnectorError, LeaseLost, RunFigures, TickFigures
from elkwatch.clock import Clock
from elkwatch.compose import Parts, SourceParts
from elkwatch.config import Config
from elkwatch.garbage import seldom_collected
from elkwatch.model_change import shadow_figures, take_up_models
from elkwatch.model_fit import unfit
from elkwatch.outputs import Progress
from elkwatch.pipeline import run_source
from elkwatch.program_log import get_logger, masked
from elkwatch.rounds import (
    Nobody,
    Observer,
    SourceOutcome,
    Tick,
    age_s,
    retrain,
    round_figures,
    run_figures,
    summary,
)
from elkwatch.source_run import ReadCounts

_log = get_logger("elkwatch.service")


class Service:
    """Runs ticks. `stop` may be called from a signal handler or another thread."""

    def __init__(
        self, parts: Parts, clock: Clock, observer: Observer | None = None
    ) -> None:
        self._parts = parts
        self._clock = clock
        self._observer: Observer = observer or Nobody()
        self._leadership = parts.leadership
        self._worked_as: int | None = None
        self._stopping = threading.Event()

    @property
    def clock(self) -> Clock:
        """Where it takes the time from."""
        return self._clock

    @property
    def stands_by(self) -> bool:
        """Whether another process works, as far as is known."""
        return not self._leadership.leads

    @property
    def retry_s(self) -> float:
        """How often a service on standby is to ask whether it may work."""
        return self._leadership.retry_s

    def stop(self) -> None:
        """Ends the work after the step it is at; nothing is lost."""
        self._stopping.set()

    def once(self) -> Tick:
        """One tick, as soon as no other process works; nothing when stopped before.

        Raises LeaseHeldError when another goes on working, LeaseLost when one took
        over in between.
        """
        try:
            if not self._leadership.wait(self._stopping.wait):
                return Tick((), DeliveryReport())
            return self._round()
        finally:
            self._leadership.resign()

    def turn(self) -> Tick | None:
        """A tick if this process leads or can begin to; None on standby."""
        if not self._leadership.lead():
            self._observer.stood_by(self._clock.now())
            return None
        try:
            return self._round()
        except LeaseLost as lost:
            _log.warning("on standby again", reason=str(lost))
            return None

    def resign(self) -> None:
        """Lets another process work at once."""
        self._leadership.resign()

    def _round(self) -> Tick:
        with seldom_collected():
            return self._tick()

    def _tick(self) -> Tick:
        """Works through every source once, then delivers what is owed."""
        if self._leadership.token != self._worked_as:
            # Others may have worked since: what is in memory is not the truth any more.
            for source in self._parts.sources:
                source.reading.start_again()
            self._worked_as = self._leadership.token
        run_id, began_round = uuid.uuid4().hex, self._clock.now()
        outcomes = []
        for source in self._parts.sources:
            take_up_models(source)
            if self._stopping.is_set():
                break
            began = self._clock.now()
            outcome = self._run(source, began)
            outcomes.append(outcome)
            figures = run_figures(run_id, source, outcome, began, self._clock.now())
            shadow = shadow_figures(source.reading, self._parts.outputs)
            self._publish(replace(figures, shadow=shadow))
        tick = Tick(tuple(outcomes), *self._deliver())
        self._publish(round_figures(run_id, tick, began_round, self._clock.now()))
        self._observer.round_ended(tick, self._clock.now())
        return tick

    def round_failed(self, reason: str) -> None:
        """Whoever watches is told of a round that an error stopped."""
        self._observer.round_failed(reason, self._clock.now())

    def _stop_asked(self) -> bool:
        """Asked between steps: whether to stop. Whoever watches sees it is alive."""
        self._observer.step(self._clock.now())
        return self._stopping.is_set()

    def _run(self, source: SourceParts, now: datetime) -> SourceOutcome:
        reading = source.reading
        name = reading.settings.name
        progress, failure = Progress(), None
        try:
            progress = run_source(
                reading,
                self._parts.outputs,
                self._parts.limits,
                now,
                log_url=source.log_url,
                stop=self._stop_asked,
            )
        except LeaseLost:
            raise
        except (ConnectorError, AlertingError) as error:
            failure = masked(str(error))
            _log.error("source failed", source=name, reason=failure)
            reading.start_again()
        counts, reading.counts = reading.counts, ReadCounts()
        outcome = SourceOutcome(
            name,
            progress,
            counts,
            len(reading.tracker),
            failure,
            reading.classifier.model.version,
            age_s(reading.classifier.model.trained_at, now),
            reading.drift.reason,
            reading.drift.flagged_share,
            reading.opinions.precision(),
        )
        if failure is None:
            _log.info("source done", source=name, **summary(outcome))
            if outcome.outdated:
                _log.warning("model out of date", source=name, reason=retrain(outcome))
            if line := unfit(str(reading.settings.model), counts.unknown_ratio):
                _log.warning("model does not fit", source=name, reason=line)
        return outcome

    def _deliver(self) -> tuple[DeliveryReport, str | None]:
        """What was sent, and the line it failed with as a whole, if it did."""
        try:
            report = self._parts.alerts.outbox.deliver(
                self._clock.now(), may_go_on=self._leadership.holds
            )
        except (ConnectorError, AlertingError) as error:
            _log.error("delivery failed", reason=str(error))
            return DeliveryReport(), f"delivery failed: {error}"
        for attempt in report.attempts:
            tell = _log.info if attempt.outcome == "sent" else _log.warning
            tell(
                "notification " + attempt.outcome,
                channel=attempt.channel,
                kind=attempt.kind,
                row=attempt.row_id,
                reason=attempt.reason,
            )
        return report, None

    def _publish(self, figures: RunFigures | TickFigures) -> None:
        """Run figures; that they cannot be written stops nothing."""
        try:
            self._leadership.check()
            self._parts.metrics.write(figures)
        except LeaseLost:
            raise
        except ConnectorError as error:
            _log.warning("run figures not written", reason=str(error))


def serve(service: Service, config: Config) -> None:
    """Ticks on schedule until SIGTERM or SIGINT; the tick at work ends cleanly."""
    done = threading.Event()

    def on_signal(number: int, _: FrameType | None) -> None:
        _log.info("stopping", signal=signal.Signals(number).name)
        service.stop()
        done.set()

    before = {s: signal.signal(s, on_signal) for s in (signal.SIGTERM, signal.SIGINT)}
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    try:
        interval_s = config.schedule.interval.total_seconds()
        turns = scheduler.add_job(
            _guarded(service),
            "interval",
            seconds=interval_s,
            next_run_time=service.clock.now(),
        )
        scheduler.start()
        _log.info("service started", interval_s=interval_s)
        while not done.wait(service.retry_s):
            if service.stands_by:  # an interval may be long: ask for the lease now
                turns.modify(next_run_time=service.clock.now())
    finally:
        scheduler.shutdown(wait=True)
        service.resign()
        for number, handler in before.items():
            signal.signal(number, handler)
        _log.info("service stopped")


def _guarded(service: Service) -> Callable[[], None]:
    """A turn whose surprises end up in the log, not in the scheduler."""

    def run() -> None:
        try:
            service.turn()
        except ConnectorError as error:  # Elasticsearch is away: one line is enough
            service.round_failed(str(error))
            _log.error("round failed; the next one tries again", reason=str(error))
        except Exception as error:
            service.round_failed(masked(f"{type(error).__name__}: {error}"))
            _log.exception("tick failed unexpectedly; the next one tries again")

    return run
