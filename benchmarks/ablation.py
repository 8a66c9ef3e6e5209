"""Each option of Enhanced DeepLog, on or off beside the defaults: what it is worth.

    python -m benchmarks.ablation DATA [--seeds 3] [--jobs 2] [--out FILE.json]
                                       [--write docs/model.md]

Detection is judged by the network's own view alone: in elkwatch's verdict two other
views stand beside it and would hide what an option does. PostgreSQL: 400 of the
training sessions with 5 % trouble mixed in, HDFS by time: 1,500 blocks of the first
half, unlabelled, 2,500 of the second to score. Kinds: half of PostgreSQL's anomalous
sessions teach or are discovered in, the other half is judged. One thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import torch

from benchmarks.ablation_cases import CASES, Figures, prepare
from benchmarks.ablation_kinds import stage_4
from benchmarks.ablation_network import stage_1
from benchmarks.quality_cases import Case, hdfs, postgresql
from benchmarks.quality_page import write_into
from benchmarks.quality_targets import spread
from model import choose_device

BEGIN = "<!-- figures: written by make bench-ablation -->"
Results = dict[str, dict[str, list[Figures]]]
COLUMNS = {
    "f1": "F1",
    "ap": "AP",
    "held_out": "held-out nats",
    "perplexity": "perplexity",
    "macro_f1": "macro-F1, 4 of each kind taught",
    "brier": "Brier score",
    "ari": "ARI, discovered",
    "classes": "classes found",
    "seconds": "seconds",
}


def table(rows: Mapping[str, Sequence[Figures]]) -> Iterator[str]:
    """One table in Markdown: an option a line, mean ± sd over the seeds."""
    known = {name for found in rows.values() for one in found for name in one}
    shown = [name for name in COLUMNS if name in known]
    yield "| option | " + " | ".join(COLUMNS[name] for name in shown) + " |"
    yield "|---" * (len(shown) + 1) + "|"
    for option, found in rows.items():
        cells = [
            _cell(name, [one[name] for one in found]) if name in found[0] else ""
            for name in shown
        ]
        yield f"| {option} | " + " | ".join(cells) + " |"


def _cell(name: str, values: Sequence[float]) -> str:
    if name in ("seconds", "classes"):
        return f"{fmean(values):.1f}"
    return spread(values)


_cases: list[Case] = []


def _task(place: int, seed: int) -> list[tuple[str, str, Figures]]:
    """(table, option, figures) of one case and seed."""
    torch.set_num_threads(1)
    case = _cases[place]
    prepared = prepare(case, seed)
    rows = [(f"Network alone: {case.name}", *r) for r in stage_1(prepared, seed)]
    if case.name.startswith("postgresql"):
        rows += [("Kinds: postgresql", *r) for r in stage_4(prepared, case, seed)]
    return rows


def run(data: Path, seeds: int, jobs: int) -> Results:
    """Every option with every seed."""
    _cases.extend(c for load in (postgresql, hdfs) for c in _loaded(load, data))
    results: Results = {}
    with ProcessPoolExecutor(jobs, get_context("fork")) as pool:
        pending = [
            pool.submit(_task, place, seed)
            for seed in range(seeds)
            for place in range(len(_cases))
        ]
        for future in pending:
            for title, option, figures in future.result():
                rows = results.setdefault(title, {})
                rows.setdefault(option, []).append(figures)
    for title, rows in results.items():
        print("\n".join(("", title, "", *table(rows))), flush=True)
    return results


def _loaded(load: Callable[[Path], list[Case]], data: Path) -> list[Case]:
    folder = data / load.__name__
    if not folder.is_dir():
        print(f"{load.__name__}: left out, {folder} is not there")
        return []
    return [case for case in load(folder) if case.name in CASES]


def main() -> None:
    """Prints the tables; writes them where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--write", type=Path, help="a page with markers")
    chosen = parser.parse_args()
    choose_device("cpu")
    began = time.monotonic()
    results = run(chosen.data, chosen.seeds, chosen.jobs)
    took = f"{chosen.seeds} seeds, {time.monotonic() - began:.0f} s"
    print(f"\n({took})")
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    if chosen.write is not None:
        parts = [
            "\n".join(
                (f"**{title}**, mean ± sd of {chosen.seeds} seeds", "", *table(r))
            )
            for title, r in results.items()
        ]
        write_into(chosen.write, "\n\n".join(parts) + "\n", BEGIN)


if __name__ == "__main__":
    main()
