"""Kinds that no class fits, found among the findings of a real Elasticsearch."""

from __future__ import annotations

import json
import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from model import Session
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


def melted(key: str) -> Session:
    rng = random.Random(key)
    return session(key, [fill(s, rng) for s in (FLOW[0], FLOW[1], MELTED, FLOW[4])])


def classes_of(world: World) -> dict[str, dict[str, Any]]:
    world.es.indices.refresh(index=world.findings_stream)
    hits = world.es.search(index=world.findings_stream, size=100)["hits"]["hits"]
    return {h["_source"]["elkwatch"]["session"]["id"]: h["_source"] for h in hits}


def test_applied_classes_name_old_findings_and_new_ones(
    world: World, tmp_path: Path
) -> None:
    world.bundle = Path(shutil.copytree(world.bundle, tmp_path / "own"))
    world.ship(recent([*shop(40, seed=50), *(melted(f"old-{i}") for i in range(4))]))
    assert world.run_once().sources[0].progress.created == 4
    before = classes_of(world)
    done = world.command(
        "classes", "discover", "--source", "shop", "--apply", "--relabel", "--json"
    )
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found["relabelled"] == 4
    for key, after in classes_of(world).items():
        own, first = after["elkwatch"], before[key]["elkwatch"]
        assert own["class"]["id"] == after["rule"]["id"] == found["class_id"]
        assert (own["class"]["known"], own["revision"]) == (True, 1)
        assert own["class"]["before"] == first["class"]["id"] == "new-event"
        assert own["class"]["name"] in after["message"]
        assert own["evidence"] == first["evidence"]
    shown = world.command("classes", "show", found["class_id"], "--source", "shop")
    assert "taken on" in shown.stdout
    assert "relabelled in 4 findings" in shown.stdout
    world.ship(recent([melted("new-1")], timedelta(seconds=40)))
    assert world.run_once().sources[0].progress.created == 1
    new = classes_of(world)["new-1"]["elkwatch"]
    assert (new["class"]["id"], new["class"]["known"]) == (found["class_id"], True)
    assert "before" not in new["class"]
    again = world.command("classes", "discover", "--source", "shop", "--json")
    assert json.loads(again.stdout) == []
