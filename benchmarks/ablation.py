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
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from sklearn.metrics import (
    adjusted_rand_score,
    average_precision_score,
    f1_score,
)

from benchmarks.quality_cases import Case, hdfs, odd_sessions, postgresql
from benchmarks.quality_page import write_into
from benchmarks.quality_targets import spread
from model import (
    Labels,
    Session,
    TemplateMiner,
    TrainingConfig,
    choose_device,
    is_held_out,
    load_catalogue,
)
from model.class_discovery import find_classes
from model.class_training import ClassTrainingConfig
from model.detectors.cleaning import error_events
from model.detectors.deeplog import DeepLogTopK
from model.detectors.protocol import Floats
from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.features import WINDOWS
from model.kinds import Kind, KindModel
from model.labels import IGNORE, NORMAL
from model.language_model import LanguageModelConfig, train_language_model
from model.network import NextEventLSTM
from model.progress import silent
from model.surprise import Surprise, surprises
from model.templates.frozen import FrozenTemplates
from model.vocabulary import Vocabulary, encode, pages

BEGIN = "<!-- figures: written by make bench-ablation -->"
CASES = {
    "postgresql, 5 % mixed in": (400, 1200),
    "hdfs by time, unlabelled": (1500, 2500),
}
CPU = torch.device("cpu")
FEW = 4
Figures = dict[str, float]
Results = dict[str, dict[str, list[Figures]]]

NEXT_EVENT = LanguageModelConfig()
STAGE_1: Mapping[str, LanguageModelConfig] = {
    "defaults": NEXT_EVENT,
    "no early stopping": replace(NEXT_EVENT, early_stopping=False),
    "learning rate constant": replace(NEXT_EVENT, rate="constant"),
    "learning rate cosine": replace(NEXT_EVENT, rate="cosine"),
    "no dropout": replace(NEXT_EVENT, dropout=0.0),
}
KINDS = ClassTrainingConfig()
ALL_ON = replace(
    KINDS,
    attention=True,
    windows=True,
    statistics=True,
    focus=2.0,
    alpha=0.3,
    gamma=0.2,
)
"""What the seed's model has and the defaults leave out."""
STAGE_4: Mapping[str, ClassTrainingConfig] = {
    "defaults": KINDS,
    "all that is off, on": ALL_ON,
    "attention": replace(KINDS, attention=True),
    "multi-scale windows": replace(KINDS, windows=True),
    "statistics": replace(KINDS, statistics=True),
    "focal loss": replace(KINDS, focus=2.0),
    "α 0.3: the next event": replace(KINDS, alpha=0.3),
    "γ 0.2: consistency": replace(KINDS, gamma=0.2),
    "γ 1": replace(KINDS, gamma=1.0),
    "no early stopping": replace(KINDS, early_stopping=False),
    "learning rate constant": replace(KINDS, rate="constant"),
    "clusters: Birch alone": replace(KINDS, clustering="birch"),
    "clusters: hierarchical alone": replace(KINDS, clustering="agglomerative"),
    "clusters: HDBSCAN alone": replace(KINDS, clustering="hdbscan"),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """One seed of a case: what is the same for every option."""

    templates: FrozenTemplates
    vocabulary: Vocabulary
    support: SupportDistance
    pool: list[EncodedSession]
    train: list[EncodedSession]
    held_out: list[EncodedSession]
    test: list[EncodedSession]
    odd: np.ndarray[Any, np.dtype[np.bool_]]


def prepare(case: Case, seed: int) -> Prepared:
    """Templates, event ids and the cleaned split of a sample of the sessions."""
    drawn = case.draw(seed)
    most_train, most_test = CASES[case.name]
    sessions = _some(drawn.train, most_train, seed)
    judged = [s for s in drawn.test if case.truth.of(s) not in (None, IGNORE)]
    test = _some(judged, most_test, seed)
    miner = TemplateMiner()
    for page in pages(event.message for s in sessions for event in s.events):
        miner.learn_all(page)
    templates = miner.freeze()
    pool = encode(sessions, templates)
    support = SupportDistance()
    support.fit(pool, error_events(sessions, pool))
    config = TrainingConfig(seed=seed)
    groups: tuple[list[EncodedSession], list[EncodedSession]] = ([], [])
    for session, encoded, clean in zip(sessions, pool, support.clean, strict=True):
        if clean:
            groups[is_held_out(session.unit, config)].append(encoded)
    return Prepared(
        templates,
        Vocabulary.of(templates),
        support,
        pool,
        *groups,
        encode(test, templates),
        np.array([case.truth.of(s) != NORMAL for s in test]),
    )


def _some(sessions: Sequence[Session], most: int, seed: int) -> list[Session]:
    """At most so many of them, in their order."""
    rng = random.Random(seed)
    places = sorted(rng.sample(range(len(sessions)), min(most, len(sessions))))
    return [sessions[place] for place in places]


def stage_1(prepared: Prepared, seed: int) -> Iterator[tuple[str, Figures]]:
    """The next-event network by option; the default one by ways to score too."""
    for name, config in STAGE_1.items():
        began = time.process_time()
        network, history = train_language_model(
            prepared.train,
            prepared.held_out,
            prepared.vocabulary.size,
            config,
            seed=seed,
            device=CPU,
        )
        seconds = time.process_time() - began
        kept = history.epochs[history.best - 1]
        more = {
            "held_out": kept.held_out_loss,
            "perplexity": float(np.exp(kept.held_out_loss)),
            "seconds": seconds,
        }
        yield name, _judged(prepared, network, _highest) | more
        if name == "defaults":
            yield "score: mean, not highest surprise", _judged(prepared, network, _mean)
            yield "score: windows of 10, 15, 20", _judged(prepared, network, _windows)
            yield "score: top-k, not surprise", _by_top_k(prepared, network)


def _judged(
    prepared: Prepared, network: NextEventLSTM, score: Callable[[Surprise], float]
) -> Figures:
    """F1 at a fence from normal sessions as elkwatch sets it, average precision."""

    def scores(sessions: Sequence[EncodedSession]) -> Floats:
        return np.array([score(s) for s in surprises(network, sessions, CPU)])

    fence = 1.25 * max(
        np.quantile(scores(prepared.held_out), 0.995),
        np.quantile(scores(prepared.train), 0.999),
    )
    return _figures(scores(prepared.test), float(fence), prepared)


def _by_top_k(prepared: Prepared, network: NextEventLSTM) -> Figures:
    detector = DeepLogTopK(network, CPU)
    detector.fit(prepared.held_out)
    return _figures(detector.score(prepared.test), detector.threshold, prepared)


def _figures(scores: Floats, fence: float, prepared: Prepared) -> Figures:
    return {
        "f1": float(f1_score(prepared.odd, scores > fence)),
        "ap": float(average_precision_score(prepared.odd, scores)),
    }


def _highest(surprise: Surprise) -> float:
    return surprise.highest


def _mean(surprise: Surprise) -> float:
    return float(surprise.nats.mean())


def _windows(surprise: Surprise) -> float:
    """The highest mean over a window, summed over the sizes."""
    peaks = []
    for size in WINDOWS:
        width = min(size, len(surprise.nats))
        peaks.append(np.convolve(surprise.nats, np.ones(width) / width, "valid").max())
    return float(np.sum(peaks))


def stage_4(prepared: Prepared, case: Case, seed: int) -> Iterator[tuple[str, Figures]]:
    """Kinds by option: the class network alone after a few sessions of each kind, and,
    where clustering differs, the classes discovered without labels."""
    odd = odd_sessions(case.draw(seed).test, case.truth)
    random.Random(seed).shuffle(odd)
    taught = _few_of_each(odd, case.truth)
    half = len(odd) // 2
    network, _ = train_language_model(
        prepared.train,
        prepared.held_out,
        prepared.vocabulary.size,
        NEXT_EVENT,
        seed=seed,
        device=CPU,
    )
    for name, config in STAGE_4.items():
        learn = _Learn(prepared, network, config, seed, case.truth)
        figures: Figures = {}
        if name == "defaults" or config.clustering != KINDS.clustering:
            figures |= learn.by_discovery(odd[:half], odd[half:])
        if config.clustering == KINDS.clustering:
            figures |= learn.by_labels(taught, [s for s in odd if s not in taught])
        yield name, figures


def _few_of_each(sessions: Sequence[Session], truth: Labels) -> list[Session]:
    """The first FEW of each kind."""
    seen: Counter[str | None] = Counter()
    kept = []
    for session in sessions:
        kind = truth.of(session)
        seen[kind] += 1
        if seen[kind] <= FEW:
            kept.append(session)
    return kept


@dataclass(frozen=True, slots=True)
class _Learn:
    prepared: Prepared
    network: NextEventLSTM
    config: ClassTrainingConfig
    seed: int
    truth: Labels

    def by_labels(
        self, learned: Sequence[Session], judged: Sequence[Session]
    ) -> Figures:
        """The class network's own word: every kind is within reach."""
        began = time.process_time()
        model = self._found([], learned)
        seconds = time.process_time() - began
        assert model is not None
        wide = replace(model, radii=np.full_like(model.radii, 3.0))
        given = self._told(wide, judged)
        truth = [str(self.truth.of(s)) for s in judged]
        kinds = sorted(set(truth))
        names = [kind.class_id for kind in given]
        sure = [kind.confidence for kind in given]
        right = [name == own for name, own in zip(names, truth, strict=True)]
        return {
            "macro_f1": float(
                f1_score(truth, names, labels=kinds, average="macro", zero_division=0)
            ),
            "brier": float(np.mean((np.array(sure) - np.array(right)) ** 2)),
            "seconds": seconds,
        }

    def by_discovery(
        self, learned: Sequence[Session], judged: Sequence[Session]
    ) -> Figures:
        """Classes found in one part, told in the other, against the truth."""
        model = self._found(learned, [])
        if model is None:
            return {"ari": 0.0, "classes": 0.0}
        names = [kind.class_id or "unknown" for kind in self._told(model, judged)]
        truth = [str(self.truth.of(s)) for s in judged]
        return {
            "ari": float(adjusted_rand_score(truth, names)),
            "classes": float(len(model.classes)),
        }

    def _found(
        self, suspects: Sequence[Session], taught: Sequence[Session]
    ) -> KindModel | None:
        prepared = self.prepared
        return find_classes(
            normal=prepared.train,
            suspects=encode(suspects, prepared.templates),
            taught=encode(taught, prepared.templates),
            sources=[*taught, *suspects],
            taught_kinds=[str(self.truth.of(s)) for s in taught],
            network=self.network,
            support=prepared.support,
            vocabulary=prepared.vocabulary,
            catalogue=load_catalogue(),
            config=self.config,
            seed=self.seed,
            device=CPU,
            progress=silent,
        ).kinds

    def _told(self, model: KindModel, judged: Sequence[Session]) -> list[Kind]:
        own = encode(judged, self.prepared.templates)
        return model.kinds(own, surprises(self.network, own, CPU), CPU)


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
