"""Every detector of the registry on the same logs: quality, time, size; three seeds.

    python -m benchmarks.detectors DATA [--seeds 3] [--jobs 2] [--only NAME,...]
                                        [--out FILE.json] [--write docs/detectors.md]

PostgreSQL clean, PostgreSQL with 5 % trouble mixed in, HDFS by time. On PostgreSQL the
training logs have no labels, so supervised detectors are cross-validated over the logs
that are judged; on HDFS they learn from the labels of the first half. Slow detectors
learn from at most 1,500 sessions, marked `*`. Each detector, case and seed is a task of
its own in one of `--jobs` processes of one thread. What `--out` holds already is not
measured again: a run that was broken off goes on, a new detector joins the others.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import torch

from benchmarks.quality_cases import Case, hdfs, postgresql
from benchmarks.quality_page import write_into
from benchmarks.quality_targets import spread
from model import (
    DETECTORS,
    DetectorRow,
    FitLogs,
    choose_device,
    judge_detectors,
)
from model.evaluate import Detection

BEGIN = "<!-- figures: written by make bench-detectors -->"
CASES = ("postgresql", "postgresql, 5 % mixed in", "hdfs by time, labelled")
MOST_FOR_SLOW = 1500
SLOW = frozenset(e.name for e in DETECTORS if e.slow and e.name != "elkwatch")
Rows = dict[str, list[DetectorRow]]
Task = tuple[str, int, str]
"""Case, seed, detector."""

_cases: dict[str, Case] = {}


def measure(case: str, seed: int, name: str) -> DetectorRow:
    """One detector on one case."""
    drawn = _cases[case].drawn(seed)
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


def run(
    tasks: Sequence[Task], jobs: int, kept: dict[Task, DetectorRow]
) -> Iterator[Task]:
    """Measures what is not kept yet, the slow ones first; → each task as it is done."""
    todo = [task for task in tasks if task not in kept]
    todo.sort(key=lambda task: task[2] != "elkwatch" and task[2] not in SLOW)
    context = get_context("fork")
    with ProcessPoolExecutor(jobs, context, initializer=_one_thread) as pool:
        pending = {pool.submit(measure, *task): task for task in todo}
        for count, future in enumerate(as_completed(pending), 1):
            task = pending[future]
            kept[task] = future.result()
            case, seed, name = task
            what = f"{case}, seed {seed}: {name}"
            print(f"[{count}/{len(todo)}] {what} {kept[task].error}", flush=True)
            yield task


def read_rows(path: Path | None) -> dict[Task, DetectorRow]:
    """The rows of an earlier run. Raises SystemExit for another file."""
    if path is None or not path.exists():
        return {}
    found: dict[Task, DetectorRow] = {}
    try:
        for body in json.loads(path.read_text("utf-8")):
            detection = body["row"].pop("detection")
            known = None if detection is None else Detection(**detection)
            row = DetectorRow(**body["row"], detection=known)
            found[body["case"], body["seed"], row.name] = row
    except (KeyError, TypeError, ValueError) as error:
        raise SystemExit(
            f"{path}: no rows of this benchmark; name another file with --out"
        ) from error
    return found


def write_rows(path: Path, rows: Mapping[Task, DetectorRow]) -> None:
    """All rows, one a task."""
    body = [
        {"case": case, "seed": seed, "row": asdict(row)}
        for (case, seed, _), row in rows.items()
    ]
    path.write_text(json.dumps(body, indent=1) + "\n", "utf-8")


def _one_thread() -> None:
    torch.set_num_threads(1)


def load(data: Path, loaders: Mapping[str, Callable[[Path], list[Case]]]) -> None:
    """The cases whose logs are there."""
    for name, loader in loaders.items():
        if (data / name).is_dir():
            _cases.update({c.name: c for c in loader(data / name) if c.name in CASES})
        else:
            print(f"{name}: left out, {data / name} is not there")


def main() -> None:
    """Runs every case whose data is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="detectors, with commas between")
    parser.add_argument("--out", type=Path, help="all rows, as JSON")
    parser.add_argument("--write", type=Path, help="a page with markers")
    chosen = parser.parse_args()
    began = time.monotonic()
    load(chosen.data, {"postgresql": postgresql, "hdfs": hdfs})
    names = chosen.only.split(",") if chosen.only else [e.name for e in DETECTORS]
    seeds = range(chosen.seeds)
    tasks = [(case, seed, name) for case in _cases for seed in seeds for name in names]
    rows = read_rows(chosen.out)
    for _ in run(tasks, chosen.jobs, rows):
        if chosen.out is not None:
            write_rows(chosen.out, rows)
    text = "\n".join(
        line
        for case in _cases
        for line in table(case, {n: [rows[case, s, n] for s in seeds] for n in names})
    )
    print(f"\n{text}({(time.monotonic() - began) / 60:.1f} min)")
    if chosen.write is not None:
        write_into(chosen.write, text, BEGIN)


if __name__ == "__main__":
    main()
