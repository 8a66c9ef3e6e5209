"""Finding the newest episode by its number, without a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from alerting import InMemoryAlertStore, Policy
from alerting.recall import newest_of_each
from tests.alerting.makers import T0, CountedStore, LaggingStore, World, minutes, notice


class Numbered:
    """Documents 1 to so many of each key, and how often some were asked for."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts
        self.reads = 0

    def __call__(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
        assert all(number >= 1 for _, number in places)
        assert len(places) <= 2 * len(self.counts)
        self.reads += 1
        return {
            (key, number): f"{key}-{number}"
            for key, number in places
            if number <= self.counts[key]
        }


def _newest(count: int, hint: int | None) -> tuple[int, str | None]:
    return newest_of_each(Numbered({"a": count}), {"a": hint})["a"]


@pytest.mark.parametrize("count", range(40))
def test_the_highest_number_is_found_whatever_is_remembered(count: int) -> None:
    for hint in (None, *range(1, 45)):
        assert _newest(count, hint) == (count, f"a-{count}" if count else None)


def test_many_are_found_in_the_same_rounds() -> None:
    counts = {f"k{number}": number for number in range(40)}
    hints = {key: count + 3 if count % 3 else None for key, count in counts.items()}
    numbered = Numbered(counts)
    newest = newest_of_each(numbered, hints)
    assert {key: number for key, (number, _) in newest.items()} == counts
    alone = [Numbered(counts) for _ in counts]
    for key, each in zip(counts, alone, strict=True):
        newest_of_each(each, {key: hints[key]})
    assert numbered.reads == max(each.reads for each in alone)


@pytest.mark.parametrize(("count", "reads"), [(0, 1), (1, 1), (7, 6), (1000, 19)])
def test_few_reads_are_enough_without_a_hint(count: int, reads: int) -> None:
    numbered = Numbered({"a": count})
    newest_of_each(numbered, {"a": None})
    assert numbered.reads <= reads


def test_a_right_hint_makes_it_one_read() -> None:
    numbered = Numbered({"a": 1000})
    assert newest_of_each(numbered, {"a": 1000})["a"] == (1000, "a-1000")
    assert numbered.reads == 1


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
    store = CountedStore(InMemoryAlertStore())
    world = World(store=store)
    world.tracker.note([notice("a")], T0)
    store.taken()
    (transition,) = world.tracker.note([notice("b")], T0)
    assert transition.kind == "ongoing"
    assert not any(what.startswith("read") for what in store.taken())


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
