"""The documented commands that need a cluster work on one, each as it is written."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from elkwatch.cli.shell import run
from tests.docs.examples import tried, words_of
from tests.integration.shop import recent, trouble
from tests.integration.world import World
from tests.model.builders import shop

#: What a reader replaces by his own.
_MODELS = ("models/shop-db", "models/shop-db-new")


@pytest.fixture
def documented(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with the names that the documents use, and logs of the last minutes."""
    world.source = {"name": "shop-db", "model": _MODELS[0]}
    others = ("shop", "logs")
    world.more_sources = [
        {"name": name, "index": world.index, "session": {"field": "session.id"}}
        for name in others
    ]
    for name in _MODELS:
        shutil.copytree(world.bundle, world.folder / name)
    world.ship([*recent(shop(60, seed=5)), *trouble()])
    world.config()
    monkeypatch.chdir(world.folder)
    return world


@pytest.mark.slow
def test_every_example_works(
    documented: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = {}
    for call in tried("cluster"):
        with monkeypatch.context() as patched:
            words = _arranged(call, documented, patched)
            code = run(words)
        told = capsys.readouterr()
        if code != 0 or not told.out + told.err:  # each of these tells something
            failed[call] = (code, told.err or told.out)
    assert failed == {}
    assert documented.findings()
    assert documented.mail.received
    for name in (
        "report.html",
        "preview/preview.html",
        "elkwatch.ndjson",
        "new/shop.yml",
    ):
        assert (documented.folder / name).stat().st_size > 1000, name


def _here(word: str, world: World) -> str:
    """The address and the folder of an example, as they are here."""
    word = word.replace("http://localhost:9200", world.url)
    return word.replace("/etc/elkwatch/", "")


def _arranged(call: str, world: World, patch: pytest.MonkeyPatch) -> list[str]:
    """The arguments, with what the example takes as given."""
    words = [_here(word, world) for word in words_of(call)]
    if words[0] == "train":
        words += ["--epochs", "1"]
    if words[0] == "backtest":  # days of nothing need no closer look
        words += ["--every", "2h"]
        times = {"2026-11-01": "now-7d", "2026-11-08": "now"}  # when there are logs
        words = [times.get(word, word) for word in words]
    if words[0] == "init":  # it begins where there is no configuration
        fresh = world.folder / "new"
        fresh.mkdir(exist_ok=True)
        patch.chdir(fresh)
        words += [] if "--hosts" in words else ["--hosts", world.url]
    if words[:2] == ["dashboards", "check"] and words[-1] == "-":
        built = io.BytesIO(Path("elkwatch.ndjson").read_bytes())
        patch.setattr(sys, "stdin", io.TextIOWrapper(built))
    return words
