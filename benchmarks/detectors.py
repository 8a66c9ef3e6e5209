"""Every detector of the registry on the same logs: quality, time, size; three seeds.

    python -m benchmarks.detectors DATA [--seeds 3] [--jobs 2] [--only NAME,...]
                                        [--out FILE.json] [--write docs/detectors.md]

PostgreSQL clean, PostgreSQL with 5 % trouble mixed in, HDFS by time. On PostgreSQL the
training logs have no labels, so supervised detectors are cross-validated over the logs
that are judged; on HDFS they learn from the labels of the first half. Slow detectors
learn from at most 1,500 sessions, marked `*`. Each detector, case and seed is a task of
its own in one of `--jobs` processes of one thread.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import torch

from benchmarks.quality_cases import Case, hdfs, postgresql
from benchmarks.quality_page import write_into
from benchmarks.quality_targets import spread
from model import DETECTORS, DetectorRow, FitLogs, choose_device, judge_detectors

BEGIN = "<!-- figures: written by make bench-detectors -->"
CASES = ("postgresql", "postgresql, 5 % mixed in", "hdfs by time, labelled")
MOST_FOR_SLOW = 1500
SLOW = frozenset(e.name for e in DETECTORS if e.slow and e.name != "elkwatch")
Rows = dict[str, list[DetectorRow]]

_cases: list[Case] = []


def measure(place: int, seed: int, name: str) -> DetectorRow:
    """One detector on one case."""
    drawn = _cases[place].drawn(seed)
    train = list(drawn.train)
    if name in SLOW and len(train) > MOST_FOR_SLOW:
        train = random.Random(seed).sample(train, MOST_FOR_SLOW)
    logs = FitLogs(train, drawn.labels)
    device = choose_device("cpu")
    (row,) = judge_detectors(
        [name], logs, drawn.test, drawn.truth, seed=seed, device=device
    )
    return row


def table(title: str, rows: Rows) -> Iterator[str]:
    """One case as Markdown, the best mean F1 first."""
    yield f"### {title}"
    yield ""
    yield "| detector | F1 | P | R | AP | fit s | score s | KiB | learned from |"
    yield "|---|---|---|---|---|---|---|---|---|"
    told = {name: _told(name, found) for name, found in rows.items()}
    for name in sorted(rows, key=lambda name: -_mean_f1(rows[name])):
        yield told[name]
    yield ""


def _told(name: str, found: Sequence[DetectorRow]) -> str:
    mark = "*" if name in SLOW else ""
    judged = [row.detection for row in found if row.detection is not None]
    if not judged:
        return f"| {name} | {found[0].error} | | | | | | | |"
    figures = [
        f"{spread([d.f1 for d in judged])}",
        f"{fmean(d.precision for d in judged):.3f}",
        f"{fmean(d.recall for d in judged):.3f}",
        f"{spread([d.average_precision for d in judged])}",
        f"{fmean(row.fit_s or 0 for row in found):.1f}",
        f"{fmean(row.score_s or 0 for row in found):.2f}",
        f"{fmean(row.size_bytes or 0 for row in found) / 1024:,.0f}",
        found[0].learned_from,
    ]
    return f"| {name}{mark} | " + " | ".join(figures) + " |"


def _mean_f1(found: Sequence[DetectorRow]) -> float:
    return fmean(row.detection.f1 if row.detection else -1.0 for row in found)


def run(names: Sequence[str], seeds: int, jobs: int) -> Iterator[tuple[str, Rows]]:
    """Every case with every detector and seed, the slow ones first; → rows by case."""
    order = sorted(names, key=lambda name: name != "elkwatch" and name not in SLOW)
    tasks = [
        (place, seed, name)
        for name in order
        for place in range(len(_cases))
        for seed in range(seeds)
    ]
    found: dict[tuple[int, int, str], DetectorRow] = {}
    context = get_context("fork")
    with ProcessPoolExecutor(jobs, context, initializer=_one_thread) as pool:
        pending = {pool.submit(measure, *task): task for task in tasks}
        for count, future in enumerate(as_completed(pending), 1):
            place, seed, name = task = pending[future]
            found[task] = future.result()
            what = f"{_cases[place].name}, seed {seed}: {name}"
            print(f"[{count}/{len(tasks)}] {what} {found[task].error}", flush=True)
    for place, case in enumerate(_cases):
        yield (
            case.name,
            {n: [found[place, seed, n] for seed in range(seeds)] for n in names},
        )


def _one_thread() -> None:
    torch.set_num_threads(1)


def load(data: Path, loaders: Mapping[str, Callable[[Path], list[Case]]]) -> None:
    """The cases whose logs are there."""
    for name, loader in loaders.items():
        if (data / name).is_dir():
            _cases.extend(c for c in loader(data / name) if c.name in CASES)
        else:
            print(f"{name}: left out, {data / name} is not there")


def main() -> None:
    """Runs every case whose data is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="detectors, with commas between")
    parser.add_argument("--out", type=Path, help="write all rows here, as JSON")
    parser.add_argument("--write", type=Path, help="a page with markers")
    chosen = parser.parse_args()
    began = time.monotonic()
    load(chosen.data, {"postgresql": postgresql, "hdfs": hdfs})
    names = chosen.only.split(",") if chosen.only else [e.name for e in DETECTORS]
    results = dict(run(names, chosen.seeds, chosen.jobs))
    text = "\n".join(line for case in results for line in table(case, results[case]))
    print(f"\n{text}({(time.monotonic() - began) / 60:.1f} min)")
    if chosen.write is not None:
        write_into(chosen.write, text, BEGIN)
    if chosen.out is not None:
        record = {
            case: {
                name: [row.record() for row in found] for name, found in rows.items()
            }
            for case, rows in results.items()
        }
        chosen.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
