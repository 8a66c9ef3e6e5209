"""Kinds that no class fits, found among the findings of a real Elasticsearch."""

from __future__ import annotations

import json
import random

import pytest

from tests.integration.shop import recent
from tests.integration.world import World
from tests.model.builders import FLOW, fill, session, shop

pytestmark = pytest.mark.engine

MELTED = "pump {n} melted"


def test_findings_of_no_class_are_made_into_new_ones(world: World) -> None:
    rng = random.Random(5)
    steps = (FLOW[0], FLOW[1], MELTED, FLOW[4])
    odd = [
        session(f"ada-{i}@example.org", [fill(s, rng) for s in steps]) for i in range(4)
    ]
    world.ship(recent([*shop(40, seed=50), *odd]))
    assert world.run_once().sources[0].progress.created == 4
    world.es.indices.refresh(index=world.findings_stream)
    before = world.command("classes", "discover", "--source", "shop")
    assert "would re-label ada-" in before.stdout
    world.more = {"privacy": {"mask": ["email"]}}
    done = world.command("classes", "discover", "--source", "shop", "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found["new"]
    assert len(set(found["sessions"])) == 4
    assert "@example.org" not in done.stdout, "written before there was a mask"
