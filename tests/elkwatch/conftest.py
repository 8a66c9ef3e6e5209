"""Fixtures of the tests of elkwatch itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.elkwatch.bad_input import Command


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Calls the command line in this process."""
    # Not above: torch is for those tests only that need it.
    from tests.elkwatch.bad_input import command_of

    return command_of(capsys)
