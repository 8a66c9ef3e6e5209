"""`elkwatch train --from-es` on a real engine: a bundle and the page that judges it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from model import load_bundle
from tests.elkwatch.html_page import Page
from tests.integration.shop import recent
from tests.integration.world import World
from tests.model.builders import shop

pytestmark = pytest.mark.engine


def test_a_source_is_learned_and_its_page_says_so(world: World) -> None:
    world.prepare()
    world.ship(recent(shop(60), timedelta(minutes=30)))
    out = world.folder / "learned"
    done = world.command(
        "train", "--from-es", "shop", "--from", "now-1h", "--out", str(out),
        "--epochs", "2", "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"report: {out / 'report.html'}" in done.stdout
    page = Page((out / "report.html").read_text("utf-8"))
    assert page.open == []
    assert f"Model {load_bundle(out).version}" in page.text
    assert "60 sessions" in page.text
    assert "Only 60 sessions" in page.text
