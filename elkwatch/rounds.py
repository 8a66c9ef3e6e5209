"""What a round over all sources did, who is told of it, and as which figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from alerting import DeliveryReport
from connector import RunFigures, TickFigures
from elkwatch.compose import SourceParts
from elkwatch.memory import gpu_memory_bytes, process_memory_bytes
from elkwatch.outdated import train_command
from elkwatch.outputs import Progress
from elkwatch.source_run import ReadCounts


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What one tick did with one source. `failure`: the line it failed with.

    `outdated`: why its model is out of date; empty while it is not. `flagged_share`: of
    the last sessions, 0 to 1.
    """

    source: str
    progress: Progress
    counts: ReadCounts
    open_sessions: int
    failure: str | None = None
    model_version: str = ""
    model_age_s: float | None = None
    outdated: str = ""
    flagged_share: float = 0.0
    precision: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tick:
    """One round over all sources. `undelivered`: the line that delivery failed with."""

    sources: tuple[SourceOutcome, ...]
    delivery: DeliveryReport
    undelivered: str | None = None

    @property
    def failures(self) -> list[str]:
        """The lines of the sources that failed, and of delivery."""
        lines = (*(s.failure for s in self.sources), self.undelivered)
        return [line for line in lines if line is not None]


class Observer(Protocol):
    """Who is told what the service does, while it does it."""

    def step(self, now: datetime) -> None: ...

    def stood_by(self, now: datetime) -> None: ...

    def round_ended(self, tick: Tick, now: datetime) -> None: ...

    def round_failed(self, reason: str, now: datetime) -> None: ...


class Nobody:
    """An observer for services that nobody watches."""

    def step(self, now: datetime) -> None:
        """Told of nothing."""

    def stood_by(self, now: datetime) -> None:
        """Told of nothing."""

    def round_ended(self, tick: Tick, now: datetime) -> None:
        """Told of nothing."""

    def round_failed(self, reason: str, now: datetime) -> None:
        """Told of nothing."""


def run_figures(
    run_id: str,
    source: SourceParts,
    outcome: SourceOutcome,
    began: datetime,
    ended: datetime,
) -> RunFigures:
    """What a tick did with a source, as it is published."""
    progress, counts = outcome.progress, outcome.counts
    oddities = source.reading.source.counts
    names = oddities.__slots__
    return RunFigures(
        run_id=run_id,
        source=outcome.source,
        started_at=began,
        ended_at=ended,
        documents_read=counts.documents,
        documents_late=counts.late,
        problems=counts.problems,
        sessions_scored=progress.sessions,
        sessions_open=outcome.open_sessions,
        sessions_confirmed=progress.confirmed,
        findings_created=progress.created,
        findings_amended=progress.amended,
        findings_withdrawn=progress.withdrawn,
        findings_suppressed=progress.suppressed,
        findings_held_back=progress.held_back,
        findings_by_class=progress.classes,
        dead_letters=progress.dead + counts.problems,
        unknown_ratio=counts.unknown_ratio,
        lag_s=progress.lag_s,
        model_version=outcome.model_version,
        model_age_s=outcome.model_age_s,
        durations_s={k: round(v, 3) for k, v in progress.watch.seconds.items()},
        oddities={name: getattr(oddities, name) for name in names}
        | {"too_long": counts.too_long},
        failure=outcome.failure,
        outdated=outcome.outdated,
        quality=progress.quality.figures(outcome.precision),
    )


def round_figures(
    run_id: str, tick: Tick, began: datetime, ended: datetime
) -> TickFigures:
    """What a round sent and took, as it is published."""
    delivery = tick.delivery
    return TickFigures(
        run_id=run_id,
        started_at=began,
        ended_at=ended,
        sent=delivery.sent,
        retried=delivery.retried,
        failed=delivery.dead,
        memory_bytes=process_memory_bytes(),
        gpu_memory_bytes=gpu_memory_bytes(),
    )


def age_s(trained_at: datetime | None, now: datetime) -> float | None:
    """Seconds since then; None where it is not known."""
    return None if trained_at is None else max(0.0, (now - trained_at).total_seconds())


def summary(outcome: SourceOutcome) -> dict[str, object]:
    """What the program log says of it."""
    progress, counts = outcome.progress, outcome.counts
    return {
        "documents": counts.documents,
        "late": counts.late,
        "sessions": progress.sessions,
        "open": outcome.open_sessions,
        "anomalous": progress.confirmed,
        "created": progress.created,
        "amended": progress.amended,
        "withdrawn": progress.withdrawn,
        "suppressed": progress.suppressed,
        "held_back": progress.held_back,
        "caught_up": progress.caught_up,
    }


def retrain(outcome: SourceOutcome) -> str:
    """Why a model is out of date, and what to do."""
    return (
        f"{outcome.outdated}; what is normal has changed, or much is wrong at once: "
        "findings of unknown kind are held back; look at them, then train again with "
        f"`{train_command(outcome.source)}`"
    )
