"""A service that falls silent, on a real Elasticsearch: found and told of once."""

from __future__ import annotations

import random
import signal
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.shop import MINUTE
from tests.integration.world import World
from tests.model.builders import shop_session


@pytest.fixture
def watched(world: World) -> World:
    """A world that is told after ten minutes of silence."""
    world.source = {"silence": {"after": "10m"}, "start": "now-2h"}
    return world


def speak(world: World, service: str, first: datetime, minutes: int) -> None:
    """One usual session a minute of a service."""
    rng = random.Random(hash(first) % 1000)
    world.ship(
        (
            shop_session(f"{service}-{n}-{first:%H%M%S}", rng, first + n * MINUTE)
            for n in range(minutes)
        ),
        service,
    )


def silences(world: World) -> list[tuple[str, str | None]]:
    """Session and service of the findings of silence; there are no others."""
    found = world.findings()
    assert {f["elkwatch"]["pattern"] for f in found} <= {"flatline"}
    return [
        (f["elkwatch"]["session"]["id"], f.get("service", {}).get("name"))
        for f in found
    ]


def subjects(world: World) -> list[str]:
    return [mail.subject for mail in world.mail.received]


@pytest.mark.parametrize("killed", [False, True])
def test_a_service_that_falls_silent_is_found_once_and_ends_when_it_speaks(
    watched: World, *, killed: bool
) -> None:
    world, now = watched, datetime.now(UTC)
    speak(world, "shop", now - 60 * MINUTE, 60)
    speak(world, "pay", now - 60 * MINUTE, 20)
    if killed:
        died = world.killed_at("alerting.episodes", "EpisodeTracker", "note")
        assert died == -signal.SIGKILL
    world.run_once()
    assert silences(world) == [("silence of pay", "pay")]
    assert len(subjects(world)) == 1
    assert "pay fell silent" in subjects(world)[0]
    assert "has been silent for" in world.mail.received[0].text
    speak(world, "shop", now, 2)
    world.clock.ahead = 3 * MINUTE
    world.run_once()
    assert silences(world) == [("silence of pay", "pay")]
    speak(world, "pay", now + 3 * MINUTE, 1)
    world.clock.ahead = 5 * MINUTE
    world.run_once()
    (finding,) = world.findings()
    assert finding["elkwatch"]["status"] == "open"
    ended = datetime.fromisoformat(finding["event"]["end"])
    assert abs(ended - (now + 3 * MINUTE)) < timedelta(seconds=1)
    assert len(subjects(world)) == 1
    speak(world, "shop", now + 4 * MINUTE, 20)
    speak(world, "pay", now + 4 * MINUTE, 20)
    world.clock.ahead = 26 * MINUTE
    world.run_once()
    assert silences(world) == [("silence of pay", "pay")]
    assert len(subjects(world)) == 2
    assert "RESOLVED" in subjects(world)[1].upper()
    assert world.mail.duplicates == world.hook.duplicates == 0


def test_when_nothing_comes_at_all_the_source_is_told_of_and_no_service(
    watched: World,
) -> None:
    world, now = watched, datetime.now(UTC)
    for service in ("shop", "pay", "stock"):
        speak(world, service, now - 60 * MINUTE, 30)
    world.run_once()
    assert silences(world) == []
    for _ in range(2):
        world.clock.ahead += MINUTE
        world.run_once()
    assert silences(world) == [("silence of all services", None)]
    assert len(subjects(world)) == 1


def test_late_lines_withdraw_a_silence(watched: World) -> None:
    world, now = watched, datetime.now(UTC)
    schedule = {"interval": "1s", "query_delay": "1s", "overlap": "15m"}
    world.more = {"schedule": schedule}
    speak(world, "shop", now - 60 * MINUTE, 60)
    speak(world, "pay", now - 60 * MINUTE, 48)
    world.run_once()
    assert silences(world) == [("silence of pay", "pay")]
    speak(world, "pay", now - 11 * MINUTE, 11)
    world.clock.ahead = MINUTE / 2
    world.run_once()
    (finding,) = world.findings()
    assert finding["elkwatch"]["status"] == "withdrawn"
