"""Where an engine lies, and as whom it runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from elkwatch.engine import place
from elkwatch.engine.errors import EngineConfigError
from tests.elkwatch.engine.marks import as_root


def test_a_directory_is_reached_only_through_open_parents(tmp_path: Path) -> None:
    stranger = place.RunAs(64_999, 64_999)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a").chmod(0o700)
    assert not place.reachable(inner, stranger)
    assert place.reachable(inner, None)
    assert place.reachable(Path("/"), stranger)


def test_the_environment_chooses_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ELKWATCH_CACHE", str(tmp_path / "here"))
    assert place.root_directory(None) == tmp_path / "here"


def test_a_cache_that_everybody_may_write_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setenv("ELKWATCH_CACHE", str(tmp_path))
    with pytest.raises(EngineConfigError, match="everybody may write"):
        place.root_directory(None)


def test_a_cache_out_of_reach_is_refused_and_not_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("ELKWATCH_CACHE", str(tmp_path / "here"))
    with pytest.raises(EngineConfigError, match="may not enter"):
        place.root_directory(place.RunAs(64_999, 64_999))
    assert not (tmp_path / "here").exists()


def test_a_closed_home_makes_way_for_a_directory_of_our_own(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    stranger = place.RunAs(64_999, 64_999)
    home = open_directory / "home"
    home.mkdir(mode=0o700)
    monkeypatch.delenv("ELKWATCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setattr(place, "_OPEN_PLACES", (open_directory,))
    ours = open_directory / f"elkwatch-{os.geteuid()}"
    assert place.root_directory(stranger) == ours
    assert list(home.iterdir()) == []
    home.chmod(0o755)
    assert place.root_directory(stranger) == home / "elkwatch"


@as_root
def test_a_fallback_that_somebody_else_made_is_refused(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    monkeypatch.delenv("ELKWATCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    monkeypatch.setattr(place, "_OPEN_PLACES", (open_directory,))
    squatted = open_directory / "elkwatch-0"
    squatted.mkdir()
    os.chown(squatted, 1234, 1234)
    with pytest.raises(EngineConfigError, match="belongs to another user"):
        place.root_directory(place.RunAs())


@as_root
def test_root_runs_it_as_nobody_or_as_the_owner_of_the_data(tmp_path: Path) -> None:
    assert place.run_as_for(None) == place.RunAs(65534, 65534)
    assert place.run_as_for(tmp_path / "absent") == place.RunAs(65534, 65534)
    assert place.run_as_for(tmp_path) == place.RunAs(65534, 65534)
    os.chown(tmp_path, 1234, 1235)
    assert place.run_as_for(tmp_path) == place.RunAs(1234, 1235)
