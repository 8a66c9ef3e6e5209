"""The seen-id set stays bounded and survives a restart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import SeenIds
from tests.connector.samples import at, document


def test_knows_what_was_added() -> None:
    seen = SeenIds()
    assert document("a") not in seen
    assert seen.add(document("a"))
    assert document("a") in seen
    assert not seen.add(document("a"))
    assert len(seen) == 1


def test_the_same_id_in_another_index_is_another_document() -> None:
    seen = SeenIds()
    seen.add(document("a", index="logs-1"))
    assert document("a", index="logs-2") not in seen


def test_prune_forgets_what_is_before() -> None:
    seen = SeenIds()
    for number in range(10):
        seen.add(document(str(number), time=at(number)))
    seen.prune(at(4))
    assert [str(n) for n in range(10) if document(str(n)) in seen] == list("456789")
    assert seen.forgotten == 0


def test_when_full_the_oldest_goes_and_is_counted() -> None:
    seen = SeenIds(capacity=3)
    for number in (5, 1, 4, 2, 3):
        seen.add(document(str(number), time=at(number)))
    assert [n for n in range(1, 6) if document(str(n)) in seen] == [3, 4, 5]
    assert seen.forgotten == 2
    assert len(seen) == 3


def test_it_says_from_when_on_nothing_was_forgotten() -> None:
    seen = SeenIds(capacity=3)
    for number in (1, 2, 3):
        seen.add(document(str(number), time=at(number)))
    assert seen.complete_from is None
    seen.add(document("5", time=at(5)))
    assert seen.complete_from == at(1.000001)
    seen.add(document("early", time=at(0)))  # forgotten at once
    assert seen.complete_from == at(1.000001)
    seen.add(document("6", time=at(6)))
    assert seen.complete_from == at(2.000001)
    seen.prune(at(6))
    assert seen.complete_from == at(2.000001)
    restored = SeenIds.restore(seen.snapshot(), capacity=3)
    assert restored.complete_from == at(2.000001)
    assert len(restored) == 1


def test_everything_since_complete_from_is_known() -> None:
    seen = SeenIds(capacity=50)
    times = [number // 7 for number in range(300)]  # several at one time
    for number, second in enumerate(times):
        seen.add(document(str(number), time=at(second)))
    assert seen.complete_from is not None
    since = [n for n, second in enumerate(times) if at(second) >= seen.complete_from]
    assert len(since) > 40
    assert all(document(str(n)) in seen for n in since)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-9999, 9999)), max_size=60))
def test_restore_of_a_snapshot_is_the_same(items: list[tuple[int, int]]) -> None:
    seen = SeenIds(capacity=20)
    for doc_id, second in items:
        seen.add(document(str(doc_id), time=at(second)))
    restored = SeenIds.restore(seen.snapshot(), capacity=20)
    assert restored.snapshot() == seen.snapshot()
    assert len(restored) == len(seen)
    assert restored.complete_from == seen.complete_from
    for number in range(31):
        one = document(str(number))
        assert (one in restored) == (one in seen)
    restored.prune(at(0))
    seen.prune(at(0))
    assert restored.snapshot() == seen.snapshot()


def test_a_broken_snapshot_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        SeenIds.restore(("nonsense",))
    with pytest.raises(ValueError, match="capacity"):
        SeenIds(0)


@given(
    st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=5),
    st.integers(0, 30),
)
def test_many_new_ones_at_once_are_as_one_by_one(
    pages: list[list[int]], pruned: int
) -> None:
    one_by_one, at_once = SeenIds(capacity=10), SeenIds(capacity=10)
    for number, times in enumerate(pages):
        documents = [
            document(f"{number}-{place}", time=at(time))
            for place, time in enumerate(times)
        ]
        for each in documents:
            one_by_one.add(each)
        at_once.add_new(documents)
    assert at_once.newest == one_by_one.newest
    assert at_once.complete_from == one_by_one.complete_from
    one_by_one.prune(at(pruned))
    at_once.prune(at(pruned))
    assert len(at_once) == len(one_by_one)
    assert {t for t, _ in at_once._oldest} == {t for t, _ in one_by_one._oldest}


@given(
    st.lists(st.lists(st.integers(0, 40), max_size=9), max_size=6),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_what_is_hashed_in_between_changes_nothing(
    pages: list[list[int]], pruned: list[int]
) -> None:
    asked, unasked = SeenIds(capacity=10), SeenIds(capacity=10)
    given = []
    for number, times in enumerate(pages):
        documents = [
            document(f"{number}-{place}", time=at(time), index=f"logs-{time % 2}")
            for place, time in enumerate(times)
        ]
        given += documents
        for seen in (asked, unasked):
            seen.add_new(documents)
        asked.snapshot()
        for before in pruned[number : number + 1]:
            asked.prune(at(before))
            unasked.prune(at(before))
            assert document("none") not in asked
    assert asked.newest == unasked.newest
    restored = SeenIds.restore(asked.snapshot(), capacity=10)
    assert restored.complete_from == asked.complete_from
    since = max(each.complete_from or at(0) for each in (asked, unasked))
    for each in given:
        if each.cursor_time >= since:
            assert (each in asked) == (each in unasked) == (each in restored)


def test_what_is_pruned_at_once_was_not_forgotten() -> None:
    seen = SeenIds(capacity=5)
    seen.add_new([document(str(n), time=at(n)) for n in range(8)])
    seen.prune(at(4))
    assert [n for n in range(8) if document(str(n)) in seen] == [4, 5, 6, 7]
    assert seen.forgotten == 0
    assert seen.complete_from is None
