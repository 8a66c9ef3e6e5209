"""One holder at a time: taken when free, kept by renewing, lost without a doubt."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psutil
import pytest

from connector import (
    InMemoryStateStore,
    Lease,
    LeaseLost,
    Owner,
    StateConflict,
    StateUnavailable,
    Stored,
)
from connector.owner import _started
from tests.connector.samples import NOON

TTL_S = 60.0


class MovedClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Place:
    """A store, a clock, and leases of several processes on it."""

    def __init__(self) -> None:
        self.store = InMemoryStateStore()
        self.clock = MovedClock()

    def lease(self, owner: Owner | None = None) -> Lease:
        owner = owner or Owner.this_process()
        return Lease(self.store, "run", owner, self.clock, TTL_S)

    def body(self) -> Mapping[str, Any]:
        stored = self.store.get("leases", "run")
        assert stored is not None
        return stored.body


@pytest.fixture
def place() -> Place:
    return Place()


def elsewhere() -> Owner:
    """A process of another machine: nothing can be proven of it."""
    return replace(Owner.this_process(), host="other", pid=2, place="other boot pid:1")


def test_one_of_two_gets_it_until_it_is_released(place: Place) -> None:
    first, second = place.lease(), place.lease()
    assert first.acquire()
    assert not second.acquire()
    assert second.token is None
    holder = second.holder()
    assert holder is not None
    assert str(holder) == f"process {first.owner.pid} on host {first.owner.host}"
    first.release()
    assert second.holder() is None
    assert second.acquire()
    assert second.token == 2


def test_an_expired_lease_is_taken_over_and_not_a_moment_before(place: Place) -> None:
    first, second = place.lease(elsewhere()), place.lease()
    first.acquire()
    place.clock.forward(TTL_S - 0.001)
    assert not second.acquire()
    place.clock.forward(0.001)
    assert second.acquire()


def test_renewing_puts_the_end_off(place: Place) -> None:
    first, second = place.lease(elsewhere()), place.lease()
    first.acquire()
    place.clock.forward(TTL_S - 1)
    first.renew()
    place.clock.forward(TTL_S - 1)
    assert not second.acquire()
    assert first.token == 1


def test_each_renewal_writes_something_new(place: Place) -> None:
    lease = place.lease()
    lease.acquire()
    bodies = [place.body()]
    for _ in range(3):
        lease.renew()
        bodies.append(place.body())
    assert [body["renewals"] for body in bodies] == [0, 1, 2, 3]
    assert {body["token"] for body in bodies} == {1}


def test_the_token_rises_with_every_change_of_hands(place: Place) -> None:
    tokens = []
    for _ in range(3):
        lease = place.lease(elsewhere())
        assert lease.acquire()
        tokens.append(lease.token)
        place.clock.forward(TTL_S)
    back = place.lease()
    back.acquire()
    back.release()
    back.acquire()
    assert [*tokens, back.token] == [1, 2, 3, 5]


def test_who_lost_it_can_neither_renew_nor_verify(place: Place) -> None:
    paused, other = place.lease(elsewhere()), place.lease()
    paused.acquire()
    place.clock.forward(TTL_S)
    assert other.acquire()
    with pytest.raises(LeaseLost, match="somebody else took it"):
        paused.verify()
    assert paused.token is None
    with pytest.raises(LeaseLost, match="not held"):
        paused.renew()
    other.verify()


def test_a_renewal_after_the_loss_fails_and_changes_nothing(place: Place) -> None:
    paused, other = place.lease(elsewhere()), place.lease()
    paused.acquire()
    place.clock.forward(TTL_S)
    other.acquire()
    before = place.body()
    with pytest.raises(LeaseLost, match="somebody else took it"):
        paused.renew()
    paused.release()
    assert place.body() == before


def test_a_release_after_the_loss_takes_it_from_nobody(place: Place) -> None:
    paused, other = place.lease(elsewhere()), place.lease()
    paused.acquire()
    place.clock.forward(TTL_S)
    other.acquire()
    paused.release()
    other.verify()


def test_an_expired_lease_that_nobody_took_is_simply_renewed(place: Place) -> None:
    lease = place.lease()
    lease.acquire()
    place.clock.forward(10 * TTL_S)
    lease.verify()
    assert not place.lease().acquire()
    assert lease.token == 1


def test_verify_renews_when_half_the_time_is_over(place: Place) -> None:
    lease = place.lease()
    lease.acquire()
    place.clock.forward(TTL_S / 2)
    lease.verify()
    assert place.body()["renewals"] == 0
    place.clock.forward(1)
    lease.verify()
    assert place.body()["renewals"] == 1


def test_the_lease_of_a_dead_process_is_taken_at_once(place: Place) -> None:
    code = "import time; print('up', flush=True); time.sleep(600)"
    line = [sys.executable, "-c", code]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        owner = _owner_of(process.pid)
        assert place.lease(owner).acquire()
        heir = place.lease()
        assert not heir.acquire()
        process.kill()
        _until_zombie(process.pid)
        assert owner.provably_dead, "killed, though its parent took no note yet"
        process.wait()
    assert heir.acquire()
    assert heir.token == 2


def test_a_process_id_that_was_used_again_is_another_process(place: Place) -> None:
    former = replace(Owner.this_process(), started="1")
    assert former.provably_dead
    place.lease(former).acquire()
    assert place.lease().acquire()


@pytest.mark.parametrize(
    "unknown",
    [
        {"pid": 2**22 + 1, "place": "another machine, boot or container"},
        {"pid": 2**22 + 1, "place": ""},
        {"pid": 2**22 + 1, "started": ""},
    ],
)
def test_what_cannot_be_proven_counts_as_alive(
    place: Place, unknown: dict[str, Any]
) -> None:
    gone = replace(Owner.this_process(), pid=2**22 + 1)
    assert gone.provably_dead
    owner = replace(gone, **unknown)
    assert not owner.provably_dead
    place.lease(owner).acquire()
    assert not place.lease().acquire()


def test_this_process_is_alive() -> None:
    assert not Owner.this_process().provably_dead
    assert Owner.this_process() != Owner.this_process()


class RacedStore(InMemoryStateStore):
    """Before the next replace somebody else writes the document."""

    raced = False

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        if self.raced:
            self.raced = False
            current = self.get(stored.kind, stored.doc_id)
            assert current is not None
            super().replace(current, {**current.body, "owner": "x", "token": 9})
        return super().replace(stored, body)


def test_losing_the_race_for_a_free_lease(place: Place) -> None:
    place.store = store = RacedStore()
    first = place.lease()
    first.acquire()
    first.release()
    store.raced = True
    second = place.lease()
    assert not second.acquire()
    assert second.token is None


class DeafStore(InMemoryStateStore):
    """The next replace arrives, but its answer never does."""

    deaf = False

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        written = super().replace(stored, body)
        if self.deaf:
            self.deaf = False
            raise StateUnavailable("no answer")
        return written


def test_an_own_renewal_whose_answer_was_lost_is_no_loss(place: Place) -> None:
    place.store = store = DeafStore()
    lease = place.lease()
    lease.acquire()
    store.deaf = True
    with pytest.raises(StateUnavailable):
        lease.renew()
    lease.renew()
    assert place.body()["renewals"] == 2
    store.deaf = True
    with pytest.raises(StateUnavailable):
        lease.renew()
    lease.release()
    assert place.lease().acquire()


def test_a_stale_version_is_refused_by_the_store(place: Place) -> None:
    lease = place.lease()
    lease.acquire()
    stored = place.store.get("leases", "run")
    assert stored is not None
    lease.renew()
    with pytest.raises(StateConflict):
        place.store.replace(stored, stored.body)


def _owner_of(pid: int) -> Owner:
    return replace(Owner.this_process(), pid=pid, started=_started(pid) or "")


def _until_zombie(pid: int) -> None:
    deadline = time.monotonic() + 10
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
