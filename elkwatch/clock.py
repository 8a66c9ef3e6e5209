"""Where the time comes from: nothing else reads the clock of the machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells what time it is, so that tests and backtests can move it at will."""

    def now(self) -> datetime:
        """The present time, UTC-aware."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present time, UTC-aware."""
        return datetime.now(UTC)
