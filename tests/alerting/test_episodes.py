"""The life of episodes through the tracker: what is opened, counted, owed, resolved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerting import EpisodeTracker, Policy, StoreBusy
from alerting.episode import Episode
from tests.alerting.makers import (
    T0,
    ContestedStore,
    LaggingStore,
    Recorder,
    World,
    minutes,
    notice,
)


def _only(tracker: EpisodeTracker) -> Episode:
    (episode,) = tracker.episodes()
    return episode


def _owed(world: World) -> list[tuple[str, int]]:
    rows = sorted(world.outbox.rows(), key=lambda row: (row.created_at, row.sequence))
    return [(row.kind, row.sequence) for row in rows]


def test_a_finding_opens_an_episode_and_owes_each_channel() -> None:
    world = World(channels={"mail": Recorder(), "hook": Recorder()})
    (transition,) = world.tracker.note([notice("a")], T0)
    assert transition.kind == "opened"
    assert transition.notified
    assert transition.reason == "opened: episode 1"
    assert sorted(transition.rows) == sorted(
        f"{transition.episode_id}-1-{name}" for name in ("mail", "hook")
    )
    episode = _only(world.tracker)
    assert (episode.state, episode.number, episode.sequence) == ("opened", 1, 1)
    assert episode.announced


def test_more_findings_are_counted_and_owe_nothing() -> None:
    world = World()
    world.tracker.note([notice("a")], T0)
    (transition,) = world.tracker.note([notice("b", T0 + minutes(2))], T0 + minutes(3))
    assert (transition.kind, transition.notified) == ("ongoing", False)
    assert transition.reason == "counted: no reminder before 2026-03-04 14:00:00 UTC"
    episode = _only(world.tracker)
    assert (episode.state, episode.findings, episode.sequence) == ("ongoing", 2, 1)
    assert _owed(world) == [("opened", 1)]


def test_a_reminder_after_repeat_interval_if_it_goes_on() -> None:
    world = World(policy=Policy(repeat_interval=timedelta(hours=2)))
    world.tracker.note([notice("a")], T0)
    later = T0 + timedelta(hours=2)
    assert world.tracker.note([notice("a")], later) == []
    (transition,) = world.tracker.note([notice("b", later)], later)
    assert (transition.kind, transition.sequence) == ("ongoing", 2)
    assert transition.reason == "reminder: still going on 2 h later"
    world.tracker.note([notice("c", later)], later + minutes(1))
    assert _owed(world) == [("opened", 1), ("ongoing", 2)]


def test_findings_of_one_call_make_one_transition() -> None:
    world = World()
    told = [notice(one, T0 + minutes(at)) for at, one in enumerate("abc")]
    (transition,) = world.tracker.note(told, T0 + minutes(3))
    assert transition.kind == "opened"
    assert _only(world.tracker).findings == 3
    assert _owed(world) == [("opened", 1)]


def test_resolved_only_by_the_sources_own_quiet_time() -> None:
    world = World(policy=Policy(resolve_after=minutes(15)))
    world.tracker.note([notice("a")], T0)
    much_later = T0 + timedelta(days=2)
    assert world.tracker.advance("shop-db", T0 + minutes(15), much_later) == []
    assert world.tracker.advance("other", T0 + minutes(99), much_later) == []
    (transition,) = world.tracker.advance("shop-db", T0 + minutes(16), much_later)
    assert (transition.kind, transition.sequence) == ("resolved", 2)
    assert transition.reason == "resolved: quiet for 15 min of delivered logs"
    episode = _only(world.tracker)
    assert (episode.state, episode.resolution) == ("resolved", "quiet")
    assert world.tracker.advance("shop-db", T0 + minutes(99), much_later) == []
    assert _owed(world) == [("opened", 1), ("resolved", 2)]


def test_a_later_finding_opens_the_next_number() -> None:
    world = World()
    for number in range(1, 6):
        at = T0 + timedelta(hours=number)
        (opened,) = world.tracker.note([notice(f"f{number}", at)], at)
        assert (opened.kind, opened.number) == ("opened", number)
        (over,) = world.tracker.advance("shop-db", at + minutes(20), at + minutes(21))
        assert over.number == number
        world = world.restarted()
    assert [e.number for e in world.tracker.episodes()] == [1, 2, 3, 4, 5]
    assert len({e.episode_id for e in world.tracker.episodes()}) == 5


def test_a_late_finding_of_a_resolved_episode_joins_it_silently() -> None:
    world = World()
    world.tracker.note([notice("a"), notice("b", T0 + minutes(5))], T0 + minutes(5))
    world.tracker.advance("shop-db", T0 + minutes(30), T0 + minutes(30))
    late = notice("late", T0 + minutes(3))
    (transition,) = world.tracker.note([late], T0 + minutes(31))
    assert (transition.kind, transition.notified) == ("amended", False)
    assert "belongs to episode 1, which is resolved" in transition.reason
    assert _only(world.tracker).findings == 3
    (opened,) = world.tracker.note([notice("c", T0 + minutes(31))], T0 + minutes(32))
    assert opened.number == 2


@pytest.mark.parametrize("restart", [True, False])
def test_replays_change_nothing(restart: bool) -> None:
    world = World()
    told = [notice("a"), notice("b", T0 + minutes(1))]
    world.tracker.note(told, T0 + minutes(2))
    before = world.tracker.episodes()
    if restart:
        world = world.restarted()
    later = T0 + timedelta(hours=9)
    assert world.tracker.note(told[:1], later) == []
    assert world.tracker.note(told, later) == []
    assert (
        world.tracker.note([replace(t, detected_at=later) for t in told], later) == []
    )
    assert world.tracker.episodes() == before
    assert _owed(world) == [("opened", 1)]


def test_a_replay_over_a_resolved_episode_opens_nothing() -> None:
    world = World()
    first = notice("a")
    world.tracker.note([first], T0)
    world.tracker.advance("shop-db", T0 + minutes(30), T0 + minutes(30))
    second = notice("b", T0 + minutes(40))
    world.tracker.note([second], T0 + minutes(41))
    world = world.restarted()
    assert world.tracker.note([first], T0 + minutes(42)) == []
    assert world.tracker.note([first, second], T0 + minutes(42)) == []
    assert [e.findings for e in world.tracker.episodes()] == [1, 1]


def test_an_amended_finding_makes_no_second_alert() -> None:
    world = World()
    world.tracker.note([notice("a")], T0)
    grown = notice("a", T0 + minutes(9), risk=99)
    (transition,) = world.tracker.note([grown], T0 + minutes(10))
    assert (transition.kind, transition.notified) == ("amended", False)
    episode = _only(world.tracker)
    assert (episode.findings, episode.risk) == (1, 99)
    assert episode.last_seen == T0 + minutes(9)
    assert _owed(world) == [("opened", 1)]


def test_the_same_finding_twice_in_one_call_counts_once_the_last_time() -> None:
    world = World()
    world.tracker.note([notice("a", risk=60), notice("a", risk=70)], T0)
    episode = _only(world.tracker)
    assert (episode.findings, episode.risk) == (1, 70)


@pytest.mark.parametrize("restart", [True, False])
def test_a_finding_that_moves_to_another_class_leaves_its_episode(
    restart: bool,
) -> None:
    world = World()
    world.tracker.note([notice("a"), notice("b")], T0)
    if restart:
        world = world.restarted()
    moved = notice("b", fingerprint="c08/shop-db", class_id="c08")
    left, opened = world.tracker.note([moved], T0 + minutes(1))
    assert (left.kind, left.fingerprint) == ("amended", "c07/shop-db")
    assert left.reason == "amended: 1 finding now of another class"
    assert (opened.kind, opened.fingerprint) == ("opened", "c08/shop-db")
    counts = {e.class_id: (e.findings, e.withdrawn) for e in world.tracker.episodes()}
    assert counts == {"c07": (1, 1), "c08": (1, 0)}
    assert world.tracker.note([moved], T0 + minutes(2)) == []


@pytest.mark.parametrize("restart", [True, False])
def test_all_withdrawn_resolves_and_tells_those_who_were_told(restart: bool) -> None:
    world = World()
    world.tracker.note([notice("a"), notice("b")], T0)
    if restart:
        world = world.restarted()
    gone = [notice(one, status="withdrawn") for one in "ab"]
    (first,) = world.tracker.note(gone[:1], T0 + minutes(1))
    assert (first.kind, first.notified) == ("amended", False)
    (second,) = world.tracker.note(gone[1:], T0 + minutes(1))
    assert (second.kind, second.notified) == ("resolved", True)
    assert second.reason == "withdrawn: 1 finding withdrawn, none is left"
    assert _only(world.tracker).resolution == "withdrawn"
    assert world.tracker.note(gone, T0 + minutes(2)) == []
    assert _owed(world) == [("opened", 1), ("resolved", 2)]


def test_withdrawn_without_having_been_told_is_silent() -> None:
    world = World()
    world.tracker.note([notice("a", T0 - timedelta(hours=5))], T0)
    (transition,) = world.tracker.note([notice("a", status="withdrawn")], T0)
    assert (transition.kind, transition.notified) == ("resolved", False)
    assert transition.reason.endswith("; nobody had been told of it")
    assert world.tracker.catch_up_done("shop-db", T0) is None
    assert _owed(world) == []


def test_withdrawing_what_was_never_told_is_nothing() -> None:
    world = World()
    assert world.tracker.note([notice("a", status="withdrawn")], T0) == []
    assert world.tracker.episodes() == []


def test_a_class_that_comes_back_after_withdrawal_is_a_new_episode() -> None:
    world = World()
    world.tracker.note([notice("a")], T0)
    world.tracker.note([notice("a", status="withdrawn")], T0)
    (again,) = world.tracker.note([notice("a")], T0 + minutes(1))
    assert (again.kind, again.number, again.notified) == ("opened", 2, True)


def test_sources_never_share_an_episode() -> None:
    world = World()
    world.tracker.note([notice("a"), notice("b", source="other")], T0)
    assert sorted(e.source for e in world.tracker.episodes()) == ["other", "shop-db"]


def test_old_findings_open_silently_until_a_recent_one_joins() -> None:
    world = World()
    old = notice("old", T0 - timedelta(hours=2))
    (silent,) = world.tracker.note([old], T0)
    assert (silent.kind, silent.notified) == ("opened", False)
    assert silent.reason == "suppressed: older than max_alert_age (1 h)"
    assert not _only(world.tracker).announced
    (joined,) = world.tracker.note([notice("old2", T0 - timedelta(hours=1.5))], T0)
    assert (joined.kind, joined.notified) == ("ongoing", False)
    (loud,) = world.tracker.note([notice("new")], T0)
    assert (loud.kind, loud.notified, loud.sequence) == ("opened", True, 1)
    assert loud.reason.startswith("announced: a recent finding joined")
    assert _owed(world) == [("opened", 1)]
    assert _only(world.tracker).findings == 3


def test_a_silent_episode_resolves_silently() -> None:
    world = World()
    world.tracker.note([notice("old", T0 - timedelta(hours=5))], T0)
    (over,) = world.tracker.advance("shop-db", T0 - timedelta(hours=3), T0)
    assert (over.kind, over.notified) == ("resolved", False)
    assert _owed(world) == []


def test_searches_that_lag_do_not_mislead() -> None:
    """Everything within one refresh: found through what this process remembers."""
    store = LaggingStore()
    world = World(store=store)
    world.tracker.note([notice("a"), notice("b")], T0)
    moved = notice("b", fingerprint="c08/shop-db", class_id="c08")
    world.tracker.note([moved], T0)
    (over,) = world.tracker.note([notice("a", status="withdrawn")], T0)
    assert over.kind == "resolved"
    resolved = world.tracker.advance("shop-db", T0 + minutes(20), T0 + minutes(20))
    assert [t.fingerprint for t in resolved] == ["c08/shop-db"]
    assert world.outbox.deliver(T0 + minutes(20)).sent == 4


def test_conflicts_are_read_again_and_decided_again() -> None:
    store = ContestedStore("episodes", times=3)
    world = World(store=store)
    world.tracker.note([notice("a")], T0)
    world.tracker.note([notice("b")], T0)
    assert store.left == 0
    assert _only(world.tracker).findings == 2


def test_conflicts_without_end_are_given_up() -> None:
    world = World(store=ContestedStore("episodes", times=10**6))
    world.tracker.note([notice("a")], T0)
    with pytest.raises(StoreBusy, match="keeps changing; try again"):
        world.tracker.note([notice("b")], T0)
    with pytest.raises(StoreBusy, match="keeps changing; try again"):
        world.tracker.advance("shop-db", T0 + minutes(20), T0)


def test_two_trackers_over_one_store_count_each_finding_once() -> None:
    one = World()
    two = one.restarted()
    one.tracker.note([notice("a")], T0)
    two.tracker.note([notice("a"), notice("b")], T0)
    one.tracker.note([notice("b"), notice("c")], T0)
    assert _only(one.tracker).findings == 3
    assert _owed(one) == [("opened", 1)]


def test_a_notice_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="end has no time zone"):
        notice("a", end=T0.replace(tzinfo=None))
