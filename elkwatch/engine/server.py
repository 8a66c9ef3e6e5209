"""Start an engine, know when it is ready, stop it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from elkwatch.engine.distribution import (
    chosen_version,
    elasticsearch_home,
    java_program,
)
from elkwatch.engine.errors import (
    EngineStartError,
    EngineStopError,
    EngineUnavailableError,
    disk_trouble_told,
)
from elkwatch.engine.health import cluster_health
from elkwatch.engine.launch import launch, tell
from elkwatch.engine.node import NodeDirectory
from elkwatch.engine.options import EngineOptions, User
from elkwatch.engine.place import root_directory, run_as_for
from elkwatch.engine.progress import Progress, Step, silent
from elkwatch.engine.registry import EngineRecord, Registry, write_record
from elkwatch.engine.settings import write_settings

_LOOK_EVERY_S = 0.1
_STOP_TIMEOUT_S = 60.0


class Engine:
    """A running engine that ends with its `stop`, its `with` block or its starter."""

    def __init__(
        self,
        options: EngineOptions,
        version: str,
        directory: NodeDirectory,
        process: subprocess.Popen[bytes],
    ) -> None:
        self.version = version
        self.url = ""
        self._options = options
        self.directory = directory
        self._process = process
        self._detached = False

    @property
    def pid(self) -> int:
        """The process id of the server itself; 0 before it has one."""
        return self.directory.pid() or 0

    @property
    def ca_certs(self) -> Path | None:
        """The authority to trust, where the engine speaks HTTPS."""
        security = self._options.security
        return security.tls.authority if security and security.tls else None

    @property
    def server_log(self) -> Path:
        """What the server logs, from level info."""
        return self.directory.server_log

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it and remove what it wrote, but never a `data_dir` of the caller's.

        Does nothing a second time, or to an engine that was let go. Raises
        EngineStopError if it will not end.
        """
        if self._detached:
            return
        assert self._process.stdin is not None
        tell(self._process, "stop")
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its death signal ends the server
            self._process.wait()
            raise EngineStopError(
                f"the engine at {self.url} did not end in {_STOP_TIMEOUT_S:g} s; its "
                f"server is process {self.pid}"
            ) from None
        finally:
            shutil.rmtree(self.directory.path, ignore_errors=True)

    def detach(self) -> EngineRecord:
        """Let it outlive this process; `elkwatch engine status` and `stop` find it.

        Raises EngineStartError when it has ended meanwhile.
        """
        assert self._process.stdin is not None
        record = EngineRecord(
            url=self.url,
            version=self.version,
            pid=self.pid,
            keeper_pid=self._process.pid,
            data_dir=str(self._options.data_dir or ""),
            directory=str(self.directory.path),
        )
        write_record(record)
        if not tell(self._process, "detach"):
            cause = self.directory.cause_of_death()
            raise EngineStartError(f"the engine at {self.url} has ended: {cause}")
        self._process.stdin.close()
        self._process.returncode = 0  # no longer ours to wait for
        self._detached = True
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(options: EngineOptions | None = None, progress: Progress = silent) -> Engine:
    """Start Elasticsearch on loopback and return when it can be used.

    Raises EngineUnavailableError when the programs cannot be had, EngineStartError
    when they were had and did not come up.
    """
    if sys.platform == "win32":
        raise EngineUnavailableError("the engine runs on Linux and macOS only")
    options = options or EngineOptions()
    if options.data_dir is not None:
        options = replace(options, data_dir=options.data_dir.absolute())
    engine, probe = _launched(options, progress)
    try:
        engine.url = _await_ready(engine, options.start_timeout_s, probe)
    except BaseException:
        engine.stop()
        raise
    return engine


def _launched(options: EngineOptions, progress: Progress) -> tuple[Engine, User | None]:
    """An engine that starts, and the user to ask for its health, if any."""
    version = chosen_version(options.version)
    run_as = run_as_for(options.data_dir)
    root = root_directory(run_as)
    home = elasticsearch_home(version, root, progress)
    java = java_program(root, run_as, progress)
    _refuse_taken(options.port)
    progress(Step("start", f"starting Elasticsearch {version}"))
    with disk_trouble_told(root):
        directory, lock = Registry(root).new()
        try:
            probe = write_settings(directory, options, run_as)
            process = launch(options, directory, home, java, run_as, lock)
        except BaseException:
            shutil.rmtree(directory.path, ignore_errors=True)
            raise
        finally:
            os.close(lock)
    return Engine(options, version, directory, process), probe


def _await_ready(engine: Engine, timeout_s: float, probe: User | None) -> str:
    """The address of the engine, once its shards can be used."""
    directory = engine.directory
    deadline = time.monotonic() + timeout_s
    scheme = "https" if engine.ca_certs else "http"
    while True:
        if not engine.alive():
            raise EngineStartError(
                f"Elasticsearch {engine.version} ended while it started: "
                f"{directory.cause_of_death()}"
            )
        port = directory.port()
        if port is not None:
            url = f"{scheme}://127.0.0.1:{port}"
            health = cluster_health(url, ca_certs=engine.ca_certs, user=probe, wait_s=1)
            if health in {"green", "yellow"}:
                return url
        if time.monotonic() > deadline:
            raise EngineStartError(
                f"Elasticsearch {engine.version} was not ready after "
                f"{timeout_s:g} s; give it longer, or see what keeps the "
                f"machine busy. Its last word: {directory.last_word()}"
            )
        time.sleep(_LOOK_EVERY_S)


def _refuse_taken(port: int) -> None:
    """Say so at once; Elasticsearch itself would take ten seconds to."""
    if not port:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as e:
            raise EngineStartError(
                f"port {port} on 127.0.0.1 cannot be used ({e}); choose another"
            ) from e
