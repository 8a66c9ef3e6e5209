"""Where ranges of session keys are cut."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from connector.key_ranges import KeyRange, cut_points


def shares(sizes: list[tuple[str, int]], cuts: list[str]) -> list[int]:
    """How many documents each range has."""
    bounds = [*cuts, "\U0010ffff"]
    found = [0] * len(bounds)
    for key, size in sizes:
        found[next(n for n, bound in enumerate(bounds) if key < bound)] += size
    return found


@pytest.mark.parametrize("count", [2, 3, 8])
def test_many_keys_are_shared_out_evenly(count: int) -> None:
    rng = random.Random(count)
    sizes = [(f"{n:05d}", rng.randint(1, 40)) for n in range(5000)]
    total = sum(size for _, size in sizes)
    cuts = cut_points(sizes, total, count)
    assert len(cuts) == count - 1
    assert cuts == sorted(cuts)
    assert max(abs(s - total / count) for s in shares(sizes, cuts)) <= 20 * count


def test_a_large_key_gets_a_range_of_its_own_and_makes_no_empty_ones() -> None:
    sizes = [("a", 5), ("b", 5), ("c", 1000), ("d", 5), ("e", 5)]
    cuts = cut_points(sizes, 1020, 4)
    assert shares(sizes, cuts) == [10, 1000, 5, 5]


@pytest.mark.parametrize(
    "sizes", [[], [("only", 900)], [("a", 1), ("b", 1)]], ids=["none", "one", "two"]
)
def test_there_are_no_more_ranges_than_keys(sizes: list[tuple[str, int]]) -> None:
    cuts = cut_points(sizes, sum(size for _, size in sizes), 6)
    assert cuts == [key for key, _ in sizes[1:]]


def test_no_more_keys_are_asked_for_than_needed() -> None:
    asked = []

    def keys() -> Iterator[tuple[str, int]]:
        for n in range(1000):
            asked.append(n)
            yield f"{n:04d}", 1

    assert cut_points(keys(), 1000, 2) == ["0500"]
    assert len(asked) == 501


def test_everything_has_no_clause() -> None:
    assert KeyRange().clauses() == []
