"""A source whose sessions are judged by another detector, on a real Elasticsearch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from elkwatch.compose import compose
from elkwatch.config import load_config
from model import NO_LABELS, DetectorError, fit_detectors, save_bundle, train
from tests.integration.shop import trouble
from tests.integration.world import World
from tests.model.builders import shop
from tests.model.conftest import CONFIG

pytestmark = pytest.mark.engine


def test_a_source_finds_by_the_detectors_it_names(world: World) -> None:
    logs, folder = shop(200), world.folder / "own"
    model = train(logs, CONFIG)
    others = fit_detectors(model, ["pca", "sigma"], logs, NO_LABELS)
    save_bundle(model, folder, now=datetime.now(UTC), detectors=others)
    choice = {"ensemble": ["pca", "sigma"], "rule": "majority"}
    world.source = {"model": str(folder), "detector": choice}
    world.ship(trouble())
    tick = world.run_once()
    assert tick.sources[0].failure is None
    assert tick.sources[0].progress.sessions == 35
    found = {f["elkwatch"]["session"]["id"]: f["elkwatch"] for f in world.findings()}
    assert [name for name in found if "dead" in name]
    assert len(found) < 10
    for finding in found.values():
        assert finding["threshold"] == 1.0
        assert finding["score"] > 1.0
        assert finding["risk"] > 50
        assert finding["evidence"]
    assert world.run_once().sources[0].progress.created == 0


def test_a_source_does_not_start_without_its_detector(world: World) -> None:
    world.source = {"detector": "pca"}
    with pytest.raises(DetectorError, match=r"--detector pca"):
        compose(load_config(world.config(), {}), world.clock, device="cpu")
