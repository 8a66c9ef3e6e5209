"""Quality of detection and kinds: five seeds, mean ± sd, baselines beside the model.

    python -m benchmarks.quality DATA [--seeds 5] [--jobs 2] [--only TEXT]
                                      [--out quality.json] [--write docs/quality.md]

DATA holds postgresql/ and hdfs/ (docs/quality.md names their source); what each case
trains on stands in quality_cases.py. Logs are parsed once; cases and seeds are worked
through by `--jobs` processes of one thread each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, pstdev

import numpy as np

from benchmarks.quality_cases import Case, Drawn, hdfs, postgresql
from benchmarks.quality_targets import targets_table
from model import (
    Classifier,
    Evaluation,
    Labels,
    TrainingConfig,
    choose_device,
    evaluate,
    train,
)
from model.class_training import ClassTrainingConfig
from model.labels import IGNORE, NORMAL

BEGIN, END = "<!-- figures: written by make bench-quality -->", "<!-- end -->"
BINS = 10
QUICK_CLASSES = ClassTrainingConfig(epochs=1)

_cases: list[Case] = []


@dataclass(frozen=True, slots=True)
class Result:
    """One seed of one case. `errors`: calibration of confidence, before and after."""

    evaluation: Evaluation
    errors: tuple[float, float] | None
    seconds: float


def measure(case: Case, seed: int) -> Result:
    """One seed: train, then score."""
    began = time.monotonic()
    device = choose_device("cpu")
    drawn = case.draw(seed)
    config = TrainingConfig(seed=seed)
    if not case.kinds:
        config = replace(config, classes=QUICK_CLASSES)
    model = train(
        drawn.train,
        config,
        discover=drawn.discover,
        labels=drawn.labels,
        device=device,
    )
    classifier = Classifier(model, device=device)
    found = evaluate(classifier, drawn.test, case.truth)
    errors = None
    if case.kinds and drawn.labels.by_session and model.kinds is not None:
        bare = replace(model, kinds=replace(model.kinds, temperature=1.0))
        errors = (
            calibration_error(Classifier(bare, device=device), drawn, case.truth),
            calibration_error(classifier, drawn, case.truth),
        )
    return Result(found, errors, time.monotonic() - began)


def calibration_error(classifier: Classifier, drawn: Drawn, truth: Labels) -> float:
    """Expected calibration error of the kind's confidence on detected anomalies."""
    odd = [s for s in drawn.test if truth.of(s) not in (None, NORMAL, IGNORE)]
    verdicts = [v for v in classifier.classify(odd) if v.anomaly and v.known]
    told = np.array([v.confidence for v in verdicts])
    right = np.array([v.class_id == truth.by_session[v.key] for v in verdicts])
    bins = np.minimum((told * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == b).mean() * abs(told[bins == b].mean() - right[bins == b].mean())
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def table(name: str, results: Sequence[Result]) -> Iterator[str]:
    """The lines of one case."""
    found = [result.evaluation for result in results]
    sizes = f"{found[0].sessions} sessions, {found[0].anomalous} anomalous"
    yield f"{name}: {sizes}, {len(found)} seeds"
    yield f"  {'':38}{'F1':>15}{'precision':>15}{'recall':>15}{'AP':>15}"
    for place, row in enumerate(found[0].detection):
        rows = [one.detection[place] for one in found]
        figures = [
            spread([r.f1 for r in rows]),
            spread([r.precision for r in rows]),
            spread([r.recall for r in rows]),
            spread([r.average_precision for r in rows]),
        ]
        yield f"  {row.method:38}" + "".join(f"{figure:>15}" for figure in figures)
    if missed := _missed(found):
        yield f"  missed: {missed}"


def kinds_lines(results: Sequence[Result]) -> Iterator[str]:
    """How well kinds are told apart, and what their confidence is worth."""
    found = [result.evaluation for result in results]
    rand = spread([one.adjusted_rand or 0 for one in found])
    v_measure = spread([one.v_measure or 0 for one in found])
    yield f"  kinds against truth: ARI {rand}, V {v_measure}"
    errors = [result.errors for result in results if result.errors is not None]
    if errors:
        macro = spread([fmean([kind.f1 for kind in one.kinds]) for one in found])
        before = spread([error[0] for error in errors])
        after = spread([error[1] for error in errors])
        yield f"  macro-F1 of the kinds: {macro}"
        yield f"  expected calibration error: {before} before, {after} after scaling"


def _missed(found: Sequence[Evaluation]) -> str:
    """Kinds of which not all are detected, with the share that is."""
    shares = {
        kind.kind: fmean([one.kinds[place].detected for one in found])
        for place, kind in enumerate(found[0].kinds)
    }
    return ", ".join(f"{k} {1 - s:.1%}" for k, s in shares.items() if s < 1)


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation."""
    return f"{fmean(values):.3f} ± {pstdev(values):.3f}"


def text_of(cases: Sequence[Case], results: Mapping[str, Sequence[Result]]) -> str:
    """Targets first, then the tables they come from."""
    found = {name: [r.evaluation for r in rows] for name, rows in results.items()}
    lines = [*targets_table(found), ""]
    for case in cases:
        if case.name in results:
            lines += ["```text", *table(case.name, results[case.name])]
            if case.kinds:
                lines += kinds_lines(results[case.name])
            lines += ["```", ""]
    return "\n".join(lines)


def write_into(page: Path, text: str) -> None:
    """Puts the figures between the page's markers; the words around them stay."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", "utf-8")


def _measure(place: int, seed: int) -> Result:
    return measure(_cases[place], seed)


def run(seeds: int, jobs: int) -> dict[str, list[Result]]:
    """Every case with every seed, in so many processes; → results by case."""
    results: dict[str, list[Result]] = {}
    with ProcessPoolExecutor(jobs, get_context("fork")) as pool:
        pending = {
            case.name: [pool.submit(_measure, place, seed) for seed in range(seeds)]
            for place, case in enumerate(_cases)
        }
        for name, futures in pending.items():
            results[name] = [future.result() for future in futures]
            took = sum(result.seconds for result in results[name])
            print("\n".join(table(name, results[name])))
            print(f"  ({took:.0f} s)", flush=True)
    return results


def main() -> None:
    """Runs every case whose data is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--write", type=Path, help="a page with markers")
    chosen = parser.parse_args()
    began = time.monotonic()
    for load in (postgresql, hdfs):
        folder = chosen.data / load.__name__
        if folder.is_dir():
            _cases.extend(c for c in load(folder) if chosen.only in c.name)
        else:
            print(f"{load.__name__}: left out, {folder} is not there")
    results = run(chosen.seeds, chosen.jobs)
    text = text_of(_cases, results)
    print(f"\n{text}({time.monotonic() - began:.0f} s)")
    if chosen.write is not None:
        write_into(chosen.write, text)
    if chosen.out is not None:
        record = {
            name: [row.evaluation.record() for row in rows]
            for name, rows in results.items()
        }
        chosen.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
