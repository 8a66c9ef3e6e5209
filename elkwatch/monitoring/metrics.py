"""The service's figures in Prometheus's form, in a registry of their own.

Names end in their unit, counters in `_total`. Labels are names of sources, channels,
stages and class ids: all few, none from log text.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, generate_latest

from elkwatch.memory import gpu_memory_bytes, process_memory_bytes
from elkwatch.rounds import SourceOutcome, Tick

_MAX_CLASSES = 200
_OTHER = "other"
_CHANGES = ("created", "amended", "withdrawn", "suppressed", "held_back")


class ServiceMetrics:
    """Counts what rounds did since the process began."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        counter = partial(Counter, registry=made)
        gauge = partial(Gauge, registry=made)
        by_source = ["source"]
        Info("elkwatch_build", "Version of elkwatch.", registry=made).info(
            {"version": version("elkwatch")}
        )
        self._rounds = counter(
            "elkwatch_rounds", "Rounds over all sources.", ["outcome"]
        )
        self._leading = gauge("elkwatch_leading", "1 while this process works.")
        self._last_round = gauge(
            "elkwatch_last_round_timestamp_seconds",
            "When the last round without a failure ended.",
        )
        self._documents = counter(
            "elkwatch_documents", "New documents read.", by_source
        )
        self._late = counter("elkwatch_late_documents", "Late documents.", by_source)
        self._sessions = counter(
            "elkwatch_sessions_judged", "Sessions judged.", by_source
        )
        self._open = gauge("elkwatch_sessions_open", "Sessions open.", by_source)
        self._lag = gauge("elkwatch_lag_seconds", "How far behind now.", by_source)
        self._unknown = gauge(
            "elkwatch_unknown_ratio",
            "Share of the last round's documents that match no template.",
            by_source,
        )
        self._outdated = gauge(
            "elkwatch_model_outdated",
            "1 while the model is out of date: unknown kinds are held back.",
            by_source,
        )
        self._flagged = gauge(
            "elkwatch_flagged_ratio",
            "Share of the last sessions that deviate in no known way.",
            by_source,
        )
        self._findings = counter(
            "elkwatch_findings",
            "Findings by what happened to them.",
            ["source", "change"],
        )
        self._classes = counter(
            "elkwatch_class_findings",
            "New findings by class id.",
            ["source", "class_id"],
        )
        self._precision = gauge(
            "elkwatch_feedback_precision_ratio",
            "Right / (right + false alarm) of the feedback that holds, by class id.",
            ["source", "class_id"],
        )
        self._dead_letters = counter(
            "elkwatch_dead_letters", "Dead letters.", by_source
        )
        self._failures = counter(
            "elkwatch_source_failures", "Rounds a source failed.", by_source
        )
        self._stages = counter(
            "elkwatch_stage_seconds", "Seconds spent, by stage.", ["source", "stage"]
        )
        self._model_age = gauge(
            "elkwatch_model_age_seconds",
            "Since the model was trained.",
            ["source", "version"],
        )
        self._deliveries = counter(
            "elkwatch_deliveries",
            "Attempts to deliver a notification.",
            ["channel", "outcome"],
        )
        self._memory = gauge("elkwatch_memory_bytes", "Resident memory.")
        self._gpu_memory = gauge("elkwatch_gpu_memory_bytes", "Memory held on the GPU.")
        self._known_classes: set[str] = set()

    def leading(self, leads: bool) -> None:
        """Whether this process works or stands by."""
        self._leading.set(int(leads))

    def round_ended(self, tick: Tick, now: datetime) -> None:
        """Takes in what a round did."""
        good = not tick.failures
        self._rounds.labels("success" if good else "failure").inc()
        if good:
            self._last_round.set(now.timestamp())
        for outcome in tick.sources:
            self._source(outcome, now)
        for attempt in tick.delivery.attempts:
            self._deliveries.labels(attempt.channel, attempt.outcome).inc()

    def round_failed(self) -> None:
        """A round ended in an error that stopped it."""
        self._rounds.labels("failure").inc()

    def exposition(self) -> bytes:
        """The text that Prometheus reads."""
        self._memory.set(process_memory_bytes())
        self._gpu_memory.set(gpu_memory_bytes() or 0)
        return generate_latest(self.registry)

    def _source(self, outcome: SourceOutcome, now: datetime) -> None:
        name, progress, counts = outcome.source, outcome.progress, outcome.counts
        self._documents.labels(name).inc(counts.documents)
        self._late.labels(name).inc(counts.late)
        self._sessions.labels(name).inc(progress.sessions)
        self._open.labels(name).set(outcome.open_sessions)
        self._dead_letters.labels(name).inc(progress.dead + counts.problems)
        self._failures.labels(name).inc(outcome.failure is not None)
        if progress.lag_s is not None:
            self._lag.labels(name).set(progress.lag_s)
        if counts.documents:
            self._unknown.labels(name).set(counts.unknown_ratio)
        self._outdated.labels(name).set(bool(outcome.outdated))
        self._flagged.labels(name).set(outcome.flagged_share)
        for change in _CHANGES:
            self._findings.labels(name, change).inc(getattr(progress, change))
        for class_id, number in progress.classes.items():
            self._classes.labels(name, self._class_label(class_id)).inc(number)
        self._precision.remove_by_labels({"source": name})
        for class_id, share in outcome.precision.items():
            self._precision.labels(name, self._class_label(class_id)).set(share)
        for stage, seconds in progress.watch.seconds.items():
            self._stages.labels(name, stage).inc(seconds)
        if outcome.model_age_s is not None:
            self._model_age.labels(name, outcome.model_version).set(outcome.model_age_s)

    def _class_label(self, class_id: str) -> str:
        """Class ids are few; should they not be, the rest is counted as one."""
        if len(self._known_classes) < _MAX_CLASSES:
            self._known_classes.add(class_id)
        return class_id if class_id in self._known_classes else _OTHER
