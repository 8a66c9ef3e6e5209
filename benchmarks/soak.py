"""A soak: the service on a stream, faster than real time, its memory watched.

    python -m benchmarks.soak [--log-minutes 60] [--per-second 2000] [--minutes M]

A bounded replay: the demo's logs, repeated at so many documents a second of log time,
are shipped for one tick, the service's clock is moved to the end of it, and the service
takes its turn; then the next. So every tick is one as in production, only the waiting
is left out. Old logs are deleted as a retention would. With `--minutes` it ends after
so many minutes by the clock on the wall, however far it came, and says how far.

Printed for each tick: log time, documents, lag, resident memory after a collection,
seconds of work; at the end documents a second of work, and how much memory grew after
the warm-up (half of the ticks: what is bounded, such as the names of 100,000 closed
sessions, has to be full first), by the medians of the first and last quarter of what is
left. Documents, lag and memory are then read back from the metrics stream and must be
those of the ticks. Ends with 1 where memory grew by 1 % or more, a tick did not catch
up or took longer than the log time it covers, or the figures are others.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.stack import (
    Document,
    Pool,
    Stack,
    make_index,
    moved,
    ship,
    stack,
    time_of,
)
from connector import run_stream_name
from elkwatch.memory import process_memory_bytes
from elkwatch.service import Service

GROWTH_MAX = 0.01
SHARE = 0.01
KEPT_TICKS = 5
MIB = 1024 * 1024


@dataclass(slots=True)
class ReplayClock:
    """Log time: it stands where the replay has come to."""

    time: datetime

    def now(self) -> datetime:
        """The end of what was shipped, and the delay that the service keeps."""
        return self.time


@dataclass(frozen=True, slots=True)
class Sample:
    """One tick. `lag_s`: as it stands in the run figures."""

    documents: int
    lag_s: float | None
    memory_bytes: int
    work_s: float
    caught_up: bool


def stream(pool: Pool, per_second: int, begin: datetime) -> Iterator[list[Document]]:
    """Logs without end, by the minute of log time, evenly over it."""
    number, at = 0, begin
    while True:
        documents = pool.documents(60 * per_second, SHARE, seed=number)
        apart = timedelta(minutes=1) / len(documents)
        yield [
            moved(document, at + place * apart - time_of(document), f"s{number}")
            for place, document in enumerate(documents)
        ]
        number, at = number + 1, at + timedelta(minutes=1)


def soak(
    on: Stack, minutes: int, per_second: int, most_s: float
) -> tuple[list[Sample], bool]:
    """A tick a minute of log time, for at most so long; whether the figures agree."""
    ends_at = time.monotonic() + most_s
    pool = Pool.of(on.bundle)
    begin = datetime.now(UTC) - timedelta(minutes=minutes + 5)
    clock = ReplayClock(begin)
    namespace = on.namespace()
    mark = f"bench-soak-{namespace}"
    make_index(on.client, f"{mark}-0")
    parts = on.parts(f"{mark}-*", namespace, clock)
    service = Service(parts, clock)
    samples: list[Sample] = []
    minute_logs = stream(pool, per_second, begin)
    print(f"{'log time':>9}{'documents':>11}{'lag s':>8}{'MiB':>9}{'work s':>8}")
    try:
        for tick in range(minutes):
            if time.monotonic() > ends_at:
                print(f"ended after {tick} of {minutes} minutes of log time")
                break
            if tick:
                make_index(on.client, f"{mark}-{tick}")
            ship(on.client, f"{mark}-{tick}", next(minute_logs))
            if tick >= KEPT_TICKS:
                on.client.indices.delete(index=f"{mark}-{tick - KEPT_TICKS}")
            clock.time = begin + timedelta(minutes=tick + 1) + parts.limits.query_delay
            samples.append(_tick(service, tick))
    finally:
        service.resign()
        parts.client.close()
        kept = range(max(0, len(samples) - KEPT_TICKS), minutes)
        left = [f"{mark}-{number}" for number in kept]
        on.client.indices.delete(index=left, ignore_unavailable=True)
    return samples, _figures_agree(on, namespace, samples)


def _tick(service: Service, tick: int) -> Sample:
    began = time.monotonic()
    done = service.turn()
    work_s = time.monotonic() - began
    if done is None or done.failures:
        raise SystemExit(f"soak: {'no lease' if done is None else done.failures}")
    (source,) = done.sources
    sample = Sample(
        source.counts.documents,
        source.progress.lag_s,
        _settled_memory_bytes(),
        work_s,
        source.progress.caught_up,
    )
    lag = -1 if sample.lag_s is None else sample.lag_s
    print(
        f"{tick + 1:>5} min{sample.documents:>11}{lag:>8.0f}"
        f"{sample.memory_bytes / MIB:>9.1f}{work_s:>8.1f}",
        flush=True,
    )
    return sample


def _settled_memory_bytes() -> int:
    """Resident memory without what is only waiting to be given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return process_memory_bytes()


def growth(samples: Sequence[Sample]) -> float:
    """Share by which memory grew after the warm-up."""
    steady = samples[len(samples) // 2 :]
    part = max(1, len(steady) // 4)
    first, last = (
        median(s.memory_bytes for s in some) for some in (steady[:part], steady[-part:])
    )
    return last / first - 1


def _figures_agree(on: Stack, namespace: str, samples: Sequence[Sample]) -> bool:
    """Whether the metrics stream tells what the ticks did."""
    name = run_stream_name(namespace)
    on.client.indices.refresh(index=name)
    answer = on.client.search(
        index=name,
        size=0,
        query={"bool": {"must_not": {"term": {"elkwatch.source": "before"}}}},
        aggs={
            "documents": {"sum": {"field": "elkwatch.run.documents.read"}},
            "lag": {"max": {"field": "elkwatch.run.lag_s"}},
            "memory": {"max": {"field": "elkwatch.run.memory_bytes"}},
        },
    )
    told = {key: found["value"] or 0 for key, found in answer["aggregations"].items()}
    print(
        f"metrics stream: {told['documents']:,.0f} documents read, lag at most "
        f"{told['lag']:.0f} s, memory at most {told['memory'] / MIB:.1f} MiB"
    )
    documents = sum(sample.documents for sample in samples)
    lag = max(sample.lag_s or 0.0 for sample in samples)
    return bool(told["documents"] == documents and abs(told["lag"] - lag) < 1)


def main() -> int:
    """Runs it; 1 where it leaks, lags or fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log-minutes", type=int, default=60)
    parser.add_argument("--per-second", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--url", help="an Elasticsearch that runs already")
    parser.add_argument("--bundle", type=Path, help="a model of the demo's logs")
    chosen = parser.parse_args()
    with stack(chosen.url, chosen.bundle) as on:
        samples, agree = soak(
            on, chosen.log_minutes, chosen.per_second, 60 * chosen.minutes
        )
    grown = growth(samples)
    slow = sum(sample.work_s > 60 for sample in samples)
    behind = sum(not sample.caught_up for sample in samples)
    lags = [sample.lag_s or 0.0 for sample in samples]
    documents = sum(sample.documents for sample in samples)
    work_s = sum(sample.work_s for sample in samples)
    print(
        f"{documents:,} documents, {documents / work_s:,.0f} a second of work; "
        f"memory after warm-up {grown:+.2%}; lag at most {max(lags):.0f} s; "
        f"ticks not caught up {behind}; ticks slower than their log time {slow}; "
        f"figures {'agree' if agree else 'DIFFER'}"
    )
    return int(grown >= GROWTH_MAX or behind > 0 or slow > 0 or not agree)


if __name__ == "__main__":
    sys.exit(main())
