"""Several services on one namespace: one works, the others wait, none writes twice."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest
from elasticsearch import Elasticsearch

from connector import ElasticStateStore, Lease, Owner
from elkwatch.clock import SystemClock
from tests.integration.services import Cut, Running, running, waiting_for
from tests.integration.shop import (
    EPISODES,
    MINUTE,
    ODD,
    assert_told_once,
    moved,
    recent,
    trouble,
)
from tests.integration.world import World
from tests.model.builders import deadlocked, shop, shop_session

TICKS_S = 3.0  # some ticks of a second


def told_both(world: World) -> None:
    waiting_for(
        lambda: len(world.hook.received) >= EPISODES <= len(world.mail.received),
        lambda: f"{len(world.hook.received)} calls, {len(world.mail.received)} mails",
    )


def leader_first(one: Running, other: Running) -> tuple[Running, Running]:
    """The one that works and the one that waits, whichever they are."""
    waiting_for(
        lambda: (
            sum("leading" in each.told for each in (one, other)) == 1
            and sum("standby" in each.told for each in (one, other)) == 1
        ),
        lambda: one.told_all() + other.told_all(),
    )
    return (one, other) if "leading" in one.told else (other, one)


def stored(world: World) -> dict[tuple[str, str], tuple[int, int]]:
    """The version of every document that elkwatch ever wrote here."""
    pattern = ",".join(
        f"{name}-{world.namespace}"
        for name in ("elkwatch-*", "logs-elkwatch.*", "metrics-elkwatch.*")
    )
    world.es.indices.refresh(index=pattern)
    answer = world.es.search(
        index=pattern, size=10_000, seq_no_primary_term=True, source=False
    )
    return {
        (hit["_index"], hit["_id"]): (hit["_seq_no"], hit["_primary_term"])
        for hit in answer["hits"]["hits"]
    }


def settled(world: World) -> dict[tuple[str, str], tuple[int, int]]:
    """The same, once what was on its way from a process now asleep has arrived."""
    before = stored(world)
    while True:
        time.sleep(1)
        after = stored(world)
        if after == before:
            return after
        before = after


def test_two_services_tell_each_thing_once_and_the_other_takes_over(
    world: World,
) -> None:
    world.ship(trouble())
    with running(world) as one, running(world) as other:
        leader, waiting = leader_first(one, other)
        pid, host = leader.process.pid, socket.gethostname()
        line = f"standby: process {pid} on host {host} holds the lease"
        told_both(world)
        time.sleep(TICKS_S)
        assert_told_once(world)
        assert waiting.told.count(line) == 1
        assert "source done" not in waiting.told
        leader.send(signal.SIGTERM)
        assert leader.ended() == 0
        waiting.has_told("leading", "source done")
        world.ship(recent([deadlocked("dead-9", random.Random(1))], ago=MINUTE))
        waiting_for(
            lambda: world.finding_counts() == {**ODD, "dead-9": 1}, waiting.told_all
        )
        waiting.send(signal.SIGTERM)
        assert waiting.ended() == 0
    assert len(world.mail.received) == len(world.hook.received) == EPISODES
    assert world.mail.duplicates == world.hook.duplicates == 0


@pytest.mark.parametrize(
    ("module", "owner", "method"),
    [
        ("connector.sink", "FindingSink", "write"),
        ("alerting.episodes", "EpisodeTracker", "note"),
    ],
)
def test_the_heir_of_a_killed_leader_need_not_wait_for_its_lease(
    world: World, module: str, owner: str, method: str
) -> None:
    world.ship(trouble())
    cut = Cut("SIGKILL", module, owner, method, done=True)
    with running(world, ttl_s=600, cut=cut) as leader:
        leader.has_told("leading")
        with running(world, ttl_s=600) as heir:
            leader.is_in(psutil.STATUS_ZOMBIE)
            heir.has_told("leading", "source done")
            told_both(world)
            time.sleep(TICKS_S)
            heir.send(signal.SIGTERM)
            assert heir.ended() == 0
    assert_told_once(world)
    assert world.mail.duplicates == world.hook.duplicates == 0


def test_a_leader_that_wakes_up_after_its_lease_was_taken_writes_nothing(
    world: World,
) -> None:
    """It sleeps between judging half a session and writing what it takes it for."""
    whole = moved(shop_session("late", random.Random(8)), datetime.now(UTC) - MINUTE)
    half = replace(whole, events=whole.events[:3])
    rest = replace(whole, events=whole.events[3:])
    world.ship([*recent(shop(20, seed=50)), half])
    cut = Cut("SIGSTOP", "model", "Classifier", "classify", done=True)
    with running(world, ttl_s=2, cut=cut) as sleeper:
        sleeper.is_in(psutil.STATUS_STOPPED)
        world.ship([rest])
        with running(world, ttl_s=600) as heir:
            heir.has_told("leading", "source done")
            heir.send(signal.SIGSTOP)
            heir.is_in(psutil.STATUS_STOPPED)
            before = settled(world)
            sleeper.send(signal.SIGCONT)
            sleeper.has_told("on standby again", "standby: process")
            time.sleep(TICKS_S)
            assert stored(world) == before
            sleeper.send(signal.SIGTERM)
            assert sleeper.ended() == 0
            assert stored(world) == before
    assert "source done" not in sleeper.told
    assert world.findings() == []
    assert world.mail.received == []
    assert world.hook.received == []


def test_a_leader_that_sleeps_in_a_message_sends_no_other(world: World) -> None:
    world.ship(trouble())
    sending = Cut(
        "SIGSTOP", "alerting.notifiers.webhook", "WebhookNotifier", "send", done=True
    )
    about_to = Cut("SIGSTOP", "alerting.outbox", "Outbox", "deliver")
    with running(world, ttl_s=2, cut=sending) as sleeper:
        sleeper.is_in(psutil.STATUS_STOPPED)
        sent = len(world.mail.received), len(world.hook.received)
        with running(world, ttl_s=600, cut=about_to) as heir:
            heir.is_in(psutil.STATUS_STOPPED)
            sleeper.send(signal.SIGCONT)
            sleeper.has_told("standby: process")
            time.sleep(TICKS_S)
            assert (len(world.mail.received), len(world.hook.received)) == sent
            heir.send(signal.SIGCONT)
            waiting_for(lambda: len(world.hook.counts) == EPISODES, heir.told_all)
            waiting_for(lambda: len(world.mail.counts) == EPISODES, heir.told_all)
            time.sleep(TICKS_S)
    assert_told_once(world)
    assert world.mail.duplicates == world.hook.duplicates == 0


def test_run_once_says_who_has_the_lease_and_gives_up(
    es: Elasticsearch, world: World
) -> None:
    world.ship(recent(shop(2, seed=50)))
    store = ElasticStateStore(es, world.namespace)
    lease = Lease(store, "run", Owner.this_process(), SystemClock(), ttl_s=600)
    assert lease.acquire()
    began = time.monotonic()
    with running(world, "--once", ttl_s=1) as late:
        assert late.ended() == 1
    assert time.monotonic() - began > 2
    (line,) = [one for one in late.told.splitlines() if one.startswith("elkwatch:")]
    assert f"process {os.getpid()} on host {socket.gethostname()}" in line
    assert world.namespace in line
    lease.release()
    with running(world, "--once", ttl_s=1) as ready:
        assert ready.ended() == 0


def test_of_many_who_want_a_lease_at_once_one_gets_it(
    es: Elasticsearch, world: World
) -> None:
    store, clock = ElasticStateStore(es, world.namespace), SystemClock()
    leases = [Lease(store, "x", Owner.this_process(), clock) for _ in range(6)]
    for round_ in range(3):
        got = _all_at_once(leases)
        assert sorted(got) == [False] * 5 + [True]
        winner = leases[got.index(True)]
        assert winner.token == round_ + 1
        winner.renew()
        winner.verify()
        winner.release()


def _all_at_once(leases: list[Lease]) -> list[bool]:
    got = [False] * len(leases)
    start = threading.Barrier(len(leases))

    def want(at: int) -> None:
        start.wait()
        got[at] = leases[at].acquire()

    threads = [threading.Thread(target=want, args=(at,)) for at in range(len(leases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got
