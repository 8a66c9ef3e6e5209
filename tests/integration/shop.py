"""The shop's logs for tests of the whole path: usual sessions and odd ones."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from model import Session
from tests.integration.world import World
from tests.model.builders import deadlocked, looping, shop

MINUTE = timedelta(minutes=1)

ODD = {"dead-0": 1, "dead-1": 1, "dead-2": 1, "loop-0": 1, "loop-1": 1}
EPISODES = 2


def moved(session: Session, end: datetime) -> Session:
    """The session, its last event at this time."""
    move = end - session.end
    events = tuple(replace(e, time=e.time + move) for e in session.events)
    return replace(session, events=events)


def recent(sessions: list[Session], ago: timedelta = 5 * MINUTE) -> list[Session]:
    """The sessions, ended some minutes ago, a tenth of a second apart."""
    now = datetime.now(UTC)
    return [
        moved(s, now - ago + i * timedelta(seconds=0.1)) for i, s in enumerate(sessions)
    ]


def trouble(seed: int = 3) -> list[Session]:
    """Thirty usual sessions and those of ODD."""
    rng = random.Random(seed)
    return recent(
        [
            *shop(30, seed=seed + 40),
            *(deadlocked(f"dead-{i}", rng) for i in range(3)),
            *(looping(f"loop-{i}", rng) for i in range(2)),
        ]
    )


def assert_told_once(world: World) -> None:
    """Each odd session is found once and each episode told of once a channel."""
    assert world.finding_counts() == ODD
    assert len(world.mail.counts) == EPISODES
    assert len(world.hook.counts) == EPISODES
    assert world.hook.rejected == []
