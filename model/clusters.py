"""Stage 3: the kinds among what deviates, found by clustering.

    rows ─▶ Birch, agglomerative, HDBSCAN ─▶ bootstrap agreement ─▶ the steadiest

Their number is not asked for: members of one kind are nearer to each other than `CUT`,
cosine distance. Each method is run again on parts of the rows; how well that agrees
with the whole is its *stability*. Birch is taken unless another one is clearly
steadier. Internal scores are kept for people to see and decide nothing: they like the
finest division best. Agreement with truth is reported elsewhere, wherever truth
exists: a score against one's own clusters proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, Birch
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from model.features import Matrix

MIN_MEMBERS = 3
MAX_SAMPLE = 3000
MAX_SPREAD = 0.4
CUT = 0.30
BIRCH_THRESHOLD = 0.15
BOOTSTRAPS = 5
BOOTSTRAP_SHARE = 0.8
CLEARLY = 0.02
Labels = NDArray[np.int64]
Method = Literal["auto", "birch", "hdbscan", "agglomerative"]


class Clusterer(Protocol):
    """A way to cluster unit vectors."""

    name: str

    def labels(self, rows: Matrix) -> Labels:
        """rows (N, D), N ≥ 2 → cluster of each (N,), −1 for none. Deterministic."""
        ...


class BirchClusterer:
    """Birch sums the rows up first, so that any number of them can be clustered."""

    name = "birch"

    def labels(self, rows: Matrix) -> Labels:
        birch = Birch(threshold=BIRCH_THRESHOLD, n_clusters=None).fit(rows)
        centres = np.asarray(birch.subcluster_centers_)
        found: Labels = _cut(centres).take(birch.predict(rows))
        return found


class AgglomerativeClusterer:
    """Average linkage; rows beyond MAX_SAMPLE join the nearest row of the sample."""

    name = "agglomerative"

    def labels(self, rows: Matrix) -> Labels:
        places = _sample(len(rows), MAX_SAMPLE)
        sample = rows[places]
        own = _cut(sample)
        if len(sample) == len(rows):
            return own
        nearest = np.argmax(rows @ sample.T, axis=1)
        joined: Labels = own.take(nearest)
        return joined


class HdbscanClusterer:
    """Density: rows that have too few like them stay alone.

    Clusters whose centres are not `CUT` apart are one: density alone divides what
    differs in a trifle. (Its own epsilon for that fails with numpy 2.)
    """

    name = "hdbscan"

    def labels(self, rows: Matrix) -> Labels:
        places = _sample(len(rows), MAX_SAMPLE)
        sample = rows[places]
        if len(sample) < MIN_MEMBERS:
            return np.full(len(rows), -1, dtype=np.int64)
        found = HDBSCAN(
            min_cluster_size=MIN_MEMBERS,
            copy=True,
        ).fit(sample)
        own = _joined(sample, np.asarray(found.labels_, dtype=np.int64))
        if len(sample) == len(rows):
            return own
        nearest = np.argmax(rows @ sample.T, axis=1)
        joined: Labels = own.take(nearest)
        return joined


METHODS: tuple[Clusterer, ...] = (
    BirchClusterer(),
    AgglomerativeClusterer(),
    HdbscanClusterer(),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One method that was tried. Scores are 0 where one cluster alone was found.

    `stability`: mean adjusted Rand index of parts of the rows against the whole.
    """

    method: str
    clusters: int
    stability: float
    silhouette: float
    calinski_harabasz: float
    davies_bouldin: float
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Clustering:
    """Cluster of each row (N,), −1 where it joined none; 0 is the largest."""

    labels: Labels
    clusters: int
    trials: tuple[Trial, ...]


def find_clusters(rows: Matrix, method: Method = "auto") -> Clustering:
    """Kinds among deviation vectors (N, D). Deterministic; needs no seed.

    Rows without any deviation, or with values that are no numbers, are of no kind.
    """
    labels = np.full(len(rows), -1, dtype=np.int64)
    norms = np.linalg.norm(np.nan_to_num(rows), axis=1)
    usable = np.isfinite(rows).all(axis=1) & (norms > 1e-6)
    own = rows[usable]
    if len(own) < MIN_MEMBERS:
        return Clustering(labels, 0, ())
    tried = [m for m in METHODS if method in ("auto", m.name)]
    found = [m.labels(own) for m in tried]
    steady = [_stability(m, own, whole) for m, whole in zip(tried, found, strict=True)]
    best = _best(steady)
    trials = tuple(
        _trial(m.name, own, whole, stability, place == best)
        for place, (m, whole, stability) in enumerate(
            zip(tried, found, steady, strict=True)
        )
    )
    labels[usable], clusters = _renumbered(own, found[best])
    return Clustering(labels, clusters, trials)


def _best(steady: Sequence[float]) -> int:
    """The first, unless another is clearly steadier."""
    best = int(np.argmax(steady))
    return best if steady[best] > steady[0] + CLEARLY else 0


def _cut(rows: Matrix) -> Labels:
    """Average linkage by cosine, cut where kinds are `CUT` apart. (N, D) → (N,)."""
    if len(rows) < 2:
        return np.zeros(len(rows), dtype=np.int64)
    tree = AgglomerativeClustering(
        n_clusters=None, distance_threshold=CUT, metric="cosine", linkage="average"
    )
    return np.asarray(tree.fit_predict(rows), dtype=np.int64)


def _joined(rows: Matrix, labels: Labels) -> Labels:
    """Clusters (N,) with those joined whose centres are near; −1 stays."""
    count = int(labels.max(initial=-1)) + 1
    if not count:
        return labels
    centres = np.stack([rows[labels == k].mean(axis=0) for k in range(count)])
    return np.where(labels >= 0, _cut(centres)[labels], -1)


def _stability(method: Clusterer, rows: Matrix, whole: Labels) -> float:
    """Agreement of parts of the rows with the whole; 1 where they are too few."""
    size = int(BOOTSTRAP_SHARE * min(len(rows), MAX_SAMPLE))
    if size < 2 * MIN_MEMBERS:
        return 1.0
    rng = np.random.default_rng(0)
    agreements = []
    for _ in range(BOOTSTRAPS):
        part = np.sort(rng.choice(len(rows), size, replace=False))
        agreements.append(adjusted_rand_score(whole[part], method.labels(rows[part])))
    return float(np.mean(agreements))


def _trial(
    name: str, rows: Matrix, labels: Labels, stability: float, chosen: bool
) -> Trial:
    clusters = len(set(labels.tolist()) - {-1})
    places = _sample(len(rows), MAX_SAMPLE)
    sample, own = rows[places], labels[places]
    scores = (0.0, 0.0, 0.0)
    if 2 <= len(np.unique(own)) < len(own):
        scores = (
            float(silhouette_score(sample, own)),
            float(calinski_harabasz_score(sample, own)),
            float(davies_bouldin_score(sample, own)),
        )
    return Trial(name, clusters, stability, *scores, chosen)


def _sample(count: int, most: int) -> NDArray[np.int64]:
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _renumbered(rows: Matrix, labels: Labels) -> tuple[Labels, int]:
    """Largest cluster first; small ones and loose ones are none."""
    values, counts = np.unique(labels[labels >= 0], return_counts=True)
    order = np.lexsort((values, -counts))
    kept = [
        int(values[i])
        for i in order
        if counts[i] >= MIN_MEMBERS and _spread(rows[labels == values[i]]) <= MAX_SPREAD
    ]
    place = {label: index for index, label in enumerate(kept)}
    renumbered = np.array([place.get(int(v), -1) for v in labels], dtype=np.int64)
    return renumbered, len(kept)


def _spread(members: Matrix) -> float:
    """Mean cosine distance of members (N, D) to their centre."""
    centre = members.mean(axis=0)
    norm = float(np.linalg.norm(centre))
    if norm < 1e-6:
        return 1.0
    return float(1.0 - (members @ (centre / norm)).mean())
