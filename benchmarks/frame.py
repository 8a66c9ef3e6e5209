"""The frame of all speed benchmarks: alternating runs, medians, one table, one file.

    rows = [compare(Case("ids, cold", "lines", ...), anchor=..., ours=...)]
    report(rows, out)           # prints the table, writes the rows for results.json

Every figure is a ratio against an anchor that runs beside it, in the same process, in
turns: anchor, ours, anchor, ours. What each needs is prepared outside the clock, one
run of each is thrown away first (more where a compiler warms up for longer), and the
ratio is the median of at least five pairs.
The clock is CPU time of this process, so that other work on the machine does not
count; a benchmark that waits for others says `clock="wall"`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Literal

RUNS = 5
PACKAGES = (
    "drain3",
    "elasticsearch",
    "google-re2",
    "msgspec",
    "numpy",
    "orjson",
    "torch",
)

Work = Callable[[], object]
Prepare = Callable[[], Work]
"""Makes ready what one run needs; what it returns is timed."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: `count` of `unit`, against which anchor, with which goal.

    `floor`: the ratio that must be reached; `goal`: the one aimed at. `anchor_count`:
    how many the anchor does in a run, where that is fewer because it is slow.
    `warm_ups`: runs of each that are thrown away.
    """

    name: str
    unit: str
    count: int
    anchor: str
    floor: float
    goal: float
    clock: Literal["cpu", "wall"] = "cpu"
    runs: int = RUNS
    anchor_count: int | None = None
    warm_ups: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Rates are units a second, medians over the runs."""

    name: str
    unit: str
    anchor: str
    anchor_per_s: float
    ours_per_s: float
    ratio: float
    ratios: tuple[float, ...]
    floor: float
    goal: float
    clock: str

    @property
    def met(self) -> str:
        """`goal`, `floor` or `no`."""
        if self.ratio >= self.goal:
            return "goal"
        return "floor" if self.ratio >= self.floor else "no"


def compare(case: Case, *, anchor: Prepare, ours: Prepare) -> Row:
    """Runs both in turns. Raises ValueError for fewer than five runs."""
    if case.runs < RUNS:
        raise ValueError(f"{case.name}: {case.runs} runs are too few; take {RUNS}")
    for _ in range(case.warm_ups):
        anchor()()
        ours()()
    pairs = [
        (_seconds(anchor, case.clock), _seconds(ours, case.clock))
        for _ in range(case.runs)
    ]
    theirs_count = case.count if case.anchor_count is None else case.anchor_count
    more = case.count / theirs_count
    ratios = tuple(more * theirs / mine for theirs, mine in pairs)
    return Row(
        name=case.name,
        unit=case.unit,
        anchor=case.anchor,
        anchor_per_s=theirs_count / median(theirs for theirs, _ in pairs),
        ours_per_s=case.count / median(mine for _, mine in pairs),
        ratio=median(ratios),
        ratios=ratios,
        floor=case.floor,
        goal=case.goal,
        clock=case.clock,
    )


def table(rows: Sequence[Row]) -> str:
    """The rows as text for people."""
    lines = [
        f"{'':44}{'anchor/s':>12}{'ours/s':>12}{'ratio':>9}{'floor':>7}{'goal':>7}  met"
    ]
    for row in rows:
        lines.append(
            f"{row.name:44}{row.anchor_per_s:12,.0f}{row.ours_per_s:12,.0f}"
            f"{times(row.ratio):>9}{row.floor:7g}{row.goal:7g}  {row.met}"
        )
        spread = f"{times(min(row.ratios))} to {times(max(row.ratios))}"
        lines.append(f"  {row.unit}; against {row.anchor}; {row.clock}; {spread}")
    return "\n".join(lines)


def times(ratio: float) -> str:
    """A ratio for people: `×0.84`, `×31.2`."""
    return f"×{ratio:.2f}" if ratio < 10 else f"×{ratio:.1f}"


def results(rows: Sequence[Row]) -> dict[str, Any]:
    """The rows with what they depend on: machine, versions, commit."""
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": _machine(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
        "rows": [asdict(row) | {"met": row.met} for row in rows],
    }


def read_rows(body: Mapping[str, Any]) -> list[Row]:
    """The rows of a results file."""
    return [
        Row(
            **{k: v for k, v in row.items() if k != "met"}
            | {"ratios": (*row["ratios"],)}
        )
        for row in body["rows"]
    ]


def run(rows: Callable[[Path], Sequence[Row]], description: str | None) -> None:
    """The command line of one benchmark module: DATA [--out FILE]."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", type=Path, help="folder with the data sets")
    parser.add_argument("--out", type=Path, help="write the rows here, as JSON")
    chosen = parser.parse_args()
    measured = rows(chosen.data)
    print(table(measured))
    if chosen.out is not None:
        write(results(measured), chosen.out)


def write(body: Mapping[str, Any], path: Path) -> None:
    """A results file."""
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _seconds(prepare: Prepare, clock: str) -> float:
    work = prepare()
    read = time.process_time if clock == "cpu" else time.perf_counter
    gc.collect()
    gc.freeze()  # what the benchmark holds is nothing that either has to look through
    began = read()
    try:
        work()
        return read() - began
    finally:
        gc.unfreeze()


def _commit() -> str:
    """The commit, `+` where the tree differs from it."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.stdout.strip()


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()
