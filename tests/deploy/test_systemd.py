"""The systemd unit: understood by systemd, and as closed as it can be."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "elkwatch.service"


@pytest.fixture
def systemd_analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no systemd-analyze; .ci/run installs it")
        pytest.skip("there is no systemd-analyze on this machine")
    return found


def _analyze(program: str, *argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *map(str, argv)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _runnable(folder: Path, text: str) -> Path:
    """The unit with a program that exists: systemd looks for it."""
    unit = folder / "elkwatch.service"
    unit.write_text(text.replace("/opt/elkwatch/bin/elkwatch", "/bin/true"), "utf-8")
    return unit


def test_systemd_understands_the_unit(systemd_analyze: str, tmp_path: Path) -> None:
    unit = _runnable(tmp_path, UNIT.read_text("utf-8"))
    done = _analyze(systemd_analyze, "verify", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_tells_of_a_wrong_unit(systemd_analyze: str, tmp_path: Path) -> None:
    text = UNIT.read_text("utf-8").replace("ProtectHome=yes", "ProtectHouse=yes")
    done = _analyze(systemd_analyze, "verify", _runnable(tmp_path, text))
    assert "ProtectHouse" in done.stderr


def test_the_unit_is_closed(systemd_analyze: str) -> None:
    done = _analyze(systemd_analyze, "security", "--offline=true", "--no-pager", UNIT)
    found = re.search(r"exposure level for elkwatch\.service: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= 2.5


def test_wrong_configuration_is_not_tried_again_and_again() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT, "utf-8")
    assert unit["Service"]["RestartPreventExitStatus"] == "2"
    assert unit["Service"]["ExecStart"].endswith(" run")
