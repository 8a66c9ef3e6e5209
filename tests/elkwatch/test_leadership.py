"""Who works: taking the lease, keeping it while steps are long, waiting in silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from connector import (
    InMemoryStateStore,
    Lease,
    LeaseLost,
    Owner,
    StateUnavailable,
    Stored,
)
from elkwatch.clock import SystemClock
from elkwatch.errors import LeaseHeldError
from elkwatch.leadership import Leadership

TTL_S = 1.0
FAR = replace(Owner.this_process(), host="far", pid=17, place="elsewhere")


class Away(InMemoryStateStore):
    """A store that is sometimes away."""

    away = False

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        if self.away:
            raise StateUnavailable("nobody answers")
        return super().replace(stored, body)


@pytest.fixture
def store() -> Away:
    return Away()


def lease(store: InMemoryStateStore, owner: Owner, ttl_s: float = TTL_S) -> Lease:
    return Lease(store, "run", owner, SystemClock(), ttl_s)


def leadership(store: InMemoryStateStore, ttl_s: float = TTL_S) -> Leadership:
    return Leadership(lease(store, Owner.this_process(), ttl_s), "prod")


def soon(true: Callable[[], bool]) -> bool:
    """Whether it comes true within seconds."""
    deadline = time.monotonic() + 10
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_the_lease_is_kept_however_long_a_step_is(store: Away) -> None:
    leader, other = leadership(store), leadership(store)
    assert leader.lead()
    time.sleep(2 * TTL_S)
    assert not other.lead()
    leader.check()
    assert (leader.leads, leader.token) == (True, 1)
    leader.resign()
    assert not leader.leads
    assert other.lead()
    other.resign()


def test_no_thread_is_left_behind(store: Away) -> None:
    leader = leadership(store)
    before = threading.active_count()
    for _ in range(3):
        leader.lead()
        leader.resign()
    assert threading.active_count() == before


def test_an_outage_between_renewals_is_survived(store: Away) -> None:
    leader, other = leadership(store), leadership(store)
    leader.lead()
    store.away = True
    time.sleep(TTL_S / 2)
    store.away = False
    time.sleep(TTL_S)
    assert not other.lead()
    leader.resign()


def test_an_outage_at_the_end_is_no_failure(store: Away) -> None:
    leader = leadership(store)
    leader.lead()
    store.away = True
    leader.resign()
    store.away = False
    assert soon(leadership(store).lead)


def test_who_lost_it_knows_and_may_lead_again(store: Away) -> None:
    leader = leadership(store)
    leader.lead()
    stored = store.get("leases", "run")
    assert stored is not None
    taken = {"owner": "x", "pid": 1, "place": "", "token": 2}
    store.replace(stored, {**stored.body, **taken})
    assert not leader.holds()
    with pytest.raises(LeaseLost):
        leader.check()
    assert not leader.leads
    assert soon(leader.lead)
    assert leader.token == 3
    leader.resign()


def test_standby_says_once_who_works(
    store: Away, capsys: pytest.CaptureFixture[str]
) -> None:
    lease(store, FAR, ttl_s=60).acquire()
    waiting = leadership(store)
    assert [waiting.lead() for _ in range(3)] == [False] * 3
    told = capsys.readouterr()
    line = "standby: process 17 on host far holds the lease"
    assert (told.out + told.err).count(line) == 1


def test_waiting_ends_with_the_name_of_who_works(store: Away) -> None:
    lease(store, FAR, ttl_s=600).acquire()
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    with pytest.raises(LeaseHeldError) as caught:
        leadership(store, ttl_s=30).wait(pause)
    assert 60 <= sum(pauses) <= 61
    assert str(caught.value) == (
        "namespace prod: process 17 on host far does the work (waited 60 s for its "
        "lease); stop it, or leave the work to it"
    )


def test_waiting_ends_when_told_to_stop(store: Away) -> None:
    lease(store, FAR, ttl_s=600).acquire()
    waiting = leadership(store)
    assert not waiting.wait(lambda _: True)
    assert not waiting.leads


def test_waiting_ends_when_the_lease_does(store: Away) -> None:
    lease(store, FAR).acquire()
    waiting = leadership(store, ttl_s=60)
    assert waiting.wait(lambda _: threading.Event().wait(0.1))
    assert waiting.token == 2
    waiting.resign()
