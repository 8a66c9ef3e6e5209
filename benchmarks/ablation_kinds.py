"""The kinds by option: told after a few sessions of each, and discovered."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import adjusted_rand_score, f1_score

from benchmarks.ablation_cases import CPU, Figures, Prepared
from benchmarks.ablation_network import NEXT_EVENT
from benchmarks.quality_cases import Case, odd_sessions
from model import Labels, Session, load_catalogue
from model.class_discovery import find_classes
from model.class_training import ClassTrainingConfig
from model.epochs import Setting
from model.kinds import Kind, KindModel
from model.language_model import train_language_model
from model.network import NextEventLSTM
from model.surprise import surprises
from model.vocabulary import encode

FEW = 4
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
            setting=Setting(CPU),
        ).kinds

    def _told(self, model: KindModel, judged: Sequence[Session]) -> list[Kind]:
        own = encode(judged, self.prepared.templates)
        return model.kinds(own, surprises(self.network, own, CPU), CPU)
