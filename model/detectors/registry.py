"""The detectors by name. A detector is imported when it is made, not before.

A new one is one module and one entry here; tests/model/test_detector_contract.py then
tests it, and `elkwatch evaluate --detectors all` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Literal, cast

from model.detectors.protocol import Detector, Setting
from model.errors import DetectorError

Sort = Literal["baseline", "clustering", "supervised", "sequence", "ensemble"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A detector that can be made. `made_by`: module:class below model.detectors.

    `slow`: fitting takes minutes; benchmarks give it fewer sessions, and say so.
    """

    name: str
    title: str
    sort: Sort
    about: str
    made_by: str
    supervised: bool = False
    slow: bool = False


ENTRIES = (
    Entry(
        "elkwatch",
        "Enhanced DeepLog",
        "ensemble",
        "next-event network, rare patterns of order, distance of counts",
        "enhanced_deeplog:EnhancedDeepLog",
        slow=True,
    ),
    Entry(
        "unseen-template",
        "unseen template",
        "baseline",
        "holds a template that no training session holds",
        "unseen:UnseenTemplate",
    ),
    Entry(
        "unseen-counts",
        "unseen count vector",
        "baseline",
        "its template counts equal no training session's",
        "unseen:UnseenCountVector",
    ),
    Entry(
        "support",
        "support and distance",
        "ensemble",
        "rare patterns of order, distance of counts; cleans its training logs",
        "support_detector:SupportDetector",
    ),
    Entry(
        "sigma",
        "mean and standard deviations",
        "baseline",
        "a count, length or rate k deviations from its mean",
        "sigma:Sigma",
    ),
    Entry(
        "rules",
        "rules",
        "baseline",
        "a line of error severity, or one the catalogue knows",
        "rules:Rules",
    ),
    Entry(
        "k-means",
        "k-means",
        "clustering",
        "far from every centre of normal counts",
        "kmeans:NearestCentre",
    ),
    Entry(
        "pca",
        "PCA",
        "clustering",
        "counts that the main directions of normal counts do not explain",
        "pca:Pca",
    ),
    Entry(
        "isolation-forest",
        "isolation forest",
        "clustering",
        "few random cuts part its counts from the rest",
        "isolation_forest:Isolation",
    ),
    Entry(
        "knn-distance",
        "kNN distance",
        "clustering",
        "far from its fifth nearest normal neighbour",
        "nearest:NearestDistance",
    ),
    Entry(
        "logistic-regression",
        "logistic regression",
        "supervised",
        "a weight a template",
        "logistic_regression:LogisticDetector",
        supervised=True,
    ),
    Entry(
        "svm",
        "support vector machine",
        "supervised",
        "a margin with radial kernels",
        "svm:SupportVectors",
        supervised=True,
    ),
    Entry(
        "decision-tree",
        "decision tree",
        "supervised",
        "questions about counts, ten deep at most",
        "decision_tree:DecisionTree",
        supervised=True,
    ),
    Entry(
        "random-forest",
        "random forest",
        "supervised",
        "a hundred trees vote",
        "random_forest:RandomForest",
        supervised=True,
    ),
    Entry(
        "knn",
        "kNN",
        "supervised",
        "what the five nearest labelled sessions were",
        "neighbours:Neighbours",
        supervised=True,
    ),
    Entry(
        "cnn",
        "CNN classifier",
        "supervised",
        "short stretches of events, from labels",
        "cnn:CnnClassifier",
        supervised=True,
    ),
    Entry(
        "lstm",
        "DeepLog (LSTM next event)",
        "sequence",
        "the least expected event, by an LSTM",
        "lstm:NextEventLstm",
    ),
    Entry(
        "gru",
        "GRU next event",
        "sequence",
        "the least expected event, by a GRU",
        "gru:NextEventGru",
    ),
    Entry(
        "transformer",
        "Transformer next event",
        "sequence",
        "the least expected event, by a Transformer",
        "transformer:NextEventTransform",
    ),
    Entry(
        "autoencoder",
        "LSTM autoencoder",
        "sequence",
        "events that cannot be told again from a short note",
        "autoencoder:LstmAutoencoder",
    ),
    Entry(
        "vae",
        "variational autoencoder",
        "sequence",
        "events and code that cost many nats; draws sessions too",
        "vae:Vae",
    ),
    Entry(
        "text-tfidf",
        "TF-IDF of templates",
        "baseline",
        "a line whose words are far from those of any usual one",
        "text_tfidf:TextTfidf",
    ),
    Entry(
        "text-embeddings",
        "MiniLM embeddings of templates",
        "baseline",
        "a line whose meaning is far from that of any usual one; extra `semantic`",
        "text_embeddings:TextEmbeddings",
    ),
)
NAMES = tuple(entry.name for entry in ENTRIES)


def entry_of(name: str) -> Entry:
    """The entry of a name. Raises DetectorError."""
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    near = get_close_matches(name, NAMES, 1)
    hint = f"did you mean {near[0]}?" if near else f"choose of {', '.join(NAMES)}"
    raise DetectorError(f"detector {name[:40]!r}: there is none of that name; {hint}")


def make(name: str, setting: Setting) -> Detector:
    """A new detector, not fitted. Raises DetectorError for an unknown name."""
    module, _, maker = entry_of(name).made_by.partition(":")
    found = getattr(import_module(f"model.detectors.{module}"), maker)
    return cast(Detector, found(setting))
