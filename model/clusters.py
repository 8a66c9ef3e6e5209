"""Stage 3: the kinds among what deviates, found by clustering.

Birch over deviation vectors, the number of clusters chosen within bounds by the mean
rank of three scores: silhouette, Calinski-Harabasz, Davies-Bouldin. Agreement with
truth is reported elsewhere, wherever truth exists: a score against one's own clusters
proves nothing.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import Birch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from model.features import Matrix

MIN_CLUSTERS = 2
MAX_CLUSTERS = 20
MIN_MEMBERS = 3
MAX_SAMPLE = 3000
MAX_SPREAD = 0.4
BIRCH_THRESHOLD = 0.15
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One number of clusters that was tried, with its scores."""

    clusters: int
    silhouette: float
    calinski_harabasz: float
    davies_bouldin: float


@dataclass(frozen=True, slots=True)
class Clustering:
    """Cluster of each row (N,), −1 where it joined none; 0 is the largest."""

    labels: Labels
    clusters: int
    trials: tuple[Trial, ...]


def find_clusters(rows: Matrix) -> Clustering:
    """Kinds among deviation vectors (N, D). Deterministic; needs no seed."""
    if len(rows) < MIN_MEMBERS:
        return Clustering(np.full(len(rows), -1, dtype=np.int64), 0, ())
    distinct = len(np.unique(np.round(rows, 3), axis=0))
    trials, found = [], []
    sample = rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_SAMPLE)).astype(int)]
    for count in range(MIN_CLUSTERS, min(MAX_CLUSTERS, distinct - 1) + 1):
        birch = _birch(count, sample)
        labels = birch.predict(sample).astype(np.int64)
        if not MIN_CLUSTERS <= len(np.unique(labels)) < len(sample):
            continue
        trials.append(
            Trial(
                count,
                float(silhouette_score(sample, labels)),
                float(calinski_harabasz_score(sample, labels)),
                float(davies_bouldin_score(sample, labels)),
            )
        )
        found.append(birch.predict(rows).astype(np.int64))
    labels = found[_best(trials)] if trials else np.zeros(len(rows), dtype=np.int64)
    return _renumbered(rows, labels, tuple(trials))


def _birch(count: int, rows: Matrix) -> Birch:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Birch(threshold=BIRCH_THRESHOLD, n_clusters=count).fit(rows)


def _best(trials: list[Trial]) -> int:
    """The index of the trial with the best mean rank; the fewest clusters on a tie."""
    columns = np.array(
        [[-t.silhouette, -t.calinski_harabasz, t.davies_bouldin] for t in trials]
    )
    ranks = columns.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return int(ranks.mean(axis=1).argmin())


def _renumbered(rows: Matrix, labels: Labels, trials: tuple[Trial, ...]) -> Clustering:
    """Largest cluster first; small ones and loose ones are none."""
    values, counts = np.unique(labels, return_counts=True)
    order = np.lexsort((values, -counts))
    kept = [
        int(values[i])
        for i in order
        if counts[i] >= MIN_MEMBERS and _spread(rows[labels == values[i]]) <= MAX_SPREAD
    ]
    place = {label: index for index, label in enumerate(kept)}
    renumbered = np.array([place.get(int(v), -1) for v in labels], dtype=np.int64)
    return Clustering(renumbered, len(kept), trials)


def _spread(members: Matrix) -> float:
    """Mean cosine distance of members (N, D) to their centre."""
    centre = members.mean(axis=0)
    norm = float(np.linalg.norm(centre))
    if norm < 1e-6:
        return 1.0
    return float(1.0 - (members @ (centre / norm)).mean())
