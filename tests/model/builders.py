"""Small made-up sessions for the model's tests."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from model import LogEvent, Session
from model.events import EncodedSession

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FLOW = (
    "connection received: host={ip} port={n}",
    "user {user} logged in",
    "query executed in {n} ms",
    "transaction {n} committed",
    "connection closed",
)


def shop_session(key: str, rng: random.Random, at: datetime = START) -> Session:
    """A normal session: open, one to three queries with their commit, close."""
    steps = [FLOW[0], FLOW[1], *([FLOW[2], FLOW[3]] * rng.randint(1, 3)), FLOW[4]]
    return session(key, [fill(step, rng) for step in steps], at)


def fill(step: str, rng: random.Random) -> str:
    """A message of a step, its values drawn."""
    return step.format(
        ip=f"10.0.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
        n=rng.randint(1, 99_999),
        user=rng.choice(("ada", "bob", "eve")),
    )


def session(key: str, messages: Sequence[str], at: datetime = START) -> Session:
    """A whole session of these messages, ten milliseconds apart."""
    events = tuple(
        LogEvent(at + timedelta(milliseconds=10 * i), message, key, sequence=i)
        for i, message in enumerate(messages)
    )
    return Session(key, events)


def shop(count: int, seed: int = 0) -> list[Session]:
    """Many normal sessions, a second apart."""
    rng = random.Random(seed)
    return [
        shop_session(f"s{seed}-{i}", rng, START + timedelta(seconds=i))
        for i in range(count)
    ]


def deadlocked(key: str, rng: random.Random) -> Session:
    """A session that ends in an error line nobody has seen."""
    steps = [FLOW[0], FLOW[1], FLOW[2], "deadlock detected", FLOW[4]]
    return session(key, [fill(step, rng) for step in steps])


def cut_off(key: str, rng: random.Random) -> Session:
    """A session that stops after its query."""
    steps = [FLOW[0], FLOW[1], FLOW[2]]
    return session(key, [fill(step, rng) for step in steps])


def looping(key: str, rng: random.Random) -> Session:
    """A session that runs the same query over and over."""
    steps = [FLOW[0], FLOW[1], *([FLOW[2]] * 25), FLOW[3], FLOW[4]]
    return session(key, [fill(step, rng) for step in steps])


def encoded(*ids: Iterable[int]) -> list[EncodedSession]:
    """Encoded sessions of these event ids."""
    return [EncodedSession(tuple(each)) for each in ids]
