"""Bundles side by side: which is live, and how another becomes it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from model import (
    BundleError,
    bundle_version,
    candidate_folder,
    promote,
    roll_back,
    shelf,
)
from model.bundle_folder import FORMAT, REQUIRED
from model.bundle_shelf import _exchange, put_instead


def made(folder: Path, version: str, day: int) -> Path:
    """A bundle as far as its folder goes; its parts are never read here."""
    folder.mkdir(parents=True)
    digests = {}
    for name in REQUIRED:
        (folder / name).write_text(version, "utf-8")
        digests[name] = hashlib.sha256(version.encode()).hexdigest()
    manifest = {
        "format": FORMAT,
        "version": version,
        "trained_at": f"2026-11-{day:02}T12:00:00+00:00",
        "files": digests,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


def told(folder: Path) -> list[tuple[str, str]]:
    return [(one.role, one.version) for one in shelf(folder)]


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A live bundle with two older ones kept; another source's beside them."""
    made(tmp_path / "shop.m1", "m1", 1)
    made(tmp_path / "shop.m2", "m2", 2)
    made(tmp_path / "shop.eu", "other", 9)
    return made(tmp_path / "shop", "m3", 3)


def test_what_is_beside_the_live_one(live: Path) -> None:
    assert told(live) == [("live", "m3"), ("kept", "m2"), ("kept", "m1")]


def test_rolled_back_step_by_step_and_forward_again(live: Path) -> None:
    assert roll_back(live).version == "m2"
    assert told(live) == [("live", "m2"), ("kept", "m3"), ("kept", "m1")]
    assert roll_back(live).version == "m1"
    with pytest.raises(BundleError, match="nothing to roll back to; newer ones"):
        roll_back(live)
    assert promote(live, "m3").version == "m3"
    assert told(live) == [("live", "m3"), ("kept", "m2"), ("kept", "m1")]


def test_a_candidate_becomes_live_and_the_live_one_is_kept(live: Path) -> None:
    with pytest.raises(BundleError, match="no candidate beside it"):
        promote(live)
    for version in ("m4", "m5"):
        place = candidate_folder(live)
        put_instead(made(live.with_name("new"), version, 4), place)
        assert bundle_version(place) == version
    assert promote(live).version == "m5"
    assert told(live)[:2] == [("live", "m5"), ("kept", "m3")]
    assert sorted(p.name for p in live.parent.iterdir()) == [
        "shop", "shop.eu", "shop.m1", "shop.m2", "shop.m3",
    ]  # fmt: skip


def test_a_damaged_one_never_becomes_live(live: Path) -> None:
    (live.with_name("shop.m2") / "model.json").write_text("cut", "utf-8")
    with pytest.raises(BundleError, match=r"model\.json is truncated"):
        roll_back(live)
    assert bundle_version(live) == "m3"


@pytest.mark.parametrize("version", ["m", "m9", ""])
def test_a_version_must_name_one(live: Path, version: str) -> None:
    with pytest.raises(BundleError, match="bundle beside it is of version"):
        promote(live, version)


def test_exchanged_also_where_the_system_has_no_such_call(
    live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.bundle_shelf._exchanged_at_once", lambda *_: False)
    other = live.with_name("shop.m2")
    _exchange(other, live)
    assert (bundle_version(live), bundle_version(other)) == ("m2", "m3")
    with pytest.raises(OSError, match="nowhere"):
        _exchange(live.with_name("nowhere"), live)
    assert bundle_version(live) == "m2"


def test_there_is_no_live_one(tmp_path: Path) -> None:
    assert bundle_version(tmp_path / "shop") is None
    with pytest.raises(BundleError, match="there is no such folder"):
        shelf(tmp_path / "shop")
