"""What each run did, one document a run and source, in the metrics stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from elasticsearch import Elasticsearch

from connector.bulk import BulkItem, BulkWriter
from connector.errors import SinkError
from connector.findings import ECS_VERSION
from connector.retrying import RetryPolicy
from connector.shadow_figures import ShadowFigures
from connector.timestamps import to_iso

RUN_DATASET = "elkwatch.run"

_CLASSES_MAX = 50

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class RunQuality:
    """How the model did in a run. Shares from 0 to 1.

    `scores`: p50, p90, p99 and max in thresholds. `deviating_share`: sessions past it.
    `unknown_kinds_share`, `class_shares`: of those confirmed. `precision`: by class,
    of people's feedback: right / (right + false alarm).
    """

    scores: Mapping[str, float]
    deviating_share: float
    unknown_kinds_share: float | None
    class_shares: Mapping[str, float]
    precision: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The figures of one run over one source.

    `documents_late`: those whose session had been closed already. `sessions_confirmed`:
    those that deviated and were fetched again whole. `lag_s`: how far behind now the
    reading stands. `model_age_s`: since it was trained. `unknown_ratio`: share of
    events the model knows no template for.
    `findings_by_class`: those created, by class id.
    `durations_s`: seconds by stage (read, score, confirm, write, alert …). `oddities`:
    the counts of DecodeCounts by name, and others of their kind. `failure`: the one
    line a run failed with.
    `outdated`: why the model is out of date; empty while it is not.
    """

    run_id: str
    source: str
    started_at: datetime
    ended_at: datetime
    documents_read: int = 0
    documents_late: int = 0
    problems: int = 0
    sessions_scored: int = 0
    sessions_open: int = 0
    sessions_confirmed: int = 0
    findings_created: int = 0
    findings_amended: int = 0
    findings_withdrawn: int = 0
    findings_suppressed: int = 0
    findings_held_back: int = 0
    findings_by_class: Mapping[str, int] = field(default_factory=dict)
    dead_letters: int = 0
    unknown_ratio: float = 0.0
    lag_s: float | None = None
    model_version: str = ""
    model_age_s: float | None = None
    durations_s: Mapping[str, float] = field(default_factory=dict)
    oddities: Mapping[str, int] = field(default_factory=dict)
    failure: str | None = None
    outdated: str = ""
    quality: RunQuality | None = None
    shadow: ShadowFigures | None = None

    @property
    def figures_id(self) -> str:
        """The `_id`: one document a run and source."""
        return sha256(f"{self.run_id}\0{self.source}".encode()).hexdigest()[:32]


def run_stream_name(namespace: str) -> str:
    """The data stream that run figures are written to."""
    return f"metrics-{RUN_DATASET}-{namespace}"


def run_document(figures: RunFigures, namespace: str) -> dict[str, Any]:
    """The document of a run, ready to index."""
    failed = figures.failure is not None
    return {
        **_around(figures, namespace, "source", failed=failed),
        **({"error": {"message": figures.failure}} if figures.failure else {}),
        "elkwatch": {
            "source": figures.source,
            "model": _model(figures),
            "run": _run(figures),
            **({"shadow": figures.shadow.body()} if figures.shadow else {}),
        },
    }


def _around(
    figures: RunFigures | TickFigures,
    namespace: str,
    action: str,
    *,
    failed: bool = False,
) -> dict[str, Any]:
    """What both kinds of documents have. `action`: `source` or `round`."""
    duration = figures.ended_at - figures.started_at
    return {
        "@timestamp": to_iso(figures.ended_at),
        "ecs": {"version": ECS_VERSION},
        "data_stream": {
            "type": "metrics",
            "dataset": RUN_DATASET,
            "namespace": namespace,
        },
        "event": {
            "kind": "metric",
            "module": "elkwatch",
            "dataset": RUN_DATASET,
            "action": action,
            "start": to_iso(figures.started_at),
            "end": to_iso(figures.ended_at),
            "duration": duration // timedelta(microseconds=1) * 1000,
            "outcome": "failure" if failed else "success",
            "ingested": to_iso(figures.ended_at),
        },
    }


def _run(figures: RunFigures) -> dict[str, Any]:
    run: dict[str, Any] = {
        "id": figures.run_id,
        "documents": {
            "read": figures.documents_read,
            "late": figures.documents_late,
            "problems": figures.problems,
        },
        "sessions": {
            "scored": figures.sessions_scored,
            "open": figures.sessions_open,
            "confirmed": figures.sessions_confirmed,
        },
        "findings": {
            "created": figures.findings_created,
            "amended": figures.findings_amended,
            "withdrawn": figures.findings_withdrawn,
            "suppressed": figures.findings_suppressed,
            "held_back": figures.findings_held_back,
            "classes": _as_field_names(figures.findings_by_class),
        },
        "dead_letters": figures.dead_letters,
        "unknown_ratio": figures.unknown_ratio,
        "durations_s": dict(figures.durations_s),
        "oddities": dict(figures.oddities),
    }
    if figures.lag_s is not None:
        run["lag_s"] = figures.lag_s
    if figures.model_age_s is not None:
        run["model_age_s"] = round(figures.model_age_s)
    if figures.quality is not None:
        run["quality"] = _quality(figures.quality)
    return run


def _model(figures: RunFigures) -> dict[str, Any]:
    model: dict[str, Any] = {"version": figures.model_version}
    if figures.model_version:
        model["outdated"] = bool(figures.outdated)
    return {**model, "reason": figures.outdated} if figures.outdated else model


def _quality(quality: RunQuality) -> dict[str, Any]:
    body: dict[str, Any] = {
        "scores": dict(quality.scores),
        "deviating_share": quality.deviating_share,
        "class_shares": _as_field_names(quality.class_shares),
        "precision": _kept_names(quality.precision),
    }
    if quality.unknown_kinds_share is not None:
        body["unknown_kinds_share"] = quality.unknown_kinds_share
    return body


def _kept_names(numbers: Mapping[str, float]) -> dict[str, float]:
    """As `_as_field_names`, of numbers that do not add up: the rest is left out."""
    kept = list(numbers.items())[:_CLASSES_MAX]
    return {name.strip().replace(".", "_") or "other": value for name, value in kept}


def _as_field_names(numbers: Mapping[str, N]) -> dict[str, N]:
    """Class ids are people's words: a dot would make a field of an object.

    Each becomes a field of the index, so that of many the smallest are one.
    """
    named: dict[str, N] = {}
    ordered = sorted(numbers.items(), key=lambda pair: -pair[1])
    for at, (name, number) in enumerate(ordered):
        kept = name.strip().replace(".", "_") if at < _CLASSES_MAX else ""
        before = named.get(kept or "other")
        named[kept or "other"] = number if before is None else before + number
    return named


@dataclass(frozen=True, slots=True)
class TickFigures:
    """The figures of one round over all sources: what was sent, what it took.

    `retried` will be tried again, `failed` is given up. Memory in bytes; None where it
    is not known, or there is no GPU.
    """

    run_id: str
    started_at: datetime
    ended_at: datetime
    sent: int = 0
    retried: int = 0
    failed: int = 0
    memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None

    @property
    def figures_id(self) -> str:
        """The `_id`: one document a round."""
        return sha256(f"{self.run_id}\0".encode()).hexdigest()[:32]


def tick_document(figures: TickFigures, namespace: str) -> dict[str, Any]:
    """The document of a round, ready to index. It belongs to no source."""
    run: dict[str, Any] = {
        "id": figures.run_id,
        "notifications": {
            "sent": figures.sent,
            "retried": figures.retried,
            "failed": figures.failed,
        },
    }
    for name in ("memory_bytes", "gpu_memory_bytes"):
        if (size := getattr(figures, name)) is not None:
            run[name] = size
    return {**_around(figures, namespace, "round"), "elkwatch": {"run": run}}


class RunMetricsSink:
    """Writes run figures to `metrics-elkwatch.run-<namespace>`.

    Raises what BulkWriter does, and SinkError for figures that are refused.
    """

    def __init__(
        self, client: Elasticsearch, namespace: str, *, retry: RetryPolicy | None = None
    ) -> None:
        self._namespace = namespace
        self._stream = run_stream_name(namespace)
        self._bulk = BulkWriter(
            client, doing=f"writing run figures to {self._stream}", retry=retry
        )

    def write(self, *figures: RunFigures | TickFigures) -> int:
        """Write them; how many were new (a replay of the same run writes none)."""
        results = self._bulk.write(self._items(figures))
        for result in results:
            if result.outcome == "rejected":
                raise SinkError(
                    f"writing run figures to {self._stream}: {result.reason}; "
                    "run `elkwatch setup`"
                )
        return sum(result.outcome == "written" for result in results)

    def _items(self, figures: Sequence[RunFigures | TickFigures]) -> list[BulkItem]:
        return [
            BulkItem(
                "create",
                self._stream,
                each.figures_id,
                _document(each, self._namespace),
            )
            for each in figures
        ]


def _document(figures: RunFigures | TickFigures, namespace: str) -> dict[str, Any]:
    if isinstance(figures, TickFigures):
        return tick_document(figures, namespace)
    return run_document(figures, namespace)
