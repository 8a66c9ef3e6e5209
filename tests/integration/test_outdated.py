"""A release changes what is normal: one message about the model, not one a session."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from model import Session, save_bundle, train
from tests.integration.shop import moved, recent
from tests.integration.world import World
from tests.model.builders import FLOW, deadlocked, fill, session, shop
from tests.model.conftest import CONFIG

pytestmark = pytest.mark.engine

CART, PAYMENT = "cart {n} priced", "payment {n} authorised by {user}"
STATE = "model-outdated"


def release(count: int, seed: int) -> list[Session]:
    """Normal sessions since a release, with two lines of their own."""
    rng = random.Random(seed)
    sessions = []
    for i in range(count):
        steps = [FLOW[0], FLOW[1], CART, *FLOW[2:4] * rng.randint(1, 3)]
        lines = [fill(step, rng) for step in (*steps, PAYMENT, FLOW[4])]
        sessions.append(session(f"r{seed}-{i}", lines))
    return sessions


def test_the_flood_of_a_release_is_held_back_and_told_of_once(world: World) -> None:
    rng = random.Random(3)
    odd = [deadlocked("dead", rng)]
    world.ship(recent([*release(120, 1), *odd]))
    first = world.run_once().sources[0]
    assert first.failure is None
    assert "no template" in first.outdated
    assert first.progress.held_back == 120
    assert _statuses(world) == {"held-back": 120, "open": 2}
    assert len(world.mail.received) == 2
    told = "\n".join(mail.text for mail in world.mail.received)
    assert "  elkwatch train --from-es shop --from now-7d --out models/shop\n" in told
    texts = " ".join(told.split())
    assert "120 of the last 121 sessions" in texts
    assert "deadlock" in texts

    world.clock.ahead = timedelta(minutes=30)
    world.ship([moved(release(1, 2)[0], world.clock.now() - timedelta(seconds=40))])
    again = world.run_once().sources[0]
    assert again.outdated, "the state outlives a restart"
    assert again.progress.held_back == 1
    resolved = [m.text for m in world.mail.received[2:]]
    assert len(resolved) == 1, "quiet logs end the deadlock's episode, not the state's"
    assert "deadlock" in resolved[0]
    assert "out of date" in world.command("doctor").stdout
    run = world.es.search(
        index=f"metrics-elkwatch.run-{world.namespace}",
        query={"term": {"elkwatch.model.outdated": True}},
    )
    assert run["hits"]["total"]["value"] == 2


def test_a_model_that_fits_ends_the_state_with_one_message(world: World) -> None:
    world.ship(recent(release(120, 1)))
    world.run_once()
    assert len(world.mail.received) == 1
    world.bundle = _trained_on(release(200, 7), world.folder / "newer")
    world.clock.ahead = timedelta(seconds=30)
    assert len(_run(world, release(20, 2))) == 1, "too few sessions to say"
    mails = _run(world, release(60, 3))
    assert len(mails) == 2
    assert "OVER: Model out of date" in mails[1]
    assert _statuses(world) == {"held-back": 120, "open": 1}
    assert len(_run(world, release(60, 4))) == 2


def _run(world: World, sessions: list[Session]) -> list[str]:
    """Ships them, lets their sessions end, and runs; → all mails until now."""
    end = world.clock.now() + timedelta(seconds=10)
    world.ship([moved(one, end) for one in sessions])
    world.clock.ahead += timedelta(seconds=40)
    assert world.run_once().sources[0].failure is None
    return [mail.text for mail in world.mail.received]


def test_two_instances_tell_of_the_state_once(world: World) -> None:
    world.ship(recent(release(120, 1)))
    assert world.killed_at("alerting.episodes", "EpisodeTracker", "note", done=True)
    world.run_once()
    world.run_once()
    assert world.finding_counts().most_common(1)[0][1] == 1
    assert len(world.mail.received) == 1
    assert world.mail.duplicates == 0


def test_an_incident_of_known_faults_is_no_drift(world: World) -> None:
    rng = random.Random(5)
    failing = [deadlocked(f"dead{i}", rng) for i in range(60)]
    world.ship(recent([*shop(100, seed=4), *failing]))
    run = world.run_once().sources[0]
    assert run.failure is None
    assert run.outdated == ""
    assert run.progress.held_back == 0
    assert _statuses(world) == {"open": 60}


def _statuses(world: World) -> Counter[str]:
    return Counter(f["elkwatch"]["status"] for f in world.findings())


def _trained_on(sessions: list[Session], folder: Path) -> Path:
    model = train([*sessions, *shop(100, seed=9)], CONFIG)
    save_bundle(model, folder, now=datetime.now(UTC))
    return folder
