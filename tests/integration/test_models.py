"""Another model becomes live under a running service, and goes again."""

from __future__ import annotations

import json
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from elkwatch.service import Service
from model import Session, bundle_version, candidate_folder
from tests.integration.shop import moved, recent
from tests.integration.world import World
from tests.model.builders import cut_off, deadlocked, shop

pytestmark = pytest.mark.engine


def test_a_round_takes_up_what_is_live_and_loses_nothing(world: World) -> None:
    world.bundle = _copy(world.bundle, world.folder / "shop", "older", 1)
    _copy(world.bundle, world.folder / "shop.candidate", "newer", 2)
    open_one = moved(cut_off("open", random.Random(9)), _now() - timedelta(seconds=5))
    world.ship([*recent(shop(20, seed=50)), *_dead("first"), open_one])
    parts = world.parts()
    service = Service(parts, world.clock)
    try:
        first = service.turn()
        assert first is not None
        assert first.sources[0].model_version == "older"
        assert first.sources[0].open_sessions == 1
        done = world.command("models", "promote", "shop")
        assert done.returncode == 0, done.stderr
        world.clock.ahead = timedelta(minutes=1)
        second = service.turn()
    finally:
        service.resign()
        parts.client.close()
    assert second is not None
    assert second.sources[0].failure is None
    assert second.sources[0].model_version == "newer"
    told = json.loads(world.command("models", "compare", "shop", "--json").stdout)
    assert (told["live"], told["candidate"]) == ("older", "newer")
    assert (told["sessions"], told["both"]) == (21, 1)
    assert (told["appear"], told["vanish"], told["failure"]) == (0, 0, None)
    assert world.finding_counts() == {"first": 1, "open": 1}
    assert world.mail.duplicates == 0
    back = world.command("models", "rollback", "shop")
    assert "model older is live again" in back.stdout
    rows = json.loads(world.command("models", "list", "shop", "--json").stdout)
    assert [(r["role"], r["version"]) for r in rows] == [
        ("live", "older"),
        ("kept", "newer"),
    ]


def test_what_people_said_is_learned_in_the_shadow_and_goes_live(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    older = bundle_version(world.bundle)
    shutil.copytree(world.bundle, world.folder / "shop")
    world.bundle = world.folder / "shop"
    world.ship([*recent(shop(40, seed=50)), *_dead("first"), *_dead("second")])
    world.run_once()
    assert world.command_here("feedback", "add", "first", "--false-alarm") == 0
    parts = world.parts()
    service = Service(parts, world.clock)
    try:
        assert world.command_here(
            "train", "--from-es", "shop", "--from", "now-1h", "--shadow",
            "--out", str(world.bundle), "--epochs", "2", "--device", "cpu",
        ) == 0  # fmt: skip
        said = "feedback: 2 sessions labelled by what people said of findings, 2 of"
        assert said in capsys.readouterr().out
        newer = bundle_version(candidate_folder(world.bundle))
        assert newer not in (None, older)
        assert _live(service) == older
        assert world.command_here("models", "promote", "shop") == 0
        assert _live(service) == newer
        assert world.command_here("models", "rollback", "shop") == 0
        assert _live(service) == older
    finally:
        service.resign()
        parts.client.close()
    assert world.finding_counts() == {"first": 1, "second": 1}


def test_a_model_that_cannot_be_loaded_changes_nothing(world: World) -> None:
    world.bundle = _copy(world.bundle, world.folder / "shop", "older", 1)
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    parts = world.parts()
    service = Service(parts, world.clock)
    try:
        manifest = world.bundle / "manifest.json"
        text = manifest.read_text("utf-8").replace("older", "broken")
        manifest.write_text(text, "utf-8")
        (world.bundle / "model.json").write_text("{}", "utf-8")
        tick = service.turn()
    finally:
        service.resign()
        parts.client.close()
    assert tick is not None
    assert tick.sources[0].failure is None
    assert tick.sources[0].model_version == "older"
    assert world.finding_counts() == {"first": 1}


def _live(service: Service) -> str:
    """The model that the next round judges by."""
    tick = service.turn()
    assert tick is not None
    assert tick.failures == []
    return tick.sources[0].model_version


def _copy(bundle: Path, folder: Path, version: str, day: int) -> Path:
    shutil.copytree(bundle, folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest |= {"version": version, "trained_at": f"2026-11-0{day}T00:00:00+00:00"}
    path.write_text(json.dumps(manifest), "utf-8")
    return folder


def _dead(key: str) -> list[Session]:
    return recent([deadlocked(key, random.Random(3))], timedelta(seconds=40))


def _now() -> datetime:
    return datetime.now(UTC)
