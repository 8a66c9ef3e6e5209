"""Quality of detection and kinds: five seeds, mean ± sd, baselines beside the model.

    python -m benchmarks.quality DATA [--seeds 5] [--out quality.json]

DATA holds postgresql/ and hdfs/ (the README names their source). PostgreSQL trains on
`train` and is scored on `test`; HDFS trains on the first half of the sessions in time
and is scored on the second. Labels are used to score, and, where a row says *labels*,
to keep anomalous sessions out of training, as `train --labels` does.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev

from elkwatch.cli.options import FileOptions
from elkwatch.log_files import read_sessions
from model import (
    NO_LABELS,
    Classifier,
    Evaluation,
    Labels,
    Session,
    TrainingConfig,
    choose_device,
    evaluate,
    read_labels,
    train,
)
from model.labels import IGNORE, NORMAL


@dataclass(frozen=True, slots=True)
class Case:
    """What is trained on, what is scored, by which truth."""

    name: str
    train: Sequence[Session]
    test: Sequence[Session]
    truth: Labels
    labels: Labels = NO_LABELS
    discover: Sequence[Session] = ()
    mixed_in: float = 0.0

    def drawn(self, seed: int) -> tuple[list[Session], list[Session]]:
        """What trains and what is scored with this seed.

        `mixed_in`: so large a share of the training sessions are anomalous ones of the
        test, drawn over all kinds, unlabelled; they are left out of scoring.
        """
        if not self.mixed_in:
            return list(self.train), list(self.test)
        odd = [s for s in self.test if self.truth.of(s) not in (None, NORMAL, IGNORE)]
        count = round(self.mixed_in * len(self.train) / (1 - self.mixed_in))
        moved = random.Random(seed).sample(odd, count)
        keys = {session.key for session in moved}
        kept = [session for session in self.test if session.key not in keys]
        return [*self.train, *moved], kept


def postgresql(folder: Path) -> list[Case]:
    """The shop database: faults of nine kinds beside normal work."""
    options = FileOptions(session_fields=("postgresql.log.session_id",))
    truth = read_labels(folder / "labels.csv")
    normal = read_sessions([str(folder / "train.ndjson.gz")], options)
    test = read_sessions([str(folder / "test.ndjson.gz")], options)
    return [
        Case("postgresql", normal, test, truth),
        Case("postgresql, 1 % anomalous mixed in", normal, test, truth, mixed_in=0.01),
        Case("postgresql, 5 % anomalous mixed in", normal, test, truth, mixed_in=0.05),
        Case(
            "postgresql, kinds discovered in test", normal, test, truth, NO_LABELS, test
        ),
    ]


def hdfs(folder: Path) -> list[Case]:
    """HDFS blocks by time: the first half trains."""
    options = FileOptions(session_pattern=r"blk_-?\d+")
    truth = read_labels(folder / "labels.csv")
    sessions = read_sessions([str(folder / "hdfs.ndjson.gz")], options)
    sessions.sort(key=lambda session: session.start)
    half = len(sessions) // 2
    first, second = sessions[:half], sessions[half:]
    return [
        Case("hdfs by time, labels keep anomalies out", first, second, truth, truth),
        Case("hdfs by time, anomalies stay in training", first, second, truth),
    ]


def measure(case: Case, seed: int) -> Evaluation:
    """One seed: train, then score."""
    device = choose_device("cpu")
    training, scored = case.drawn(seed)
    model = train(
        training,
        TrainingConfig(seed=seed),
        discover=case.discover,
        labels=case.labels,
        device=device,
    )
    return evaluate(Classifier(model, device=device), scored, case.truth)


def report(case: Case, found: Sequence[Evaluation], say: Callable[[str], None]) -> None:
    """The table of one case."""
    say(f"\n{case.name}: {found[0].sessions} sessions, {found[0].anomalous} anomalous")
    say(f"  {'':38}{'F1':>15}{'precision':>15}{'recall':>15}{'AP':>15}")
    for place, row in enumerate(found[0].detection):
        rows = [one.detection[place] for one in found]
        figures = [
            spread([r.f1 for r in rows]),
            spread([r.precision for r in rows]),
            spread([r.recall for r in rows]),
            spread([r.average_precision for r in rows]),
        ]
        say(f"  {row.method:38}" + "".join(f"{figure:>15}" for figure in figures))
    if found[0].adjusted_rand is None:
        return
    say(
        "  kinds, share detected: "
        + ", ".join(
            f"{kind.kind} {spread([one.kinds[place].detected for one in found])}"
            for place, kind in enumerate(found[0].kinds)
        )
    )
    rand = spread([one.adjusted_rand or 0 for one in found])
    v_measure = spread([one.v_measure or 0 for one in found])
    say(f"  kinds against truth: ARI {rand}, V {v_measure}")


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation."""
    return f"{fmean(values):.3f} ± {pstdev(values):.3f}"


def main() -> None:
    """Runs every case whose data is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    results = {}
    for load in (postgresql, hdfs):
        folder = chosen.data / load.__name__
        if not folder.is_dir():
            print(f"{load.__name__}: left out, {folder} is not there")
            continue
        for case in load(folder):
            began = time.monotonic()
            found = [measure(case, seed) for seed in range(chosen.seeds)]
            report(case, found, print)
            print(f"  ({chosen.seeds} seeds, {time.monotonic() - began:.0f} s)")
            results[case.name] = [one.record() for one in found]
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
