"""How often the store is asked: as often for many episodes as for few."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerting import (
    DeliveryError,
    FindingNotice,
    InMemoryAlertStore,
    OutgoingMessage,
    Stored,
)
from tests.alerting.makers import T0, CountedStore, Recorder, World, minutes, notice

HOUR = timedelta(hours=1)
OLD = T0 - 5 * HOUR


def _findings(
    classes: int, at: datetime, name: str, each: int = 3
) -> list[FindingNotice]:
    return [
        notice(
            f"{name}-{number}-{one}",
            at,
            fingerprint=f"c{number}/shop-db",
            class_id=f"c{number}",
        )
        for number in range(classes)
        for one in range(each)
    ]


def _world(store: CountedStore) -> World:
    return World(store=store, channels={"mail": Recorder(), "hook": Recorder()})


@pytest.mark.parametrize("classes", [1, 12, 60])
def test_noting_takes_as_many_requests_for_many_classes(classes: int) -> None:
    store = CountedStore(InMemoryAlertStore())
    world = _world(store)
    assert len(world.tracker.note(_findings(classes, T0, "a"), T0)) == classes
    assert store.taken() == {
        "search episodes": 1,
        "read episodes": 1,  # which is the newest: there is none
        "read outbox": 1,  # is a row of an earlier decision in the way?
        "write outbox": 1,
        "write episodes": 1,
    }
    # They go on: held in memory, and nobody is told before it is time.
    world.tracker.note(_findings(classes, T0, "b"), T0)
    assert store.taken() == {"search episodes": 1, "write episodes": 1}
    # A reminder is due.
    later = T0 + 5 * HOUR
    world.tracker.note(_findings(classes, later, "c"), later)
    assert store.taken() == {
        "search episodes": 1,
        "read outbox": 1,
        "write outbox": 1,
        "write episodes": 1,
    }
    # Late ones of the resolved episodes, and ones of the next, in one call.
    assert len(world.tracker.advance("shop-db", later + HOUR, later)) == classes
    store.taken()
    late = _findings(classes, later - minutes(10), "late")
    now = later + minutes(30)
    told = late + _findings(classes, now, "next")
    assert len(world.tracker.note(told, now)) == 2 * classes
    assert store.taken() == {
        "search episodes": 1,
        "read outbox": 1,
        "write outbox": 1,
        "write episodes": 1,
    }


@pytest.mark.parametrize("classes", [1, 12, 60])
def test_old_findings_are_asked_once_whether_they_are_owed(classes: int) -> None:
    store = CountedStore(InMemoryAlertStore())
    world = _world(store)
    world.tracker.note(_findings(classes, OLD, "a"), T0)
    assert store.taken() == {
        "search episodes": 1,
        "read episodes": 1,
        "read outbox": 1,
        "write episodes": 1,
    }
    done = world.tracker.catch_up_done("shop-db", T0)
    assert done is not None
    assert done.findings == 3 * classes
    assert store.taken() == {
        "read catchups": 1,
        "search episodes": 1,
        "read episodes": 2,
        "write one of catchups": 2,
        "write outbox": 1,
        "write episodes": 1,
    }


@pytest.mark.parametrize("classes", [1, 12, 60])
def test_told_again_after_a_restart(classes: int) -> None:
    store = CountedStore(InMemoryAlertStore())
    told = _findings(classes, T0, "a")
    _world(store).tracker.note(told, T0)
    store.taken()
    assert _world(store).tracker.note(told, T0) == []
    assert store.taken() == {"search episodes": 1, "read episodes": 1}
    grown = _findings(classes, T0 + minutes(1), "a")
    assert len(_world(store).tracker.note(grown, T0 + minutes(1))) == classes
    assert store.taken() == {
        "search episodes": 1,
        "read episodes": 1,
        "write episodes": 1,
    }


@pytest.mark.parametrize("classes", [1, 12, 60])
def test_findings_that_move_or_are_withdrawn(classes: int) -> None:
    store = CountedStore(InMemoryAlertStore())
    world = _world(store)
    world.tracker.note(_findings(classes, T0, "a", each=2), T0)
    store.taken()
    told = [
        notice(
            f"a-{number}-{one}",
            T0,
            fingerprint=f"other{number}/shop-db",
            status="withdrawn" if one else "open",
        )
        for number in range(classes)
        for one in range(2)
    ]
    done = Counter(t.kind for t in world.tracker.note(told, T0))
    assert done == {"amended": classes, "resolved": classes, "opened": classes}
    assert store.taken() == {
        "search episodes": 1,
        "read episodes": 2,  # the homes, and the newest of the new classes
        "read outbox": 2,
        "write outbox": 2,  # resolved, opened
        "write episodes": 3,  # withdrawn, moved, opened
    }


@pytest.mark.parametrize("classes", [1, 12, 60])
def test_advancing_takes_as_many_requests_for_many_episodes(classes: int) -> None:
    store = CountedStore(InMemoryAlertStore())
    world = _world(store)
    world.tracker.note(_findings(classes, T0, "a"), T0)
    store.taken()
    assert world.tracker.advance("shop-db", T0 + minutes(1), T0 + minutes(1)) == []
    assert store.taken() == {"search episodes": 1, "read episodes": 1}
    later = T0 + minutes(20)
    assert len(world.tracker.advance("shop-db", later, later)) == classes
    assert store.taken() == {
        "search episodes": 1,
        "read episodes": 1,
        "read outbox": 1,
        "write outbox": 1,
        "write episodes": 1,
    }


def test_rows_that_a_search_does_not_show_yet_are_read_at_once() -> None:
    class Blind(InMemoryAlertStore):
        def find(self, *_: Any, **__: Any) -> list[Stored]:
            return []

    store = CountedStore(Blind())
    world = _world(store)
    world.tracker.note(_findings(12, T0, "a"), T0)
    store.taken()
    world.outbox.deliver(T0, may_go_on=lambda: False)
    assert store.taken()["read outbox"] == 2  # which are unsent, and whose turn it is


@pytest.mark.parametrize("classes", [1, 12, 60])
def test_rows_that_are_not_due_are_read_at_once(classes: int) -> None:
    def down(_: OutgoingMessage) -> None:
        raise DeliveryError("down", recoverable=True)

    store = CountedStore(InMemoryAlertStore())
    world = World(store=store, channels={"mail": Recorder(before=down)})
    world.tracker.note(_findings(classes, T0, "a"), T0)
    for _ in range(classes):  # a pass tries one row of a channel that fails
        world.outbox.deliver(T0)
    store.taken()
    assert world.outbox.deliver(T0).attempts == ()
    assert store.taken() == {"search outbox": 2, "read outbox": 1}


def test_without_channels_no_row_is_asked_for() -> None:
    store = CountedStore(InMemoryAlertStore())
    world = World(store=store, channels={})
    world.tracker.note(_findings(5, T0, "a") + _findings(5, OLD, "b"), T0)
    assert {key for key in store.taken() if "outbox" in key} == set()
