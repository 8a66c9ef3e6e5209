"""Fixtures for all tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A temporary directory that every user may enter; pytest's own is private."""
    made = Path(tempfile.mkdtemp(prefix="elkwatch-test-", dir=_open_parent()))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _open_parent() -> Path:
    long_lived = Path("/var/tmp")
    return long_lived if long_lived.is_dir() else Path(tempfile.gettempdir())
