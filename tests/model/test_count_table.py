"""Distances of counts, without a matrix of all templates."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from model.detectors import count_table
from model.detectors.count_table import CountTable
from model.detectors.protocol import Floats
from model.detectors.support import SupportDistance
from model.events import EncodedSession
from tests.model.builders import encoded

MANY = 100_000


def drawn(sessions: int, templates: int, seed: int) -> list[EncodedSession]:
    """Sessions of templates of which few are frequent; some lines come again."""
    rng = random.Random(seed)
    return [
        EncodedSession(
            tuple(
                4 + int(templates * rng.random() ** 3)
                for _ in range(rng.randrange(1, 20))
                for _ in range(rng.choice((1, 1, 1, 7)))
            )
        )
        for _ in range(sessions)
    ]


def matrix(sessions: Sequence[EncodedSession], width: int) -> Floats:
    rows = np.zeros((len(sessions), width))
    for row, session in zip(rows, sessions, strict=True):
        for event in session.ids:
            row[event if event < width else 1] += 1
    return rows


def all_distances(table: CountTable, sessions: Sequence[EncodedSession]) -> Floats:
    found = np.full((len(sessions), len(table)), -1.0)
    for places, distances in table.distances(sessions):
        found[places[:, 0]] = distances[places[:, 1]]
    return found


@pytest.mark.parametrize("templates", [6, 50, 900])
def test_distances_are_those_of_full_rows(templates: int) -> None:
    learned = drawn(300, templates, 1)
    asked = [*drawn(200, templates + 9, 2), *learned[:20], EncodedSession(())]
    table = CountTable.of(learned)
    rows, weights = np.unique(matrix(learned, table.width), axis=0, return_counts=True)
    assert table.weights.tolist() == weights.tolist()
    full = np.nan_to_num(cdist(matrix(asked, table.width), rows, "braycurtis"))
    assert np.array_equal(all_distances(table, asked), full)
    own = np.concatenate(list(table.own_distances()))
    assert np.array_equal(own, np.nan_to_num(cdist(rows, rows, "braycurtis")))


def test_of_many_different_rows_the_most_frequent_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(count_table, "MAX_NEIGHBOURS", 3)
    often = encoded([4, 5], [6], [4, 4])
    table = CountTable.of([*encoded([7], [8], [9, 9]), *often, *often])
    assert table.weights.tolist() == [2, 2, 2]
    assert [table.counts(i) for i in range(3)] == [{6: 1.0}, {4: 1.0, 5: 1.0}, {4: 2.0}]


def test_a_matrix_of_an_older_bundle_is_read() -> None:
    table = CountTable.of(drawn(60, 30, 3))
    rows = np.array(
        [
            [table.counts(i).get(e, 0.0) for e in range(table.width)]
            for i in range(len(table))
        ],
        dtype=np.float32,
    )
    old = CountTable.from_state({"counts": rows, "weights": table.weights})
    asked = drawn(20, 40, 4)
    assert np.array_equal(all_distances(old, asked), all_distances(table, asked))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("events", np.array([9, 9, 9])),
        ("starts", np.array([0, 7])),
        ("weights", np.array([1, 2])),
    ],
)
def test_a_damaged_table_is_refused(name: str, value: NDArray[np.int64]) -> None:
    state = CountTable.of(encoded([4, 5, 6])).state()
    with pytest.raises(ValueError, match=r"\w"):
        CountTable.from_state({**state, name: value})


def test_a_hundred_thousand_templates_take_no_more_memory_than_their_lines() -> None:
    """A matrix of all counts would take 600 MB, and twice that where it is compared."""
    rng = random.Random(5)
    sessions = [
        EncodedSession((4, 5, *(rng.randrange(6, MANY) for _ in range(20)), 5))
        for _ in range(1500)
    ]
    tracemalloc.start()
    detector = SupportDistance()
    detector.fit(sessions)
    far = detector.parts(sessions[:500]).distance
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 << 20
    assert len(far) == 500
    _, arrays = detector.state()
    assert sum(array.nbytes for array in arrays.values()) < 2 << 20
