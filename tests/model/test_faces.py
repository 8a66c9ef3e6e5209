"""Clusters that strike together are one kind; what only shares an outage is not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.faces import join_faces

RNG = np.random.default_rng(5)


def labels_of(*times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cluster numbers (N,) of clusters given by their times."""
    return np.repeat(np.arange(len(times)), [len(t) for t in times])


def joined(*times: NDArray[np.float64], bystanders: int = 0) -> list[int]:
    """Which cluster each given one became; the last ones are bystanders."""
    labels = labels_of(*times)
    telling = (labels < len(times) - bystanders).tolist()
    found = join_faces(labels, np.concatenate(times).tolist(), telling)
    return [int(found[labels == k][0]) for k in range(len(times))]


def moments(count: int, seed: int = 0, span_s: float = 86_400) -> NDArray[np.float64]:
    return np.sort(np.random.default_rng(seed).uniform(0, span_s, count))


def test_two_sides_of_one_trouble_are_one_kind() -> None:
    victims = moments(30)
    winners = victims + RNG.uniform(0, 0.05, 30)
    assert joined(victims, winners, moments(30, seed=1)) == [0, 0, 1]


def test_a_side_that_is_not_always_told_of_is_still_one() -> None:
    crashes = moments(12)
    turned_away = crashes[::2] + 0.3
    cut_off = np.concatenate([crashes + d for d in (0.0, 0.01, 0.02)])
    assert joined(cut_off, turned_away) == [0, 0]


def test_the_largest_comes_first_and_what_is_none_stays_none() -> None:
    small, large = moments(6), moments(40, seed=1)
    labels = np.concatenate([labels_of(small, large), [-1]])
    times = [*small, *large, 7.0]
    found = join_faces(labels, times, [True] * len(times))
    assert (found[0], found[10], found[-1]) == (1, 0, -1)


def test_a_bystander_joins_its_trouble() -> None:
    crashes = moments(12)
    assert joined(crashes, moments(20, seed=1), crashes + 0.05, bystanders=1) == [
        0,
        1,
        0,
    ]


def test_a_bystander_of_two_troubles_joins_neither_and_does_not_bridge_them() -> None:
    one, other = moments(20), moments(20, seed=1)
    waiting = np.sort(np.concatenate([one, other])) + 0.02
    assert joined(one, other, waiting, bystanders=1) == [1, 2, 0]


def test_what_says_nothing_of_a_trouble_is_not_joined_by_itself() -> None:
    crashes = moments(12)
    assert joined(crashes, crashes + 0.05, bystanders=2) == [0, 1]


def test_troubles_are_joined_only_where_each_is_coupled_with_each() -> None:
    one, other = moments(20), moments(20, seed=1)
    both = np.sort(np.concatenate([one, other])) + 0.02
    found = joined(one, other, both)
    assert found[0] != found[1]


@pytest.mark.parametrize("seed", range(10))
def test_what_shares_an_outage_only_stays_apart(seed: int) -> None:
    start = np.repeat(moments(4, seed), 25)
    rng = np.random.default_rng(seed)
    one, other = (start + rng.uniform(0, 300, 100) for _ in range(2))
    assert joined(one, other) == [0, 1]


def test_a_common_trouble_does_not_swallow_what_follows_it_now_and_then() -> None:
    full = moments(200)
    crashes = full[::40] + 0.02
    assert joined(full, crashes) == [0, 1]


def test_once_or_twice_together_says_nothing() -> None:
    twice = moments(2)
    assert joined(np.repeat(twice, 20), np.repeat(twice, 20) + 0.01) == [0, 1]


def test_what_a_timer_starts_has_only_the_timer_in_common() -> None:
    nightly = np.arange(14, dtype=np.float64) * 86_400
    assert joined(nightly + 0.04, nightly + 0.06) == [0, 1]


def test_times_told_in_whole_seconds_are_compared_by_seconds() -> None:
    one = np.floor(moments(40, span_s=600))
    other = np.floor(moments(40, seed=1, span_s=600))
    assert joined(one, other) == [0, 1]
    assert joined(one, one + RNG.integers(0, 2, 40)) == [0, 0]
    minutes = 60 * np.floor(moments(20) / 60)
    assert joined(minutes, minutes) == [0, 1], "nothing finer than a minute is known"


def test_no_clusters_and_equal_times_are_borne() -> None:
    assert join_faces(np.full(3, -1), [0.0, 1.0, 2.0], [True] * 3).tolist() == [
        -1,
        -1,
        -1,
    ]
    assert joined(np.zeros(9), np.zeros(5)) == [0, 1]
