"""Finding the newest episode by its number, without a search."""

from __future__ import annotations

import pytest

from alerting import Policy, Stored
from alerting.recall import newest
from tests.alerting.makers import T0, LaggingStore, World, minutes, notice


class Numbered:
    """Documents 1 to `count`, and how often one was asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.reads = 0

    def __call__(self, number: int) -> Stored | None:
        assert number >= 1
        self.reads += 1
        if number > self.count:
            return None
        return Stored("episodes", f"e-{number}", {"number": number}, number, 1)


@pytest.mark.parametrize("count", range(40))
def test_the_highest_number_is_found_whatever_is_remembered(count: int) -> None:
    for hint in (None, *range(1, 45)):
        number, stored = newest(Numbered(count), hint)
        assert number == count
        assert (stored.body["number"] if stored else 0) == count


@pytest.mark.parametrize(("count", "reads"), [(0, 1), (1, 3), (7, 7), (1000, 19)])
def test_few_reads_are_enough_without_a_hint(count: int, reads: int) -> None:
    numbered = Numbered(count)
    newest(numbered, None)
    assert numbered.reads <= reads


def test_a_right_hint_makes_it_two_reads() -> None:
    numbered = Numbered(1000)
    assert newest(numbered, 1000)[0] == 1000
    assert numbered.reads == 2


@pytest.mark.parametrize("episodes", [1, 2, 5, 7, 12])
def test_a_fresh_tracker_goes_on_from_the_newest_episode(episodes: int) -> None:
    """Searches see nothing: the number is found by reading alone."""
    world = World(store=LaggingStore(), policy=Policy(resolve_after=minutes(15)))
    for count in range(episodes):
        at = T0 + minutes(60 * count)
        world.tracker.note([notice(f"f{count}", at)], at)
        world.tracker.advance("shop-db", at + minutes(30), at + minutes(30))
    fresh = world.restarted()
    later = T0 + minutes(60 * episodes)
    (transition,) = fresh.tracker.note([notice("new", later)], later)
    assert (transition.kind, transition.number) == ("opened", episodes + 1)
