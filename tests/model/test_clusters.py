import numpy as np

from model.clusters import MIN_MEMBERS, find_clusters
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
    assert {trial.clusters for trial in found.trials} >= {2, 3, 4, 5}


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
