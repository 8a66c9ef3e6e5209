"""From options to a running keeper."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from elkwatch.engine import keeper
from elkwatch.engine.errors import EngineStartError
from elkwatch.engine.node import NodeDirectory
from elkwatch.engine.options import EngineOptions
from elkwatch.engine.place import RunAs

# Compiles lightly: half the CPU seconds of a start, and half the speed under load.
_LIGHT = "-XX:TieredStopAtLevel=1"
# Data that is kept deserves an orderly end; temporary data need not be waited for.
_GRACE_S = 30.0
_GRACE_TEMPORARY_S = 1.0


def launch(
    options: EngineOptions,
    directory: NodeDirectory,
    home: Path,
    java: Path,
    run_as: RunAs | None,
    lock: int,
) -> subprocess.Popen[bytes]:
    """Start a keeper with its orders. It inherits the held `lock`.

    Raises EngineStartError when the keeper cannot be run.
    """
    orders = keeper.Orders(
        command=_command(directory, home, java),
        cwd=str(home),
        env=_environment(options, directory, java),
        uid=run_as.uid if run_as else None,
        gid=run_as.gid if run_as else None,
        directory=str(directory.path),
        console=str(directory.console),
        grace_s=_GRACE_S if options.data_dir else _GRACE_TEMPORARY_S,
    )
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        pass_fds=(lock,),
        start_new_session=True,
    )
    if not tell(process, json.dumps(orders)):
        raise EngineStartError(f"cannot run {sys.executable} {keeper.__file__}")
    return process


def tell(process: subprocess.Popen[bytes], line: str) -> bool:
    """Write one line to a keeper. False when it is gone."""
    assert process.stdin is not None
    try:
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
    except (OSError, ValueError):
        return False
    return True


def _command(directory: NodeDirectory, home: Path, java: Path) -> list[str]:
    """What `bin/elasticsearch` runs, without its shell."""
    return [
        str(java),
        *("-Xms4m", "-Xmx64m", "-XX:+UseSerialGC", _LIGHT),
        "-Dcli.name=server",
        f"-Dcli.script={home}/bin/elasticsearch",
        "-Dcli.libs=lib/tools/server-cli",
        f"-Des.path.home={home}",
        f"-Des.path.conf={directory.config}",
        "-Des.distribution.type=zip",
        *("-cp", f"{home}/lib/*:{home}/lib/cli-launcher/*"),
        "org.elasticsearch.launcher.CliToolLauncher",
        *("-p", str(directory.pid_file)),
    ]


def _environment(
    options: EngineOptions, directory: NodeDirectory, java: Path
) -> dict[str, str]:
    heap = [f"-Xms{options.heap_mb}m", f"-Xmx{options.heap_mb}m"]
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory.node),
        "LANG": "C.UTF-8",
        "ES_JAVA_HOME": str(java.parent.parent),
        "ES_PATH_CONF": str(directory.config),
        "ES_TMPDIR": str(directory.scratch),
        "ES_JAVA_OPTS": " ".join([*heap, *([_LIGHT] if options.fast_start else [])]),
    }
