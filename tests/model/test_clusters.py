import numpy as np
import pytest

from model.clusters import MIN_MEMBERS, Method, _best, find_clusters
from model.features import Matrix


def groups(*sizes: int, seed: int = 0) -> Matrix:
    """Tight groups of unit vectors around different axes."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((sum(sizes), 12), dtype=np.float32)
    at = 0
    for axis, size in enumerate(sizes):
        rows[at : at + size, axis] = 1.0
        rows[at : at + size] += rng.normal(0, 0.01, (size, 12))
        at += size
    unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def test_the_number_of_kinds_is_found() -> None:
    found = find_clusters(groups(40, 25, 10, 5))
    assert found.clusters == 4
    assert [int((found.labels == k).sum()) for k in range(4)] == [40, 25, 10, 5]
    assert [t.method for t in found.trials] == ["birch", "agglomerative", "hdbscan"]
    assert found.trials[0].chosen
    assert found.trials[0].stability > 0.95


def test_too_few_members_are_no_kind() -> None:
    found = find_clusters(groups(30, 20, MIN_MEMBERS - 1))
    assert found.clusters == 2
    assert (found.labels == -1).sum() == MIN_MEMBERS - 1


def test_what_has_nothing_in_common_is_no_kind() -> None:
    scattered = np.eye(12, dtype=np.float32)[:6]
    assert find_clusters(scattered).clusters == 0


def test_one_kind_alone_is_a_kind() -> None:
    same = np.repeat(groups(1), 10, axis=0)
    found = find_clusters(same)
    assert (found.clusters, found.labels.tolist()) == (1, [0] * 10)


def test_hardly_anything_gives_no_kinds() -> None:
    assert find_clusters(groups(2)).labels.tolist() == [-1, -1]
    assert find_clusters(np.zeros((0, 4), dtype=np.float32)).clusters == 0


@pytest.mark.parametrize("method", ["birch", "hdbscan", "agglomerative"])
def test_each_method_finds_the_same_plain_kinds(method: Method) -> None:
    found = find_clusters(groups(40, 25, 10, 5), method)
    assert [t.method for t in found.trials] == [method]
    assert [int((found.labels == k).sum()) for k in range(4)] == [40, 25, 10, 5]


def test_no_number_and_no_deviation_are_no_kind() -> None:
    rows = groups(10, 8)
    rows[0] = np.nan
    rows[1] = 0.0
    labels = find_clusters(rows).labels
    assert labels[:2].tolist() == [-1, -1]
    assert sorted(set(labels[2:].tolist())) == [0, 1]


def test_more_rows_than_are_compared_at_once() -> None:
    for method in ("birch", "agglomerative", "hdbscan"):
        found = find_clusters(groups(3000, 1500), method)
        assert [int((found.labels == k).sum()) for k in range(2)] == [3000, 1500]


def test_another_method_is_taken_only_where_it_is_clearly_steadier() -> None:
    assert _best([0.95, 0.96, 0.2]) == 0
    assert _best([0.9, 0.2, 0.95]) == 2
