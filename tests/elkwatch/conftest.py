"""Fixtures of the tests of elkwatch itself."""

from __future__ import annotations

import pytest

from tests.elkwatch.bad_input import Command, command_of


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Calls the command line in this process."""
    return command_of(capsys)
