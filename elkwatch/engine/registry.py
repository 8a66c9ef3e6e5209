"""The engines that outlive their starters, found again by their records.

Whether an engine lives is told by its lock, not by a process id: the keeper holds the
lock for as long as it lives and the system drops it in any death. So an id that the
system gave to another program never misleads, and a record is stale exactly when its
lock is free.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from elkwatch.engine.errors import EngineStopError
from elkwatch.engine.locks import alone
from elkwatch.engine.node import NodeDirectory
from elkwatch.engine.progress import Progress

_STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """An engine in the background. `data_dir` is empty where its data is temporary."""

    url: str
    version: str
    pid: int
    keeper_pid: int
    data_dir: str
    directory: str


@dataclass(frozen=True, slots=True)
class Registry:
    """The directories of all engines below one root."""

    root: Path

    @property
    def engines(self) -> Path:
        return self.root / "engines"

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Held while directories are made or swept: never for long."""
        self._make()
        with FileLock(self.engines / ".lock"):
            yield

    @contextmanager
    def starting(self, progress: Progress) -> Iterator[None]:
        """Held while a background engine comes up, so that two starts make one."""
        self._make()
        with alone(self.engines / ".start.lock", progress, "starts an engine"):
            yield

    def new(self) -> tuple[NodeDirectory, int]:
        """A fresh directory and the descriptor of its held lock.

        The lock belongs to the open file, so it lives on in the process that inherits
        the descriptor. What dead engines left is removed on the way.
        """
        with self._quiet():
            self._sweep()
            directory = NodeDirectory(
                Path(tempfile.mkdtemp(prefix="engine-", dir=self.engines))
            )
            directory.path.chmod(0o755)
            lock = os.open(directory.lock, os.O_CREAT | os.O_RDONLY, 0o644)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return directory, lock

    def running(self) -> list[EngineRecord]:
        """The background engines that live."""
        if not self.engines.is_dir():
            return []
        records = (_read(directory) for directory in self._directories())
        return [
            record
            for record in records
            if record is not None and is_held(Path(record.directory))
        ]

    def dead(self) -> list[NodeDirectory]:
        """The directories of background engines that ended without being told to."""
        if not self.engines.is_dir():
            return []
        return [
            directory
            for directory in self._directories()
            if directory.record.exists() and not is_held(directory.path)
        ]

    def sweep(self) -> None:
        """Remove what dead engines left."""
        with self._quiet():
            self._sweep()

    def _make(self) -> None:
        if not self.engines.is_dir():
            self.engines.mkdir(exist_ok=True)
            self.engines.chmod(0o755)

    def _sweep(self) -> None:
        for directory in self._directories():
            if not is_held(directory.path):
                shutil.rmtree(directory.path, ignore_errors=True)

    def _directories(self) -> list[NodeDirectory]:
        return [NodeDirectory(path) for path in sorted(self.engines.glob("engine-*"))]


def write_record(record: EngineRecord) -> None:
    """Store it whole or not at all."""
    target = NodeDirectory(Path(record.directory)).record
    half = target.with_suffix(".tmp")
    half.write_text(json.dumps(asdict(record)))
    half.replace(target)


def stop(record: EngineRecord, *, timeout_s: float = _STOP_TIMEOUT_S) -> None:
    """End a background engine and wait until it is gone.

    Raises EngineStopError when it is still there after `timeout_s`.
    """
    directory = Path(record.directory)
    if not is_held(directory):
        return
    try:
        os.kill(record.keeper_pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it ended this moment
    except PermissionError as e:
        raise EngineStopError(
            f"the engine at {record.url} was started by another user; only that user "
            "may stop it"
        ) from e
    deadline = time.monotonic() + timeout_s
    while is_held(directory):
        if time.monotonic() > deadline:
            raise EngineStopError(
                f"the engine at {record.url} does not end; its keeper is process "
                f"{record.keeper_pid}"
            )
        time.sleep(0.05)


def is_held(directory: Path) -> bool:
    """Whether a keeper lives that holds this directory."""
    try:
        lock = os.open(directory / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True  # another user's: theirs to judge and to remove
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _read(directory: NodeDirectory) -> EngineRecord | None:
    try:
        return EngineRecord(**json.loads(directory.record.read_text()))
    except (OSError, ValueError, TypeError):
        return None
