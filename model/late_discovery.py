"""New kinds among findings that fitted none, from what their evidence shows.

    unknown findings ─▶ deviation by wording ─▶ stage 3 ─▶ ids, old or new

A finding keeps its strongest lines, so nothing else has to be kept of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.clusters import find_clusters
from model.lineage import Lineage, Prototype, mean_prototype
from model.naming import Found, name_classes


def discover_late(
    deviations: Sequence[Prototype], lineage: Lineage
) -> tuple[str | None, ...]:
    """The class id of each deviation (N), None where too few are like it.

    An id that the lineage knows is that class come back; others are new, and are what
    the next training would give if it found just these.
    """
    keys = sorted({key for one in deviations for key in one})
    place = {key: column for column, key in enumerate(keys)}
    rows = np.zeros((len(deviations), len(keys)), dtype=np.float32)
    for row, one in zip(rows, deviations, strict=True):
        for key, weight in one.items():
            row[place[key]] = np.sqrt(weight)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    found = find_clusters(rows)
    members = [
        [d for d, k in zip(deviations, found.labels, strict=True) if k == number]
        for number in range(found.clusters)
    ]
    ids, _ = name_classes([Found(mean_prototype(m), len(m)) for m in members], lineage)
    return tuple(ids[k] if k >= 0 else None for k in found.labels)
