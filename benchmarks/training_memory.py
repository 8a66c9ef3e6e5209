"""Memory of a training by how many sessions it is given: bytes a session.

    python -m benchmarks.training_memory [--sessions 100000 300000] [--lines 8]

Made-up logs are streamed in, so that nothing but the training holds them; each size
runs in a process of its own, whose highest resident memory is read at its end. Growth
from the smaller to the larger size is what a session costs. *alike*: 500 flows, as the
requests of a service are; *different*: hardly two sessions are equal, the worst case.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from model import (
    LogEvent,
    TrainingConfig,
    choose_device,
    spool_sessions,
    train,
)
from model.class_training import ClassTrainingConfig

START = datetime(2026, 11, 22, tzinfo=UTC)
KINDS = ("alike", "different")
WORDS = 60
FLOWS = 500
OPEN_AT_ONCE = 50
TEN_MILLION = 10_000_000


def events(kind: str, sessions: int, lines: int) -> Iterator[LogEvent]:
    """The lines of so many sessions, of which fifty are open at any time."""
    rng = random.Random(1)
    flows = [[rng.randrange(WORDS) for _ in range(lines)] for _ in range(FLOWS)]
    at = START
    for first in range(0, sessions, OPEN_AT_ONCE):
        several = [
            rng.choice(flows)
            if kind == "alike"
            else [rng.randrange(WORDS) for _ in range(lines)]
            for _ in range(min(OPEN_AT_ONCE, sessions - first))
        ]
        for step in range(lines):
            for offset, flow in enumerate(several):
                at += timedelta(milliseconds=7)
                yield LogEvent(
                    at,
                    f"step{flow[step]} of the work took {rng.randrange(10**6)} ms",
                    f"request-{first + offset}",
                    severity="INFO",
                    service="shop",
                )


def measure(kind: str, sessions: int, lines: int) -> tuple[float, float]:
    """One training in this process: highest resident memory, MiB, and seconds."""
    choose_device("cpu")
    began = time.monotonic()
    config = TrainingConfig(classes=ClassTrainingConfig(epochs=2))
    config = replace(config, language_model=replace(config.language_model, epochs=2))
    with tempfile.TemporaryDirectory() as folder:
        spooled = spool_sessions(
            events(kind, sessions, lines), Path(folder), in_memory=50_000
        )
        train(spooled, config)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return peak, time.monotonic() - began


def _measured(kind: str, sessions: int, lines: int) -> tuple[float, float]:
    """`measure` in a process of its own."""
    told = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.training_memory", "--one", kind),
            *("--sessions", str(sessions), "--lines", str(lines)),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    peak, seconds = told.stdout.split()
    return float(peak), float(seconds)


def main() -> None:
    """Prints bytes a session for both kinds of logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[100_000, 300_000])
    parser.add_argument("--lines", type=int, default=8)
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(*measure(chosen.one, chosen.sessions[0], chosen.lines))
        return
    most = TrainingConfig().max_sessions
    small, large = min(chosen.sessions), max(chosen.sessions)
    for kind in KINDS:
        peaks = {}
        for sessions in (small, large):
            peaks[sessions], seconds = _measured(kind, sessions, chosen.lines)
            print(
                f"{kind}: {sessions:,} sessions of {chosen.lines} lines: "
                f"{peaks[sessions]:,.0f} MiB at most, {seconds:.0f} s",
                flush=True,
            )
        each = (peaks[large] - peaks[small]) * 2**20 / (large - small)
        full = peaks[large] + each * (min(most, TEN_MILLION) - large) / 2**20
        print(
            f"{kind}: {each:,.0f} bytes a session; {full:,.0f} MiB by that at the "
            f"{most:,} sessions that at most are learned from",
            flush=True,
        )


if __name__ == "__main__":
    main()
