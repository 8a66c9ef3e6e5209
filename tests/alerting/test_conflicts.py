"""Somebody else writes in between: decided again, for those whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from alerting import FindingNotice, InMemoryAlertStore, Stored, Write
from tests.alerting.makers import (
    T0,
    ContestedStore,
    Crash,
    CrashingStore,
    World,
    minutes,
    notice,
)

LATER = T0 + minutes(20)


class Meddled(InMemoryAlertStore):
    """Once, just before documents of a kind are written, something else happens."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = "episodes"
        self.before: Callable[[], object] | None = None

    def write_many(self, kind: str, writes: Sequence[Write]) -> list[Stored | None]:
        if kind == self.kind and self.before is not None:
            before, self.before = self.before, None
            before()
        return super().write_many(kind, writes)


def _of(name: str, *ids: str, at: int = 0) -> list[FindingNotice]:
    return [
        notice(one, T0 + minutes(at), fingerprint=f"{name}/shop-db", class_id=name)
        for one in ids
    ]


def _held(world: World) -> dict[tuple[str, int], list[str]]:
    return {
        (e.class_id, e.number): sorted(e.finding_ids) for e in world.tracker.episodes()
    }


def test_one_conflict_stops_no_other_episode() -> None:
    store = Meddled()
    world, other = World(store=store), World(store=store)
    world.tracker.note(_of("c1", "a") + _of("c2", "b") + _of("c3", "c"), T0)
    store.before = lambda: other.tracker.note(_of("c2", "x"), T0)
    more = _of("c1", "d") + _of("c2", "e") + _of("c3", "f") + _of("c4", "g")
    done = world.tracker.note(more, T0)
    assert [t.fingerprint[:2] for t in done] == ["c1", "c3", "c4", "c2"]
    assert _held(world) == {
        ("c1", 1): ["a", "d"],
        ("c2", 1): ["b", "e", "x"],
        ("c3", 1): ["c", "f"],
        ("c4", 1): ["g"],
    }


def test_somebody_else_opens_the_episode_first() -> None:
    store = Meddled()
    world, other = World(store=store), World(store=store)
    store.before = lambda: other.tracker.note(_of("c1", "x"), T0)
    (done,) = world.tracker.note(_of("c1", "a"), T0)
    assert (done.kind, done.number) == ("ongoing", 1)
    assert _held(world) == {("c1", 1): ["a", "x"]}
    assert len(world.outbox.rows()) == 1


def test_somebody_else_opens_the_next_episode_first() -> None:
    store = Meddled()
    world, other = World(store=store), World(store=store)
    world.tracker.note(_of("c1", "a"), T0)
    world.tracker.advance("shop-db", LATER, LATER)
    store.before = lambda: other.tracker.note(_of("c1", "x", at=20), LATER)
    late, new = _of("c1", "late", at=-1), _of("c1", "new", at=20)
    done = world.tracker.note(late + new, LATER)
    assert [(t.kind, t.number) for t in done] == [("amended", 1), ("ongoing", 2)]
    assert _held(world) == {("c1", 1): ["a", "late"], ("c1", 2): ["new", "x"]}


def test_a_late_finding_stays_with_its_episode_when_somebody_changes_that() -> None:
    store = Meddled()
    world, other = World(store=store), World(store=store)
    world.tracker.note(_of("c1", "a", "b"), T0)
    world.tracker.advance("shop-db", LATER, LATER)
    gone = [notice("b", T0, fingerprint="c1/shop-db", status="withdrawn")]
    store.before = lambda: other.tracker.note(gone, LATER)
    late, new = _of("c1", "late", at=-1), _of("c1", "new", at=20)
    done = world.tracker.note(late + new, LATER)
    assert [(t.kind, t.number) for t in done] == [("amended", 1), ("opened", 2)]
    assert _held(world) == {("c1", 1): ["a", "late"], ("c1", 2): ["new"]}


def test_the_episode_of_late_findings_is_deleted_meanwhile() -> None:
    store = Meddled()
    world = World(store=store)
    world.tracker.note(_of("c1", "a"), T0)
    world.tracker.advance("shop-db", LATER, LATER)
    store.before = store._documents.clear
    world.tracker.note(_of("c1", "late", at=-1), LATER)
    assert _held(world) == {("c1", 1): ["late"]}


def test_what_was_read_again_is_what_is_held() -> None:
    """A second process withdraws; the first must not decide by what it wrote."""
    world, other = (World(store=store) for store in [InMemoryAlertStore()] * 2)
    world.tracker.note(_of("c1", "a", "b"), T0)
    gone = [notice("b", T0, fingerprint="c1/shop-db", status="withdrawn")]
    other.tracker.note(gone, T0)
    assert world.tracker.advance("shop-db", T0, T0) == []
    (done,) = world.tracker.note(_of("c1", "b"), T0)
    assert (done.kind, _held(world)) == ("ongoing", {("c1", 1): ["a", "b"]})


def test_a_row_that_somebody_else_rewrites_first() -> None:
    """Rows of a decision that was never stored; two processes want their place."""
    store = Meddled()
    dying = World(store=CrashingStore(store, 2))
    with pytest.raises(Crash):
        dying.tracker.note(_of("c1", "gone") + _of("c2", "gone2"), T0)
    world, other = World(store=store), World(store=store)
    store.kind = "outbox"

    def meddle() -> None:
        store.kind = "episodes"  # and once more, right before the episodes
        store.before = lambda: other.tracker.note(_of("c1", "x2"), T0)
        other.tracker.note(_of("c1", "x"), T0)

    store.before = meddle
    world.tracker.note(_of("c1", "a") + _of("c2", "b"), T0)
    assert _held(world) == {("c1", 1): ["a", "x", "x2"], ("c2", 1): ["b"]}
    assert world.outbox.deliver(T0).sent == 2
    told = {m.document["data"]["class"]["id"] for m in world.channels["mail"].messages}
    assert told == {"c1", "c2"}


def test_no_episode_moves_before_its_rows_are_its_own() -> None:
    """The row of a decision that was never stored is written over by somebody else."""
    store = ContestedStore("outbox", times=2)
    with pytest.raises(Crash):
        World(store=CrashingStore(store, 2)).tracker.note(_of("c1", "gone"), T0)
    world = World(store=store)
    (done,) = world.tracker.note(_of("c1", "a"), T0)
    assert (done.kind, store.left) == ("opened", 0)
    (row,) = world.outbox.rows()
    assert row.cause == ("a",)


def test_a_row_of_the_same_cause_stays_as_it_is() -> None:
    store = InMemoryAlertStore()
    with pytest.raises(Crash):
        World(store=CrashingStore(store, 2)).tracker.note(_of("c1", "a"), T0)
    world = World(store=store)
    world.tracker.note(_of("c1", "a"), LATER)
    (row,) = world.outbox.rows()
    assert row.created_at == T0


def test_a_finding_that_grows_stays_in_its_resolved_episode() -> None:
    world = World()
    world.tracker.note(_of("c1", "a"), T0)
    world.tracker.advance("shop-db", LATER, LATER)
    (done,) = world.tracker.note(_of("c1", "a", at=30), T0 + minutes(30))
    assert (done.kind, done.number) == ("amended", 1)
