"""What deviates, as points on a plane: a picture of the clusters for people.

The two directions in which deviation vectors differ most (PCA). Most of what parts
the clusters lies in other directions: `shares` says how much these two show, so two
clusters that overlap here need not be alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from model.features import Matrix

MAX_POINTS = 600
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Points (x, y, class), −1 for no class; `shares` of the variance of x and y."""

    points: tuple[tuple[float, float, int], ...] = ()
    shares: tuple[float, float] = (0.0, 0.0)


def draw_map(rows: Matrix, labels: NDArray[np.int64]) -> ClassMap:
    """Deviation vectors (N, D), class numbers (N) → at most MAX_POINTS points.

    Empty where there is nothing to tell apart. Deterministic; needs no seed.
    """
    places = np.linspace(0, len(rows) - 1, min(len(rows), MAX_POINTS)).astype(int)
    sample = rows[places].astype(np.float64)
    if len(sample) < 3 or not float(sample.var(axis=0).sum()) > 1e-9:
        return ClassMap()
    fitted = PCA(n_components=2, svd_solver="full").fit(sample)
    shares = [round(float(s), _DIGITS) for s in fitted.explained_variance_ratio_]
    return ClassMap(
        tuple(
            (round(float(x), _DIGITS), round(float(y), _DIGITS), int(label))
            for (x, y), label in zip(
                fitted.transform(sample), labels[places], strict=True
            )
        ),
        (shares[0], shares[1]),
    )
