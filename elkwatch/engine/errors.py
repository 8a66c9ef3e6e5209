"""What can go wrong with an engine.

ElkwatchError
 └─ EngineError
     ├─ EngineUnavailableError  cannot be had here: packages, network, disk
     ├─ EngineStartError        was had, and did not come up
     └─ EngineStopError         did not go down
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elkwatch.errors import ElkwatchError


class EngineError(ElkwatchError):
    """One line: what failed, where, and how to mend it."""


class EngineConfigError(EngineError):
    """A version, a cache directory or a data directory that cannot be used."""

    exit_code = 2


class EngineUnavailableError(EngineError):
    """The programs of an engine cannot be had on this machine."""


class EngineStartError(EngineError):
    """The engine was started and did not become usable."""


class EngineStopError(EngineError):
    """The engine is still there after it was told to end."""


@contextmanager
def disk_trouble_told(root: Path) -> Iterator[None]:
    """Turn what the system refuses below `root` into an EngineStartError."""
    try:
        yield
    except OSError as e:
        where = e.filename or root
        raise EngineStartError(f"cannot use {where}: {e.strerror or e}") from e
