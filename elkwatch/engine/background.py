"""Engines that outlive their starter: `elkwatch engine start|stop|status`."""

from __future__ import annotations

import os
from dataclasses import dataclass

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


def start_in_background(
    options: EngineOptions | None = None, progress: Progress = silent
) -> tuple[EngineRecord, bool]:
    """The background engine, and whether this call started it.

    One that runs already is returned as it is. Raises EngineStartError where it is
    not what was asked for, and whatever `start` raises.
    """
    options = options or EngineOptions()
    registry = Registry(root_directory(run_as_for(options.data_dir)))
    with disk_trouble_told(registry.root), registry.starting(progress):
        for record in registry.running():
            _refuse_other(record, options)
            return record, False
        return start(options, progress).detach(), True


def running() -> list[EngineRecord]:
    """The background engines of this user."""
    return _registry().running()


def ended() -> list[Ended]:
    """This user's background engines that died, until the next start or stop."""
    return [Ended(directory.cause_of_death()) for directory in _registry().dead()]


def stop_running() -> list[EngineRecord]:
    """Stop this user's background engines. Returns those that were stopped."""
    registry = _registry()
    records = registry.running()
    for record in records:
        stop(record)
    registry.sweep()
    return records


def _registry() -> Registry:
    return Registry(root_directory(run_as_for(None)))


def _refuse_other(record: EngineRecord, options: EngineOptions) -> None:
    version = options.version or os.environ.get(VERSION_VARIABLE)
    port = str(options.port) if options.port else None
    data_dir = str(options.data_dir.absolute()) if options.data_dir else None
    for what, asked, there in (
        ("version", version, record.version),
        ("port", port, record.url.rpartition(":")[2]),
        ("data directory", data_dir, record.data_dir or "a temporary one"),
    ):
        if asked and asked != there:
            raise EngineStartError(
                f"an engine runs already at {record.url}, with {what} {there} instead "
                f"of {asked}; stop it first: elkwatch engine stop"
            )
