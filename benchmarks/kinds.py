"""Kinds of trouble against truth: mean ± sd over seeds, trivial baselines beside.

    python -m benchmarks.kinds DATA [--seeds 5] [--out kinds.json]

PostgreSQL: the network learns from `train`; a half of `test`, salted by the seed,
teaches or is looked through for kinds, the other half is scored. Nothing that is
printed was scored on sessions that taught it. HDFS has no official kinds: what is
compared with are *signatures* of its anomalous blocks, made here of which templates
are there that fewer than 1 % of the normal blocks have, and which are missing that
95 % have; of that figure no more can be said than that it agrees with them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, pstdev

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, f1_score, v_measure_score
from sklearn.neighbors import KNeighborsClassifier

from elkwatch.cli.options import FileOptions
from elkwatch.log_files import read_sessions
from model import (
    Classifier,
    Labels,
    Session,
    TrainedModel,
    TrainingConfig,
    load_catalogue,
    read_labels,
    train,
)
from model.class_discovery import find_classes
from model.clusters import Clustering, Method, find_clusters
from model.events import EncodedSession
from model.features import choose_columns, deviation, kind_rows
from model.kinds import choose_exemplars, near_enough
from model.labels import ANOMALOUS, IGNORE, NORMAL
from model.surprise import surprises
from model.vocabulary import encode

CPU = torch.device("cpu")
METHODS: tuple[Method, ...] = ("auto", "birch", "agglomerative", "hdbscan")
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Halves:
    """Anomalous sessions that teach and that are scored, with their kinds."""

    taught: list[Session]
    kinds: list[str]
    scored: list[Session]
    truth: list[str]


def postgresql(folder: Path, seeds: int) -> list[Figures]:
    """All figures of the nine kinds, a seed each."""
    options = FileOptions(session_fields=("postgresql.log.session_id",))
    truth = read_labels(folder / "labels.csv")
    normal = read_sessions([str(folder / "train.ndjson.gz")], options)
    test = read_sessions([str(folder / "test.ndjson.gz")], options)
    odd = [s for s in test if truth.of(s) not in (None, NORMAL, IGNORE)]
    found = []
    for seed in range(seeds):
        halves = _halves(odd, truth, seed)
        model = train(normal, TrainingConfig(seed=seed), discover=halves.taught)
        encoded = encode(normal, model.templates)
        clean = [s for s, ok in zip(encoded, model.support.clean, strict=True) if ok]
        figures = _discovered(model, halves) | _taught(model, clean, halves, seed)
        figures |= _never_taught(model, halves) | _faithful(model, halves)
        found.append(figures)
    return found


def _halves(odd: Sequence[Session], truth: Labels, seed: int) -> Halves:
    halves = Halves([], [], [], [])
    for session in odd:
        digest = hashlib.blake2b(f"{seed} {session.key}".encode(), digest_size=1)
        first = digest.digest()[0] % 2 == 0
        (halves.taught if first else halves.scored).append(session)
        kind = str(truth.of(session))
        (halves.kinds if first else halves.truth).append(kind)
    return halves


def _discovered(model: TrainedModel, halves: Halves) -> Figures:
    """Kinds found without labels in one half, told in the other, against truth."""
    given = [v.class_id for v in Classifier(model).classify(halves.scored)]
    figures = _against_truth("discovered, other half", halves.truth, given)
    encoded = encode(halves.scored, model.templates)
    for method in METHODS:
        found = _cluster(model, encoded, method)
        own = [str(label) for label in found.labels]
        figures |= _against_truth(f"clusters of the half, {method}", halves.truth, own)
        chosen = next(t for t in found.trials if t.chosen)
        figures[f"clusters of the half, {method}: stability"] = chosen.stability
    return figures


def _cluster(
    model: TrainedModel, encoded: Sequence[EncodedSession], method: Method
) -> Clustering:
    found = surprises(model.network, encoded, CPU)
    columns = choose_columns(encoded, found)
    return find_clusters(kind_rows(encoded, found, columns, model.support), method)


def _against_truth(name: str, truth: Sequence[str], given: Sequence[str]) -> Figures:
    return {
        f"{name}: ARI": float(adjusted_rand_score(truth, given)),
        f"{name}: V": float(v_measure_score(truth, given)),
    }


def _taught(
    model: TrainedModel, clean: Sequence[EncodedSession], halves: Halves, seed: int
) -> Figures:
    """Nine kinds taught by one half, told in the other."""
    spaced = np.linspace(0, len(clean) - 1, min(1500, len(clean))).astype(int)
    found = find_classes(
        normal=[clean[i] for i in spaced],
        suspects=[],
        taught=encode(halves.taught, model.templates),
        sources=halves.taught,
        taught_kinds=halves.kinds,
        network=model.network,
        support=model.support,
        vocabulary=model.vocabulary,
        catalogue=load_catalogue(),
        config=TrainingConfig().classes,
        seed=seed,
        device=CPU,
        progress=lambda step: None,
    )
    taught = replace(model, kinds=found.kinds, classes=found.classes)
    verdicts = Classifier(taught).classify(halves.scored)
    given = [v.class_id for v in verdicts]
    names = sorted(set(halves.truth))
    near = KNeighborsClassifier(1, metric="cosine")
    near.fit(_presence(model, halves.taught), halves.kinds)
    guessed = near.predict(_presence(model, halves.scored))
    most = Counter(halves.kinds).most_common(1)[0][0]
    return {
        "taught kinds: macro-F1": _macro(halves.truth, given, names),
        "taught kinds, called unknown": fmean(not v.known for v in verdicts),
        "baseline, nearest by template presence: macro-F1": _macro(
            halves.truth, list(guessed), names
        ),
        "baseline, the commonest kind: macro-F1": _macro(
            halves.truth, [most] * len(halves.truth), names
        ),
    }


def _macro(truth: Sequence[str], given: Sequence[str], names: Sequence[str]) -> float:
    return float(f1_score(truth, given, labels=names, average="macro", zero_division=0))


def _presence(model: TrainedModel, sessions: Sequence[Session]) -> NDArray[np.float32]:
    rows = np.zeros((len(sessions), model.vocabulary.size), dtype=np.float32)
    for row, session in zip(rows, encode(sessions, model.templates), strict=True):
        row[list(set(session.ids))] = 1.0
    return rows


def _never_taught(model: TrainedModel, halves: Halves) -> Figures:
    """Each kind left out of the teaching once: is it told from the others?

    What is known is decided by distance to exemplars alone, so no network is trained.
    """
    seen = encode(halves.taught, model.templates)
    scored = encode(halves.scored, model.templates)
    seen_odd = surprises(model.network, seen, CPU)
    odd = surprises(model.network, scored, CPU)
    truth, unknown, missed = np.array(halves.truth), [], []
    for left_out in sorted(set(halves.kinds)):
        places = [i for i, kind in enumerate(halves.kinds) if kind != left_out]
        kinds = sorted({halves.kinds[i] for i in places})
        members, member_odd = [seen[i] for i in places], [seen_odd[i] for i in places]
        columns = choose_columns(members, member_odd)
        exemplars = choose_exemplars(
            deviation(members, member_odd, columns),
            np.array([kinds.index(halves.kinds[i]) for i in places]),
            len(kinds),
        )
        known = near_enough(deviation(scored, odd, columns), *exemplars)
        strange = np.logical_not(known.any(axis=1)).astype(np.float64)
        unknown.append(float(strange[truth == left_out].mean()))
        missed.append(float(strange[truth != left_out].mean()))
    return {
        "never taught, called unknown (mean of kinds)": fmean(unknown),
        "never taught, called unknown (worst kind)": min(unknown),
        "taught beside it, called unknown": fmean(missed),
    }


def _faithful(model: TrainedModel, halves: Halves) -> Figures:
    """Does the score fall without the evidence lines, and more than without others?"""
    classifier, rng = Classifier(model), np.random.default_rng(0)
    verdicts = classifier.classify(halves.scored)
    lower, more, judged = 0, 0, 0
    for session, verdict in zip(halves.scored, verdicts, strict=True):
        marked = {e.position for e in verdict.evidence} - {len(session.events)}
        others = [i for i in range(len(session.events)) if i not in marked]
        if not verdict.anomaly or not marked or len(others) <= len(marked):
            continue
        drawn = set(rng.choice(others, len(marked), replace=False).tolist())
        cut = [_without(session, marked), _without(session, drawn)]
        scores = classifier.score(encode(cut, model.templates))
        judged += 1
        lower += scores[0] < verdict.score
        more += scores[0] < scores[1]
    return {
        "without its evidence the score is lower": lower / max(judged, 1),
        "… and lower than without as many other lines": more / max(judged, 1),
    }


def _without(session: Session, places: set[int]) -> Session:
    kept = tuple(e for i, e in enumerate(session.events) if i not in places)
    return replace(session, events=kept)


def hdfs(folder: Path, seeds: int) -> list[Figures]:
    """Clusters of the anomalous blocks against their signatures; labels keep those out
    of what is normal.
    """
    options = FileOptions(session_pattern=r"blk_-?\d+")
    truth = read_labels(folder / "labels.csv")
    sessions = read_sessions([str(folder / "hdfs.ndjson.gz")], options)
    normal = [s for s in sessions if truth.of(s) == NORMAL]
    odd = [s for s in sessions if truth.of(s) == ANOMALOUS]
    found = []
    for seed in range(seeds):
        model = train(normal, TrainingConfig(seed=seed), discover=odd)
        signatures = _signatures(model, normal, odd)
        encoded = encode(odd, model.templates)
        figures: Figures = {}
        for method in METHODS:
            own = [str(label) for label in _cluster(model, encoded, method).labels]
            figures |= _against_truth(f"signatures, {method}", signatures, own)
        one = ["one kind"] * len(odd)
        figures |= _against_truth("signatures, baseline: one kind", signatures, one)
        found.append(figures)
    return found


def _signatures(
    model: TrainedModel, normal: Sequence[Session], odd: Sequence[Session]
) -> list[str]:
    holding = Counter(e for s in encode(normal, model.templates) for e in set(s.ids))
    names = []
    for session in encode(odd, model.templates):
        own = set(session.ids)
        rare = {e for e in own if holding[e] < 0.01 * len(normal)}
        lacking = {-e for e, n in holding.items() if n > 0.95 * len(normal)} - {
            -e for e in own
        }
        names.append(str(sorted(rare | lacking)))
    return names


def report(name: str, found: Sequence[Figures]) -> Mapping[str, list[float]]:
    """Prints the table of one data set; → its figures by name."""
    rows: defaultdict[str, list[float]] = defaultdict(list)
    for figures in found:
        for key, value in figures.items():
            rows[key].append(value)
    print(f"\n{name}, {len(found)} seeds")
    for key, values in rows.items():
        print(f"  {key:58}{fmean(values):.3f} ± {pstdev(values):.3f}")
    return dict(rows)


def main() -> None:
    """Runs what there is data for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.set_flush_denormal(True)
    results = {}
    for measure in (postgresql, hdfs):
        folder = chosen.data / measure.__name__
        if not folder.is_dir():
            print(f"{measure.__name__}: left out, {folder} is not there")
            continue
        began = time.monotonic()
        results[measure.__name__] = report(
            measure.__name__, measure(folder, chosen.seeds)
        )
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
