"""Killed at any write, then started again: every message once, none lost.

Of a request that writes many documents, any of them may have reached the store.

The pipeline commits in this order: findings, ``note``, ``advance``, ``catch_up_done``,
the cursor; then ``deliver``. After a crash it repeats the run whose cursor it did not
save, with the same findings, some time later.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations

import pytest

from alerting import FindingNotice, InMemoryAlertStore, OutgoingMessage
from alerting.rows import row_from
from tests.alerting.makers import (
    T0,
    Crash,
    CrashingStore,
    FakeClock,
    Recorder,
    Wordless,
    World,
    minutes,
    notice,
)

HOUR = timedelta(hours=1)

#: The number of a request to write, and which of its documents reach the store.
Death = tuple[int, tuple[int, ...]]
NONE: Death = (0, ())


@dataclass(frozen=True)
class Run:
    """One pull of the schedule: when, what it found, up to where the source came."""

    at: datetime
    findings: tuple[FindingNotice, ...] = ()
    delivered_until: datetime = T0


def _other(finding_id: str, at: datetime, name: str = "c08") -> FindingNotice:
    return notice(finding_id, at, fingerprint=f"{name}/shop-db", class_id=name)


RUNS = (
    # opened (two classes), one silent class, a catch-up
    Run(
        T0,
        (
            notice("a1"),
            notice("a2"),
            _other("b1", T0),
            _other("old1", T0 - 5 * HOUR, "c20"),
            _other("old2", T0 - 5 * HOUR, "c21"),
        ),
        T0,
    ),
    # counted; b1 moves to another class: its episode is over, a new one opens
    Run(T0 + minutes(5), (notice("a3", T0 + minutes(5)), _other("b1", T0, "c09"))),
    # a reminder; b1 was no anomaly after all
    Run(
        T0 + 4.5 * HOUR,
        (
            notice("a4", T0 + 4.5 * HOUR),
            notice("b1", T0, fingerprint="c09/shop-db", status="withdrawn"),
        ),
        T0 + 4.5 * HOUR,
    ),
    # resolved
    Run(T0 + 5 * HOUR, (), T0 + 5 * HOUR),
    # and again, as the next episode; one more catch-up
    Run(
        T0 + 6 * HOUR,
        (notice("a5", T0 + 6 * HOUR), _other("old3", T0 - 4 * HOUR, "c20")),
        T0 + 6 * HOUR,
    ),
)


@dataclass
class Life:
    """All runs, with one death somewhere."""

    store: InMemoryAlertStore = field(default_factory=InMemoryAlertStore)
    clock: FakeClock = field(default_factory=FakeClock)
    mail: Recorder = field(default_factory=Recorder)
    hook: Recorder = field(default_factory=Recorder)
    crashed: bool = False

    def live(self, death: Death, pause: timedelta) -> list[int]:
        """→ how many documents each request to write had, up to the crash if any."""
        crashing = CrashingStore(self.store, *death)
        world = self._world(crashing)
        for run in RUNS:
            self.clock.time = max(self.clock.time, run.at)
            try:
                self._run(world, run)
            except Crash:
                assert not self.crashed, "it may die only once"
                self.crashed = True
                self.clock.forward(pause)
                world = self._world(self.store)
                self._run(world, run)
        self.clock.forward(2 * HOUR)  # what had to wait for catch_up_interval
        self._run(self._world(self.store), RUNS[-1])
        return crashing.sizes

    def _world(self, store: InMemoryAlertStore | CrashingStore) -> World:
        channels = {"mail": self.mail, "hook": self.hook}
        return World(
            store=store,
            clock=self.clock,
            channels=channels,
            alone=True,
            composer=Wordless(),
        )

    def _run(self, world: World, run: Run) -> None:
        now = self.clock.now()
        world.tracker.note(run.findings, now)
        world.tracker.advance("shop-db", run.delivered_until, now)
        world.tracker.catch_up_done("shop-db", now)
        world.outbox.deliver(now)

    def sent(self) -> list[str]:
        return sorted(self.mail.ids + self.hook.ids)

    def figures(self) -> list[tuple[str, int, str, int, int, int]]:
        """What the episodes say in the end."""
        return sorted(
            (e.class_id, e.number, e.state, e.findings, e.withdrawn, e.silent.pending)
            for e in self._world(self.store).tracker.episodes()
        )


@pytest.fixture(scope="module")
def undisturbed() -> Life:
    life = Life()
    life.live(NONE, minutes(0))
    return life


@pytest.fixture(scope="module")
def deaths() -> list[Death]:
    """Each request to write, with each choice of its documents."""
    sizes = Life().live(NONE, minutes(0))
    assert max(sizes) >= 4, "no request writes many"
    return [
        (at, kept)
        for at, size in enumerate(sizes, 1)
        for count in range(size + 1)
        for kept in combinations(range(size), count)
    ]


def test_the_undisturbed_life(undisturbed: Life) -> None:
    kinds = Counter(undisturbed.mail.kinds)
    assert kinds == {"opened": 4, "ongoing": 1, "resolved": 3, "catch-up": 2}
    assert undisturbed.hook.kinds == undisturbed.mail.kinds
    assert max(Counter(undisturbed.sent()).values()) == 1


def test_killed_at_every_write(undisturbed: Life, deaths: list[Death]) -> None:
    """The same messages as undisturbed, and each once.

    Twice under the same id only where the process died between send and "sent".
    """
    twice = 0
    for death in deaths:
        life = Life()
        life.live(death, minutes(2))
        assert life.crashed, f"not killed at {death}"
        counts = Counter(life.sent())
        assert set(counts) == set(undisturbed.sent()), f"killed at {death}"
        again = [row_id for row_id, count in counts.items() if count > 1]
        assert len(again) <= (not death[1]), f"killed at {death}"
        twice += len(again)
        assert life.figures() == undisturbed.figures(), f"killed at {death}"
        _assert_all_settled(life)
    # Killed before "sent" is stored, a message goes out again; killed after, never.
    assert twice == len(undisturbed.sent())


def test_killed_at_every_write_and_started_hours_later(deaths: list[Death]) -> None:
    """By then the findings are too old to be sent; nothing is doubled or lost.

    What was owed before the crash is sent as owed; the rest is in a catch-up.
    """
    for death in deaths:
        life = Life()
        life.live(death, 3 * HOUR)
        assert life.crashed, f"not killed at {death}"
        for recorder in (life.mail, life.hook):
            _assert_told_once(life, recorder, death)
        _assert_all_settled(life)


def _assert_told_once(life: Life, recorder: Recorder, death: Death) -> None:
    again = [row for row, count in Counter(recorder.ids).items() if count > 1]
    assert len(again) <= 1, f"killed at {death}"
    rows = {m.row_id: m for m in recorder.messages}
    opened = Counter(
        m.document["data"]["episode_id"] for m in rows.values() if m.kind == "opened"
    )
    assert not opened or max(opened.values()) == 1, f"killed at {death}"
    summed_up = sum(
        m.document["data"]["findings"] for m in rows.values() if m.kind == "catch-up"
    )
    episodes = World(store=life.store).tracker.episodes()
    assert summed_up == sum(e.silent.told for e in episodes), f"killed at {death}"
    for episode in episodes:
        assert episode.announced == (episode.episode_id in opened)
        told = episode.announced or episode.silent.told or not episode.findings
        assert told, f"killed at {death}"


def _assert_all_settled(life: Life) -> None:
    rows = [row_from(one.body) for one in life.store.find("outbox", {})]
    assert {row.state for row in rows} == {"sent"}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_in_the_send_itself(undisturbed: Life, moment: str) -> None:
    """It is sent again, under the same id; everything else once."""
    count = len(undisturbed.mail.ids)
    for at in range(count):
        life = Life()
        fuse = iter(range(10**6))

        def blow(message: OutgoingMessage, fuse=fuse, at=at) -> None:  # type: ignore[no-untyped-def]
            if next(fuse) == at:
                raise Crash

        setattr(life.mail, moment, blow)
        life.live(NONE, minutes(2))
        assert life.crashed
        counts = Counter(life.mail.ids)
        assert set(counts) == set(undisturbed.mail.ids)
        assert sum(counts.values()) == count + (moment == "after")
        assert life.hook.ids == undisturbed.hook.ids


def test_an_intent_whose_transition_never_came_is_not_sent() -> None:
    """Killed between row and episode; the finding is withdrawn before the restart."""
    store = InMemoryAlertStore()
    world = World(store=CrashingStore(store, 2))
    with pytest.raises(Crash):
        world.tracker.note([notice("a")], T0)
    world = world.restarted(store=store)
    (row,) = world.outbox.rows()
    assert world.tracker.note([notice("a", status="withdrawn")], T0) == []
    report = world.outbox.deliver(T0)
    assert report.attempts == ()
    assert dict(report.held) == {"its transition has not been stored yet": 1}

    # Another finding takes the place of the one that never was: its news are sent.
    world.tracker.note([notice("b", T0 + minutes(1), risk=99)], T0 + minutes(1))
    report = world.outbox.deliver(T0 + minutes(1))
    assert report.sent == 1
    (message,) = world.channels["mail"].messages
    assert message.row_id == row.row_id
    assert message.document["data"]["risk"] == 99


def test_an_intent_that_stays_one_dies_visibly() -> None:
    store = InMemoryAlertStore()
    world = World(store=CrashingStore(store, 2))
    with pytest.raises(Crash):
        world.tracker.note([notice("a")], T0)
    world = world.restarted(store=store)
    (attempt,) = world.outbox.deliver(T0 + timedelta(hours=25)).attempts
    assert attempt.outcome == "dead"
    assert attempt.reason == (
        "given up after 1 d without delivery: its transition has not been stored yet"
    )


def test_episodes_lost_but_not_the_outbox() -> None:
    """An operator deletes the episodes: old rows must not swallow new alerts."""
    world = World()
    world.tracker.note([notice("a")], T0)
    world.outbox.deliver(T0)
    for key in [key for key in world.store._documents if key[0] == "episodes"]:  # type: ignore[attr-defined]
        del world.store._documents[key]  # type: ignore[attr-defined]
    world = world.restarted()
    (opened,) = world.tracker.note([notice("b", T0 + minutes(9))], T0 + minutes(9))
    assert (opened.number, opened.sequence, opened.notified) == (1, 2, True)
    assert world.outbox.deliver(T0 + minutes(9)).sent == 1
    first, second = world.channels["mail"].messages
    assert first.row_id != second.row_id
    assert second.thread_id == second.row_id
