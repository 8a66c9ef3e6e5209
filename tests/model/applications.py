"""Made-up applications: few of each kind, and no two of them alike."""

from __future__ import annotations

import random

from model import Labels, Session
from tests.model.builders import session

STEPS = (
    "job {n} submitted",
    "reading block {n} from {ip}",
    "merging {n} segments of bytes",
    "task attempt {n} transitioned to running",
    "committing output of task {n}",
    "fetcher {n} about to shuffle output",
    "memory limit is {n} bytes now",
    "container {n} launched on node {ip}",
    "progress of attempt is {n} percent",
    "token renewal scheduled in {n} seconds",
    "history event flushed to queue {n}",
    "heartbeat answered by {ip}",
)
SIGNS = {
    "disk": "no space left on device {n}",
    "network": "connection to {ip} was reset by peer",
    "machine": "node {ip} reported lost by scheduler",
}
NORMAL = 8
OF_A_KIND = 6


def application(key: str, rng: random.Random, sign: str | None = None) -> Session:
    """Some of the steps in an order of its own; its sign once, if it has one."""
    steps = rng.sample(STEPS, rng.randint(4, 8))
    lines = [rng.choice(steps) for _ in range(rng.randint(20, 60))]
    if sign is not None:
        lines.insert(rng.randint(1, len(lines) - 1), sign)
    filled = [
        line.format(n=rng.randint(1, 99_999), ip=f"10.0.0.{rng.randint(1, 254)}")
        for line in lines
    ]
    return session(key, filled)


def applications(seed: int = 0) -> tuple[list[Session], Labels]:
    """NORMAL normal ones, OF_A_KIND of each kind, with their labels."""
    rng = random.Random(seed)
    told = {f"n{seed}-{i}": "normal" for i in range(NORMAL)}
    told |= {f"{k}{seed}-{i}": k for k in SIGNS for i in range(OF_A_KIND)}
    made = [application(key, rng, SIGNS.get(kind)) for key, kind in told.items()]
    return made, Labels(told, named=True)
