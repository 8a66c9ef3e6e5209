"""Quality against labels, every baseline beside the model.

Detection is judged per session, `ignore` left out. Kinds are judged only against
truth: agreement of assigned classes with labelled kinds (ARI, V) over all truly
anomalous sessions, and precision, recall, F1 a kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import (
    adjusted_rand_score,
    average_precision_score,
    v_measure_score,
)

from model.classify import NORMAL, Classifier
from model.detectors.deeplog import DeepLogTopK
from model.detectors.protocol import Flags, Floats
from model.detectors.unseen import UnseenCountVector, UnseenTemplate
from model.errors import LabelError
from model.events import EncodedSession, Session
from model.labels import IGNORE, Labels
from model.scoring import views
from model.surprise import highest_surprises
from model.trained import TrainedModel
from model.verdicts import Verdict
from model.vocabulary import UNK, encode

MODEL = "elkwatch"


@dataclass(frozen=True, slots=True)
class Detection:
    """Session-level figures of one method. `average_precision` judges the ranking."""

    method: str
    precision: float
    recall: float
    f1: float
    average_precision: float
    flagged: int


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One labelled kind: how many are detected, how well they are told apart."""

    kind: str
    sessions: int
    detected: float
    precision: float
    recall: float
    f1: float
    as_class: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one evaluation."""

    sessions: int
    anomalous: int
    unlabelled: int
    detection: tuple[Detection, ...]
    kinds: tuple[KindFigures, ...]
    adjusted_rand: float | None
    v_measure: float | None
    model_version: str
    unknown_ratio: float

    def record(self) -> dict[str, Any]:
        """The figures as JSON."""
        return asdict(self)


def evaluate(
    classifier: Classifier,
    sessions: Sequence[Session],
    labels: Labels,
    device: torch.device | None = None,
) -> Evaluation:
    """Sessions with labels → figures, on the classifier's device where none is given.
    Raises LabelError where no label fits."""
    device = device or classifier.device
    labelled, truth = labelled_sessions(sessions, labels)
    unlabelled = sum(labels.of(s) is None for s in sessions)
    odd = np.array([label != NORMAL for label in truth])
    verdicts = classifier.classify(labelled)
    model = classifier.model
    encoded = encode(labelled, model.templates)
    detection = _detection(model, encoded, odd, device)
    rand, v_measure = _agreement(truth, verdicts) if labels.named else (None, None)
    return Evaluation(
        sessions=len(labelled),
        anomalous=int(odd.sum()),
        unlabelled=unlabelled,
        detection=tuple(detection),
        kinds=tuple(_kinds(truth, verdicts)),
        adjusted_rand=rand,
        v_measure=v_measure,
        model_version=model.version,
        unknown_ratio=_unknown(encoded),
    )


def labelled_sessions(
    sessions: Sequence[Session], labels: Labels
) -> tuple[list[Session], list[str]]:
    """The sessions that are judged, and their labels. Raises LabelError for none."""
    labelled = [s for s in sessions if labels.of(s) not in (None, IGNORE)]
    if not labelled:
        raise LabelError(
            f"none of the {len(sessions)} sessions has a label other than ignore; "
            "check --session-field and the labels' first column"
        )
    return labelled, [str(labels.of(s)) for s in labelled]


def _unknown(encoded: Sequence[EncodedSession]) -> float:
    """The share of events for which the model knows no template."""
    events = sum(len(session.ids) for session in encoded)
    return sum(session.ids.count(UNK) for session in encoded) / events


def _detection(
    model: TrainedModel,
    encoded: Sequence[EncodedSession],
    odd: Flags,
    device: torch.device,
) -> list[Detection]:
    network = model.network_on(device)
    highest = highest_surprises(network, encoded, device)
    threshold = model.calibration.threshold
    seen = views(model.support, highest, encoded, model.calibration.surprise_fence)
    templates, counts = UnseenTemplate(), UnseenCountVector()
    templates.seen = set(model.baselines.seen_templates)
    counts.seen = set(model.baselines.seen_counts)
    top_k = DeepLogTopK(network, device)
    top_k.threshold = model.baselines.top_k
    baselines = [
        detection_of(f"baseline: {name}", d.score(encoded), d.threshold, odd)
        for name, d in (
            ("unseen template", templates),
            ("unseen count vector", counts),
            (top_k.name, top_k),
        )
    ]
    return [
        detection_of(MODEL, model.scores(encoded, highest, threshold), threshold, odd),
        *baselines,
        detection_of(
            "ablation: without the count vector",
            seen.without_counts(threshold),
            threshold,
            odd,
        ),
        detection_of(
            "ablation: without the network", seen.without_network(), threshold, odd
        ),
        detection_of("ablation: the network alone", seen.surprise, threshold, odd),
    ]


def detection_of(
    method: str, scores: Floats, threshold: float, odd: Flags
) -> Detection:
    """Scores (N,) at a threshold against the truth (N,)."""
    flagged = scores > threshold
    hits = int((flagged & odd).sum())
    precision = hits / max(int(flagged.sum()), 1)
    recall = hits / max(int(odd.sum()), 1)
    both = precision + recall
    ranked = float(average_precision_score(odd, scores)) if odd.any() else 0.0
    return Detection(
        method,
        precision,
        recall,
        2 * precision * recall / both if both else 0.0,
        ranked,
        int(flagged.sum()),
    )


def _agreement(
    truth: Sequence[str], verdicts: Sequence[Verdict]
) -> tuple[float | None, float | None]:
    pairs = [
        (kind, v.class_id)
        for kind, v in zip(truth, verdicts, strict=True)
        if kind != NORMAL
    ]
    if not pairs:
        return None, None
    kinds, classes = zip(*pairs, strict=True)
    return (
        float(adjusted_rand_score(kinds, classes)),
        float(v_measure_score(kinds, classes)),
    )


def _kinds(truth: Sequence[str], verdicts: Sequence[Verdict]) -> list[KindFigures]:
    """Figures a kind; its class is its own name if taught, else the best match."""
    names = sorted({kind for kind in truth if kind != NORMAL})
    match = _matching(names, truth, verdicts)
    figures = []
    for name in names:
        own = [v for k, v in zip(truth, verdicts, strict=True) if k == name]
        given = [
            k
            for k, v in zip(truth, verdicts, strict=True)
            if v.anomaly and v.class_id == match[name]
        ]
        right = sum(k == name for k in given)
        precision, recall = right / max(len(given), 1), right / len(own)
        both = precision + recall
        figures.append(
            KindFigures(
                kind=name,
                sessions=len(own),
                detected=sum(v.anomaly for v in own) / len(own),
                precision=precision,
                recall=recall,
                f1=2 * precision * recall / both if both else 0.0,
                as_class=match[name],
            )
        )
    return figures


def _matching(
    names: Sequence[str], truth: Sequence[str], verdicts: Sequence[Verdict]
) -> Mapping[str, str]:
    """Kind → class: by name where taught, the others one to one by most members."""
    classes = sorted({v.class_id for v in verdicts if v.anomaly})
    match = {name: name for name in names if name in classes}
    free_names = [n for n in names if n not in match]
    free_classes = [c for c in classes if c not in match.values()]
    if free_names and free_classes:
        table = np.zeros((len(free_names), len(free_classes)))
        for kind, verdict in zip(truth, verdicts, strict=True):
            if kind in free_names and verdict.class_id in free_classes:
                place = free_names.index(kind), free_classes.index(verdict.class_id)
                table[place] += verdict.anomaly
        for row, column in zip(*linear_sum_assignment(-table), strict=True):
            if table[row, column]:
                match[free_names[row]] = free_classes[column]
    return {name: match.get(name, "-") for name in names}
