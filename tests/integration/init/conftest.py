"""Fixtures to call `elkwatch init`."""

from __future__ import annotations

from pathlib import Path

import pytest

from elkwatch.cli.shell import run
from tests.integration.init.calls import Init, Told


@pytest.fixture
def init(
    engine_url: str,
    prefix: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Init:
    """Calls the command, by default on what bears the test's own prefix."""
    monkeypatch.chdir(tmp_path)

    def call(*more: str, url: str = engine_url, pattern: str = f"{prefix}*") -> Told:
        capsys.readouterr()
        code = run(["init", "--hosts", url, "--index", pattern, *more])
        said = capsys.readouterr()
        return Told(code, said.out, said.err, tmp_path / "elkwatch.yml")

    return call
