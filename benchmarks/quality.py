"""Quality of detection and kinds: five seeds, mean ± sd, baselines beside the model.

    python -m benchmarks.quality DATA [--seeds 5] [--jobs 2] [--only TEXT]
                                      [--set NAME=VALUE]
                                      [--out quality.json] [--write docs/quality.md]

DATA holds postgresql/, hdfs/ and hadoop/ (docs/quality.md names their source); what
each case trains on stands in quality_cases.py, the targets in quality_targets.py. Logs
are parsed once, before the processes part; cases and seeds are worked through by
`--jobs` processes of one thread each, the longest first. A case is told as it is done,
with the seconds of CPU that its seeds took; `--out` keeps what is done by then.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import torch

from benchmarks.kinds import application_figures
from benchmarks.quality_cases import APPLICATIONS, Case, hadoop, hdfs, postgresql
from benchmarks.quality_page import table, text_of, write_into
from benchmarks.quality_seed import Figures, called, measure
from model import ModelError, TrainingConfig, with_settings

LOADERS = (hadoop, postgresql, hdfs)
Found = tuple[Figures | list[str], float]

_FORK = get_context("fork")  # the parsed logs are there at once
_cases: list[Case] = []
_settings: list[str] = []


@dataclass(slots=True)
class Done:
    """What is finished of one case."""

    case: Case
    parts: dict[int, Figures | list[str]] = field(default_factory=dict)
    cpu_s: float = 0.0


def run(seeds: int, jobs: int, out: Path | None = None) -> dict[str, list[Figures]]:
    """Every case with every seed, in so many processes; → figures by case."""
    done = [Done(case) for case in _cases]
    began = time.monotonic()
    results: dict[str, list[Figures]] = {}
    with ProcessPoolExecutor(
        jobs, get_context("fork"), initializer=_one_thread
    ) as pool:
        pending: dict[Future[Found], tuple[int, int]] = {
            pool.submit(_measure, place, number, seeds): (place, number)
            for place, case in _longest_first()
            for number in range(_parts(case, seeds))
        }
        for count, future in enumerate(as_completed(pending), 1):
            place, number = pending[future]
            one = done[place]
            one.parts[number], cpu_s = future.result()
            one.cpu_s += cpu_s
            minutes = (time.monotonic() - began) / 60
            print(
                f"[{count}/{len(pending)}, {minutes:.1f} min] {one.case.name}, "
                f"{number} ({cpu_s:.0f} s of CPU)",
                flush=True,
            )
            if len(one.parts) == _parts(one.case, seeds):
                results[one.case.name] = _figures(one, seeds)
                _tell(one, results[one.case.name])
                _keep(results, out)
    return {case.name: results[case.name] for case in _cases}


def _longest_first() -> list[tuple[int, Case]]:
    return sorted(enumerate(_cases), key=lambda pair: not pair[1].kinds)


def _parts(case: Case, seeds: int) -> int:
    """In how many pieces a case is worked through: a seed, or one left out, each."""
    if case.name == APPLICATIONS:
        return len(case.drawn(0).train) + 1
    return seeds


def _figures(done: Done, seeds: int) -> list[Figures]:
    parts = [done.parts[number] for number in range(len(done.parts))]
    if done.case.name != APPLICATIONS:
        return [part for part in parts if isinstance(part, dict)]
    told = [part for part in parts if isinstance(part, list)]
    scored = [done.case.drawn(place).test[0] for place in range(len(told))]
    truth = [str(done.case.truth.of(session)) for session in scored]
    return [
        application_figures(scored, truth, [each[seed] for each in told])
        for seed in range(seeds)
    ]


def _tell(done: Done, figures: Sequence[Figures]) -> None:
    print("\n".join(table(done.case.name, figures)))
    print(f"  ({done.cpu_s:.0f} s of CPU)", flush=True)


def _keep(results: dict[str, list[Figures]], out: Path | None) -> None:
    if out is not None:
        out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def _measure(place: int, number: int, seeds: int) -> Found:
    began = time.process_time()
    case = _cases[place]
    alone = case.name == APPLICATIONS
    found = (
        called(case, number, seeds, _settings)
        if alone
        else measure(case, number, _settings)
    )
    return found, time.process_time() - began


def main() -> None:
    """Runs every case whose data is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the training (docs/model.md), as of `elkwatch train`",
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--write", type=Path, help="a page with markers")
    chosen = parser.parse_args()
    try:
        with_settings(TrainingConfig(), chosen.set)
    except ModelError as error:
        parser.error(str(error))
    _settings.extend(chosen.set)
    began = time.monotonic()
    for load in LOADERS:
        folder = chosen.data / load.__name__
        if folder.is_dir():
            _cases.extend(c for c in load(folder) if chosen.only in c.name)
        else:
            print(f"{load.__name__}: left out, {folder} is not there")
    print(f"logs parsed ({time.monotonic() - began:.0f} s)", flush=True)
    results = run(chosen.seeds, chosen.jobs, chosen.out)
    text = text_of(results, time.monotonic() - began)
    print(f"\n{text}")
    if chosen.write is not None:
        write_into(chosen.write, text)


if __name__ == "__main__":
    main()
