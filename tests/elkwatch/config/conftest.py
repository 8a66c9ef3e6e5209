"""Fixtures around a configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.elkwatch.config.samples import SECRETS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mail.secret").write_text(SECRETS[1] + "\n")
    return tmp_path
