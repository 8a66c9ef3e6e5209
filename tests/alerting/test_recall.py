"""Finding the newest episode by its number, without a search."""

from __future__ import annotations

import pytest

from alerting import InMemoryAlertStore, Policy, Stored
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


class CountingStore(InMemoryAlertStore):
    """Counts how often a document is read."""

    reads = 0

    def get(self, kind: str, doc_id: str) -> Stored | None:
        self.reads += 1
        return super().get(kind, doc_id)


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


def test_an_episode_that_was_just_written_is_not_read_again() -> None:
    store = CountingStore()
    world = World(store=store)
    world.tracker.note([notice("a")], T0)
    store.reads = 0
    (transition,) = world.tracker.note([notice("b")], T0)
    assert (transition.kind, store.reads) == ("ongoing", 0)


def test_unless_somebody_else_wrote_it_meanwhile() -> None:
    """A second tracker over the same store: what this one holds is old then."""
    world = World()
    first, second = world.tracker, world.restarted().tracker
    first.note([notice("a")], T0)
    second.note([notice("b")], T0)
    first.note([notice("c")], T0)
    (episode,) = first.episodes()
    assert sorted(episode.finding_ids) == ["a", "b", "c"]


def test_nor_where_somebody_else_opened_the_next_one() -> None:
    world = World(policy=Policy(resolve_after=minutes(15)))
    first, second = world.tracker, world.restarted().tracker
    first.note([notice("a")], T0)
    second.advance("shop-db", T0 + minutes(30), T0 + minutes(30))
    later = T0 + minutes(60)
    second.note([notice("b", later)], later)
    (transition,) = first.note([notice("c", later)], later)
    assert (transition.kind, transition.number) == ("ongoing", 2)
