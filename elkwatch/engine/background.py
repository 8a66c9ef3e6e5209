"""Engines that outlive their starter: `elkwatch engine start|stop|status`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from elkwatch.engine.distribution import VERSION_VARIABLE
from elkwatch.engine.errors import EngineStartError, disk_trouble_told
from elkwatch.engine.options import EngineOptions
from elkwatch.engine.place import root_directory, run_as_for
from elkwatch.engine.progress import Progress, silent
from elkwatch.engine.registry import EngineRecord, Registry, stop
from elkwatch.engine.server import start


@dataclass(frozen=True, slots=True)
class Ended:
    """A background engine that ended although nobody told it to."""

    cause: str


@dataclass(frozen=True, slots=True)
class Which:
    """Which of the background engines is meant; all of them where nothing is named.

    `port` 0 is any.
    """

    port: int = 0
    data_dir: Path | None = None

    def means(self, record: EngineRecord) -> bool:
        """Whether all that is named is the engine's."""
        return (not self.port or self.port == port_of(record)) and (
            self.data_dir is None or str(self.data_dir.absolute()) == record.data_dir
        )

    def touches(self, record: EngineRecord) -> bool:
        """Whether anything that is named is the engine's, or nothing is named."""
        if not self.port and self.data_dir is None:
            return True
        return self.port == port_of(record) or (
            self.data_dir is not None
            and str(self.data_dir.absolute()) == record.data_dir
        )


ALL = Which()


def start_in_background(
    options: EngineOptions | None = None, progress: Progress = silent
) -> tuple[EngineRecord, bool]:
    """The background engine, and whether this call started it.

    One that runs already is returned as it is; another port or data directory makes
    another engine. Raises EngineStartError where the one that has this port or this
    data is not what was asked for, and whatever `start` raises.
    """
    options = options or EngineOptions()
    which = Which(options.port, options.data_dir)
    registry = Registry(root_directory(run_as_for(options.data_dir)))
    with disk_trouble_told(registry.root), registry.starting(progress):
        for record in registry.running():
            if which.touches(record):
                _refuse_other(record, options)
                return record, False
        return start(options, progress).detach(), True


def running(which: Which = ALL) -> list[EngineRecord]:
    """The background engines of this user."""
    return [r for r in _registry(which).running() if which.means(r)]


def ended() -> list[Ended]:
    """This user's background engines that died, until the next start or stop."""
    return [Ended(directory.cause_of_death()) for directory in _registry().dead()]


def stop_running(which: Which = ALL) -> list[EngineRecord]:
    """Stop this user's background engines. Returns those that were stopped."""
    registry = _registry(which)
    records = [record for record in registry.running() if which.means(record)]
    for record in records:
        stop(record)
    registry.sweep()
    return records


def port_of(record: EngineRecord) -> int:
    """Where it listens."""
    return int(record.url.rpartition(":")[2])


def _registry(which: Which = ALL) -> Registry:
    return Registry(root_directory(run_as_for(which.data_dir)))


def _refuse_other(record: EngineRecord, options: EngineOptions) -> None:
    version = options.version or os.environ.get(VERSION_VARIABLE)
    port = str(options.port) if options.port else None
    data_dir = str(options.data_dir.absolute()) if options.data_dir else None
    for what, asked, there in (
        ("version", version, record.version),
        ("port", port, str(port_of(record))),
        ("data directory", data_dir, record.data_dir or "a temporary one"),
    ):
        if asked and asked != there:
            raise EngineStartError(
                f"an engine runs already at {record.url}, with {what} {there} instead "
                f"of {asked}; stop it first: elkwatch engine stop "
                f"--port {port_of(record)}"
            )
