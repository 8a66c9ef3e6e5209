"""Catch-up: what was too old to be sent one by one is summed up, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from alerting import FindingNotice, Policy
from alerting.news import MAX_CLASSES
from tests.alerting.makers import T0, LaggingStore, Recorder, World, minutes, notice

HOUR = timedelta(hours=1)


def _old(
    finding_id: str, hours: float, name: str = "c07", **more: Any
) -> FindingNotice:
    changes = {"fingerprint": f"{name}/shop-db", "class_id": name, **more}
    return notice(finding_id, T0 - hours * HOUR, **changes)


def _sum_up(world: World, at: datetime = T0) -> dict[str, object]:
    """Asks for the catch-up, sends it, and returns its data."""
    assert world.tracker.catch_up_done("shop-db", at) is not None
    world.outbox.deliver(at)
    message = world.channels["mail"].messages[-1]
    assert message.kind == "catch-up"
    data: dict[str, object] = message.document["data"]
    return data


def test_one_message_sums_up_everything_old() -> None:
    world = World(channels={"mail": Recorder(), "hook": Recorder()})
    old = [_old(f"a{n}", 9 - n) for n in range(6)]
    old += [_old(f"b{n}", 5, "c08", severity="critical", risk=97) for n in range(2)]
    world.tracker.note(old, T0)
    done = world.tracker.catch_up_done("shop-db", T0)
    assert done is not None
    assert (done.number, done.findings) == (1, 8)
    assert done.rows == ("catchup-shop-db-1-mail", "catchup-shop-db-1-hook")
    assert done.reason == "summed up: 8 findings older than max_alert_age"
    assert world.outbox.deliver(T0).sent == 2
    (message,) = world.channels["mail"].messages
    data = message.document["data"]
    assert data["findings"] == 8
    assert [(c["class_id"], c["findings"]) for c in data["classes"]] == [
        ("c08", 2),
        ("c07", 6),
    ]
    assert data["first_seen"] == "2026-03-04T00:59:00Z"
    assert data["last_seen"] == "2026-03-04T06:00:00Z"
    assert data["worst"][0]["risk"] == 97
    assert data["worst"][0]["advice"]


def test_never_doubled() -> None:
    world = World()
    old = [_old("a", 3), _old("b", 4)]
    world.tracker.note(old, T0)
    assert _sum_up(world)["findings"] == 2
    assert world.tracker.catch_up_done("shop-db", T0) is None
    world = world.restarted()
    world.tracker.note(old, T0 + 5 * HOUR)
    assert world.tracker.catch_up_done("shop-db", T0 + 5 * HOUR) is None


def test_nothing_old_nothing_to_sum_up() -> None:
    world = World()
    world.tracker.note([notice("a")], T0)
    assert world.tracker.catch_up_done("shop-db", T0) is None


def test_another_source_is_left_alone() -> None:
    world = World()
    world.tracker.note([_old("a", 3), _old("b", 3, source="other")], T0)
    assert _sum_up(world)["findings"] == 1
    assert world.tracker.catch_up_done("other", T0) is not None


def test_a_trickle_of_late_findings_makes_one_message_an_interval() -> None:
    world = World(policy=Policy(catch_up_interval=HOUR))
    world.tracker.note([_old("a", 3)], T0)
    _sum_up(world)
    for at in range(1, 60, 7):
        world.tracker.note([_old(f"late{at}", 3)], T0 + minutes(at))
        waiting = world.tracker.catch_up_done("shop-db", T0 + minutes(at))
        assert waiting is not None
        assert waiting.rows == ()
        assert waiting.reason.startswith(f"waiting: the last catch-up was {at} min ago")
    assert _sum_up(world, T0 + HOUR)["findings"] == 9


def test_a_silent_finding_that_is_withdrawn_is_not_summed_up() -> None:
    world = World()
    world.tracker.note([_old("a", 3), _old("b", 3)], T0)
    world.tracker.note([_old("a", 3, status="withdrawn")], T0)
    assert _sum_up(world)["findings"] == 1


def test_an_announced_episode_keeps_what_joins_it_old() -> None:
    world = World()
    world.tracker.note([notice("new"), _old("old", 2)], T0)
    assert _sum_up(world)["findings"] == 1
    world.tracker.note([_old("older", 3)], T0 + minutes(1))
    assert _sum_up(world, T0 + 2 * HOUR)["findings"] == 1


def test_more_classes_than_fit_are_counted() -> None:
    world = World()
    world.tracker.note([_old(f"f{n}", 3, f"c{n}") for n in range(MAX_CLASSES + 5)], T0)
    data = _sum_up(world)
    assert data["findings"] == MAX_CLASSES + 5
    assert data["more_classes"] == 5
    assert "and 5 more classes" in world.channels["mail"].messages[-1].text


def test_searches_that_lag_do_not_lose_or_double_it() -> None:
    store = LaggingStore()
    world = World(store=store)
    world.tracker.note([_old("a", 3)], T0)
    assert _sum_up(world)["findings"] == 1
    store.refresh()
    world.tracker.note([_old("b", 3)], T0 + 2 * HOUR)
    assert _sum_up(world, T0 + 2 * HOUR)["findings"] == 1
    world = world.restarted()
    assert world.tracker.catch_up_done("shop-db", T0 + 4 * HOUR) is None


def test_a_source_with_an_unusual_name() -> None:
    world = World()
    name = "数据库 / prod.eu"
    world.tracker.note([_old("a", 3, source=name)], T0)
    done = world.tracker.catch_up_done(name, T0)
    assert done is not None
    assert done.rows[0].isascii()
    assert "." not in done.rows[0]
    assert world.outbox.deliver(T0).sent == 1
