"""Delivery: once, in order, each channel on its own; retried, dead, replayed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from alerting import (
    AlertingConfig,
    DeliveryError,
    DeliveryRules,
    InMemoryAlertStore,
    Outbox,
    OutgoingMessage,
    RowError,
    WebhookChannel,
    trial_rows,
)
from alerting.rows import backoff_s, catch_up_row_id, episode_row_id
from tests.alerting.makers import T0, Crash, Recorder, World, minutes, notice


def _fails(**error: Any) -> Callable[[OutgoingMessage], None]:
    """Fails every time, as that error."""
    error = {"recoverable": True, **error}

    def fail(message: OutgoingMessage) -> None:
        raise DeliveryError("it is broken", **error)

    return fail


def _opened(world: World, *ids: str) -> None:
    """One announced episode for each id."""
    for one in ids:
        world.tracker.note([notice(one, fingerprint=f"{one}/x")], world.clock.now())


def test_sent_once() -> None:
    world = World(channels={"mail": Recorder(), "hook": Recorder()})
    _opened(world, "a")
    report = world.outbox.deliver(T0)
    assert (report.sent, report.retried, report.dead, dict(report.held)) == (
        2,
        0,
        0,
        {},
    )
    assert world.outbox.deliver(T0).attempts == ()
    assert world.restarted().outbox.deliver(T0 + minutes(60)).attempts == ()
    assert len(world.channels["mail"].ids) == 1


def test_a_failing_channel_is_retried_and_stops_nobody_else() -> None:
    broken, well = Recorder(before=_fails()), Recorder()
    world = World(channels={"mail": broken, "hook": well})
    _opened(world, "a", "b", "c")
    report = world.outbox.deliver(T0)
    assert (report.sent, report.retried) == (3, 1)
    assert dict(report.held) == {"channel mail: it is broken": 2}
    assert len(well.ids) == 3
    broken.before = lambda message: None
    world.clock.forward(minutes(2))
    assert world.outbox.deliver(world.clock.now()).sent == 3


def test_backoff_doubles_up_to_its_bound_with_jitter() -> None:
    rules = DeliveryRules(backoff_s=30, backoff_max_s=600)
    assert [backoff_s(n, 1.0, rules) for n in range(1, 8)] == [
        30,
        60,
        120,
        240,
        480,
        600,
        600,
    ]
    assert backoff_s(1, 0.0, rules) == 15
    assert backoff_s(10**6, 1.0, rules) == 600


def test_a_retry_waits_for_its_time() -> None:
    world = World(channels={"mail": Recorder(before=_fails())})
    _opened(world, "a")
    (first,) = world.outbox.deliver(T0).attempts
    assert first.outcome == "retry"
    assert first.next_attempt_at is not None
    assert timedelta(seconds=29) < first.next_attempt_at - T0 <= timedelta(seconds=30)
    assert world.outbox.deliver(T0 + timedelta(seconds=20)).attempts == ()
    world.clock.forward(timedelta(seconds=31))
    (second,) = world.outbox.deliver(world.clock.now()).attempts
    assert second.attempt == 2
    assert second.next_attempt_at is not None
    wait = second.next_attempt_at - world.clock.now()
    assert timedelta(seconds=59) < wait <= timedelta(seconds=60)


def test_the_receivers_wish_to_wait_holds_the_whole_channel() -> None:
    busy = Recorder(before=_fails(retry_after_s=600.0))
    world = World(channels={"hook": busy})
    _opened(world, "a", "b")
    (attempt,) = world.outbox.deliver(T0).attempts
    assert attempt.next_attempt_at is not None
    wait = attempt.next_attempt_at - T0
    assert timedelta(seconds=600) <= wait <= timedelta(seconds=660)
    busy.before = lambda message: None
    world.clock.forward(minutes(9))
    report = world.outbox.deliver(world.clock.now())
    assert report.attempts == ()
    assert dict(report.held) == {
        "channel hook: its receiver asked to wait until 10:10:59 UTC": 1
    }
    world.clock.forward(minutes(2))
    assert world.outbox.deliver(world.clock.now()).sent == 2


def test_refused_for_good_is_dead_visible_and_replayable() -> None:
    refusing = Recorder(before=_fails(recoverable=False))
    world = World(channels={"hook": refusing})
    _opened(world, "a", "b")
    report = world.outbox.deliver(T0)
    assert report.dead == 2, "the second is tried too: the first is no sign of it"
    dead = world.outbox.rows(["dead"])
    assert [row.reason for row in dead] == ["it is broken"] * 2
    assert world.outbox.deliver(T0 + minutes(90)).attempts == ()

    refusing.before = lambda message: None
    world.clock.forward(timedelta(days=9))
    world = world.restarted()
    replayed = world.outbox.replay(dead[0].row_id, world.clock.now())
    assert replayed.reason == "replayed; before: it is broken"
    (attempt,) = world.outbox.deliver(world.clock.now()).attempts
    assert (attempt.outcome, attempt.attempt) == ("sent", 2)
    assert refusing.ids == [dead[0].row_id]


def test_what_cannot_be_replayed() -> None:
    world = World()
    _opened(world, "a")
    (row,) = world.outbox.rows()
    with pytest.raises(RowError, match="is pending: only dead or dropped"):
        world.outbox.replay(row.row_id, T0)
    with pytest.raises(RowError, match="no outbox row nope"):
        world.outbox.replay("nope", T0)


def test_given_up_after_so_many_attempts() -> None:
    world = World(
        channels={"mail": Recorder(before=_fails())},
        rules=DeliveryRules(max_attempts=3, backoff_s=1),
    )
    _opened(world, "a")
    outcomes = []
    for _ in range(5):
        report = world.outbox.deliver(world.clock.now())
        outcomes += [(one.outcome, one.reason) for one in report.attempts]
        world.clock.forward(minutes(1))
    assert outcomes == [
        ("retry", "it is broken"),
        ("retry", "it is broken"),
        ("dead", "given up after 3 attempts: it is broken"),
    ]
    (row,) = world.outbox.rows(["dead"])
    world.outbox.replay(row.row_id, world.clock.now())
    (again,) = world.outbox.deliver(world.clock.now()).attempts
    assert (again.outcome, again.attempt) == ("retry", 4), "a replay counts anew"


def test_given_up_after_max_age() -> None:
    world = World(
        channels={"mail": Recorder(before=_fails())},
        rules=DeliveryRules(max_age=timedelta(hours=6)),
    )
    _opened(world, "a", "b")
    dead = []
    while world.clock.now() < T0 + timedelta(hours=9):
        dead += [
            one.reason
            for one in world.outbox.deliver(world.clock.now()).attempts
            if one.outcome == "dead"
        ]
        world.clock.forward(minutes(10))
    assert len(dead) == 2
    assert dead[0] == "given up, not delivered within 6 h: it is broken"
    assert world.outbox.rows(["pending", "sending"]) == []


def test_after_a_long_stop_a_row_is_tried_at_least_once() -> None:
    world = World()
    _opened(world, "a")
    world.clock.forward(timedelta(days=3))
    assert world.restarted().outbox.deliver(world.clock.now()).sent == 1


def test_the_order_within_an_episode_holds() -> None:
    """The opening failed; the resolution must not overtake it."""
    mail = Recorder(before=_fails())
    world = World(channels={"mail": mail})
    _opened(world, "a")
    world.outbox.deliver(T0)
    world.tracker.advance("shop-db", T0 + minutes(30), T0 + timedelta(seconds=5))
    report = world.outbox.deliver(T0 + timedelta(seconds=5))
    assert report.attempts == ()
    assert dict(report.held) == {
        "an earlier message of the same episode is not sent yet": 1
    }
    mail.before = lambda message: None
    world.clock.forward(minutes(1))
    assert world.outbox.deliver(world.clock.now()).sent == 2
    assert mail.kinds == ["opened", "resolved"]


def test_a_dead_opening_does_not_hold_the_resolution() -> None:
    mail = Recorder(before=_fails(recoverable=False))
    world = World(channels={"mail": mail})
    _opened(world, "a")
    world.outbox.deliver(T0)
    mail.before = lambda message: None
    world.tracker.advance("shop-db", T0 + minutes(30), T0 + minutes(1))
    world.outbox.deliver(T0 + minutes(1))
    assert mail.kinds == ["resolved"]


def test_a_reminder_that_was_overtaken_is_dropped_visibly() -> None:
    mail = Recorder()
    world = World(channels={"mail": mail})
    world.tracker.note([notice("a")], T0)
    world.outbox.deliver(T0)
    mail.before = _fails()
    later = world.clock.forward(timedelta(hours=5))
    world.tracker.note([notice("b", later)], later)
    world.outbox.deliver(later)
    mail.before = lambda message: None
    over = world.clock.forward(timedelta(hours=1))
    world.tracker.advance("shop-db", over, over)
    report = world.outbox.deliver(over)
    assert [(one.kind, one.outcome) for one in report.attempts] == [
        ("ongoing", "dropped"),
        ("resolved", "sent"),
    ]
    (dropped,) = world.outbox.rows(["dropped"])
    assert dropped.reason == "overtaken by transition 3 of the same episode"


def test_two_processes_never_both_send() -> None:
    """The second delivers while the first is in the middle of sending."""
    store = InMemoryAlertStore()
    seen: list[int] = []
    other = World(store=store, channels={"mail": Recorder()})

    def meanwhile(message: OutgoingMessage) -> None:
        seen.append(other.outbox.deliver(T0).sent)

    one = World(store=store, channels={"mail": Recorder(before=meanwhile)})
    _opened(one, "a")
    assert one.outbox.deliver(T0).sent == 1
    assert seen == [0]
    assert other.channels["mail"].ids == []


def test_who_may_not_go_on_claims_nothing_more() -> None:
    """Asked before each message, not for those that are not due."""
    mail = Recorder()
    world = World(channels={"mail": mail})
    _opened(world, "a", "b", "c")
    answers = [True, False]
    report = world.outbox.deliver(T0, may_go_on=lambda: answers.pop(0))
    assert answers == []
    assert report.sent == len(mail.ids) == 1
    assert [row.state for row in world.outbox.rows(["pending"])] == ["pending"] * 2
    assert world.outbox.deliver(T0).sent == 2


def test_a_claim_lost_to_another_process_is_not_sent() -> None:
    """Between reading the row and claiming it, somebody else claims it."""

    class Racing(InMemoryAlertStore):
        rival: Outbox | None = None

        def replace(self, stored: Any, body: Any) -> Any:
            rival, self.rival = self.rival, None
            if rival is not None:
                rival.deliver(T0)
            return super().replace(stored, body)

    store = Racing()
    rival = World(store=store)
    world = World(store=store)
    _opened(world, "a")
    store.rival = rival.outbox
    report = world.outbox.deliver(T0)
    assert report.attempts == ()
    assert dict(report.held) == {"another process took it": 1}
    assert len(rival.channels["mail"].ids) == 1
    assert world.channels["mail"].ids == []


@pytest.mark.parametrize("alone", [True, False])
def test_what_a_dead_run_was_sending_is_due_again(alone: bool) -> None:
    def die(message: OutgoingMessage) -> None:
        raise Crash

    world = World(channels={"mail": Recorder(before=die)}, alone=alone)
    _opened(world, "a")
    with pytest.raises(Crash):
        world.outbox.deliver(T0)
    world = world.restarted(channels={"mail": Recorder()})
    assert world.outbox.deliver(T0 + minutes(1)).sent == (1 if alone else 0)
    world.outbox.deliver(T0 + minutes(6))
    assert len(world.channels["mail"].ids) == 1


def test_a_sender_that_was_slow_does_not_undo_anothers_success() -> None:
    """The claim lapsed and the peer sent it; then our own attempt fails."""
    store = InMemoryAlertStore()
    peer = World(store=store)

    def slow(message: OutgoingMessage) -> None:
        peer.clock.forward(minutes(10))
        assert peer.outbox.deliver(peer.clock.now()).sent == 1
        raise DeliveryError("timed out", recoverable=True)

    world = World(store=store, clock=peer.clock, channels={"mail": Recorder(slow)})
    _opened(world, "a")
    world.outbox.deliver(T0)
    (row,) = world.outbox.rows()
    assert row.state == "sent"


def test_a_slow_channel_leaves_the_rest_for_the_next_pass() -> None:
    slow = Recorder()
    world = World(
        channels={"slow": slow, "fast": Recorder()},
        rules=DeliveryRules(channel_budget=timedelta(seconds=25)),
    )
    slow.before = lambda message: (world.clock.forward(timedelta(seconds=9)), None)[1]
    _opened(world, *(f"e{n}" for n in range(6)))
    report = world.outbox.deliver(world.clock.now())
    assert len(slow.ids) == 3
    assert len(world.channels["fast"].ids) == 6
    assert dict(report.held) == {
        "channel slow is slow: the rest waits for next time": 3
    }


def test_the_many_rows_of_a_dead_channel_hide_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("alerting.outbox.MAX_ROWS", 5)
    world = World(channels={"dead": Recorder(before=_fails())})
    _opened(world, *(f"e{n}" for n in range(20)))
    world.outbox.deliver(T0)
    world.clock.forward(minutes(1))
    both = {"dead": world.channels["dead"], "well": Recorder()}
    world = world.restarted(channels=both)
    _opened(world, "new")
    assert world.restarted().outbox.deliver(world.clock.now()).sent == 1


def test_a_bug_in_a_channel_is_a_failed_attempt() -> None:
    def bug(message: OutgoingMessage) -> None:
        raise KeyError("token=geheim")

    world = World(channels={"bad": Recorder(before=bug), "good": Recorder()})
    _opened(world, "a")
    report = world.outbox.deliver(T0)
    assert (report.sent, report.retried) == (1, 1)
    reasons = [one.reason for one in report.attempts if one.outcome == "retry"]
    assert reasons == ["unexpected KeyError in channel bad"]


def test_a_channel_that_is_gone_keeps_its_rows_until_they_age() -> None:
    world = World(channels={"old": Recorder()})
    _opened(world, "a")
    world = world.restarted(channels={"new": Recorder()})
    reason = "channel old is not configured any more"
    assert dict(world.outbox.deliver(T0).held) == {reason: 1}
    (dead,) = world.outbox.deliver(T0 + timedelta(hours=25)).attempts
    assert dead.outcome == "dead"
    assert dead.reason.endswith(reason)


def test_only_the_remaining_recipients_are_owed() -> None:
    some = Recorder(before=_fails(remaining=("b@example.org",)))
    world = World(channels={"mail": some})
    _opened(world, "a")
    world.outbox.deliver(T0)
    some.before = lambda message: None
    world.clock.forward(minutes(1))
    world.restarted().outbox.deliver(world.clock.now())
    assert some.messages[0].remaining == ("b@example.org",)
    assert world.outbox.rows()[0].remaining == ()


def test_every_attempt_is_logged() -> None:
    mail = Recorder(before=_fails())
    world = World(channels={"mail": mail})
    _opened(world, "a")
    world.outbox.deliver(T0)
    mail.before = lambda message: None
    world.clock.forward(minutes(1))
    world.outbox.deliver(world.clock.now())
    (row,) = world.outbox.rows()
    log = world.store.find("deliveries", {"row_id": row.row_id})
    assert [(one.doc_id, one.body["outcome"], one.body["reason"]) for one in log] == [
        (f"{row.row_id}.1", "retry", "it is broken"),
        (f"{row.row_id}.2", "sent", "recorded"),
    ]
    assert log[1].body["attempted_at"] == "2026-03-04T10:01:00+00:00"


def test_a_trial_takes_the_production_path() -> None:
    config = AlertingConfig(
        channels=(WebhookChannel(name="mail", url="https://example.org/x"),)
    )
    world = World()
    _opened(world, "a")
    ids = world.outbox.owe(trial_rows(config, T0))
    report = world.outbox.deliver(T0, only=ids)
    assert [(one.row_id, one.outcome) for one in report.attempts] == [(ids[0], "sent")]
    (message,) = world.channels["mail"].messages
    assert message.document["test"] is True
    assert message.subject.startswith("[elkwatch] [test] HIGH")
    assert "This is a test message" in message.text


def test_ids_are_fit_for_headers() -> None:
    assert episode_row_id("e", 3, "ops-mail") == "e-3-ops-mail"
    odd = {episode_row_id("e", 3, name) for name in ("a.b", "a_b", "a b", "é", "è")}
    assert len(odd) == 5
    assert all(one.isascii() and "." not in one and " " not in one for one in odd)
    assert catch_up_row_id("shop-db", 2, "hook") == "catchup-shop-db-2-hook"
