"""The keeper with a stand-in for Elasticsearch: whoever dies, nobody is left over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from elkwatch.engine import keeper

PATIENCE_S = 60.0

# A launcher that starts a server in its own process group, as Elasticsearch does,
# writes both ids and waits; SIGTERM ends both unless it is stubborn.
LAUNCHER = """
import os, signal, subprocess, sys, time
stubborn = sys.argv[2] == "stubborn"
server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def end(*_):
    server.terminate(); server.wait(); sys.exit(143)
signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else end)
with open(sys.argv[1] + ".half", "w") as file:
    file.write(f"{os.getpid()} {server.pid}")
os.rename(sys.argv[1] + ".half", sys.argv[1])
time.sleep(600)
"""


@dataclass
class Kept:
    """A keeper and the two processes below it."""

    process: subprocess.Popen[bytes]
    directory: Path
    console: Path
    below: list[psutil.Process]

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        self.process.stdin.flush()

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def nobody_is_left(self) -> bool:
        _, alive = psutil.wait_procs(self.below, timeout=PATIENCE_S)
        return not alive


Keep = Callable[..., Kept]


def orders_for(tmp_path: Path, command: list[str], grace_s: float) -> keeper.Orders:
    directory = tmp_path / "engine"
    directory.mkdir()
    return keeper.Orders(
        command=command,
        cwd="/",
        env={},
        uid=None,
        gid=None,
        directory=str(directory),
        console=str(tmp_path / "console.log"),
        grace_s=grace_s,
    )


def start_keeper(
    orders: keeper.Orders, groups: list[int] | None = None
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__],
        stdin=subprocess.PIPE,
        start_new_session=True,
        extra_groups=groups,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(orders).encode() + b"\n")
    process.stdin.flush()
    return process


def processes_in(path: Path) -> list[psutil.Process]:
    """The processes whose ids appear in `path`, once they do."""
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} was never written"
        time.sleep(0.02)
    return [psutil.Process(int(pid)) for pid in path.read_text().split()]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    kept: list[Kept] = []

    def start(manner: str = "mild", grace_s: float = 30.0) -> Kept:
        pids = tmp_path / "pids"
        command = [sys.executable, "-c", LAUNCHER, str(pids), manner]
        orders = orders_for(tmp_path, command, grace_s)
        process = start_keeper(orders)
        below = processes_in(pids)
        directory, console = Path(orders["directory"]), Path(orders["console"])
        kept.append(Kept(process, directory, console, below))
        return kept[-1]

    yield start
    for one in kept:
        one.hang_up()
        one.process.wait(PATIENCE_S)


def test_told_to_stop_it_ends_all_and_tidies_up(keep: Keep) -> None:
    kept = keep()
    kept.say("stop")
    assert kept.process.wait(PATIENCE_S) == 0
    assert kept.nobody_is_left()
    assert not kept.directory.exists()


def test_it_ends_all_when_its_starter_hangs_up(keep: Keep) -> None:
    kept = keep()
    kept.hang_up()
    assert kept.process.wait(PATIENCE_S) == 0
    assert kept.nobody_is_left()
    assert not kept.directory.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_all_when_it_is_asked_to(number: signal.Signals, keep: Keep) -> None:
    kept = keep()
    kept.process.send_signal(number)
    assert kept.process.wait(PATIENCE_S) == 0
    assert kept.nobody_is_left()


def test_detached_it_outlives_the_pipe(keep: Keep) -> None:
    kept = keep()
    kept.say("detach")
    kept.hang_up()
    with pytest.raises(subprocess.TimeoutExpired):
        kept.process.wait(1.0)
    kept.process.terminate()
    assert kept.process.wait(PATIENCE_S) == 0
    assert kept.nobody_is_left()


def test_what_ignores_the_signal_is_killed_after_the_grace(keep: Keep) -> None:
    kept = keep("stubborn", grace_s=0.2)
    kept.say("stop")
    assert kept.process.wait(PATIENCE_S) == 0
    assert kept.nobody_is_left()


def test_a_directory_that_is_gone_ends_all(keep: Keep) -> None:
    kept = keep()
    kept.say("detach")
    kept.directory.rmdir()
    assert kept.process.wait(PATIENCE_S) == 0
    assert kept.nobody_is_left()


def test_a_killed_launcher_takes_its_server_along(keep: Keep) -> None:
    kept = keep(grace_s=0.2)
    kept.below[0].kill()
    assert kept.process.wait(PATIENCE_S) != 0
    assert kept.nobody_is_left()
    assert kept.directory.exists()  # its log still tells the starter why


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has death signals")
def test_a_killed_keeper_takes_all_along(keep: Keep) -> None:
    kept = keep()
    kept.process.kill()
    assert kept.process.wait(PATIENCE_S) == -signal.SIGKILL
    assert kept.nobody_is_left()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_dead_starter_leaves_nobody(number: signal.Signals, tmp_path: Path) -> None:
    """Even where a forked child of the starter holds the pipe open."""
    pids, forked = tmp_path / "pids", tmp_path / "forked"
    command = [sys.executable, "-c", LAUNCHER, str(pids), "mild"]
    program = (
        "import json, os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from tests.elkwatch.engine.test_keeper import start_keeper\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "start_keeper(json.loads(sys.argv[1]))\n"
        "if (child := os.fork()):\n"
        "    Path(sys.argv[2]).write_text(str(child))\n"
        "time.sleep(600)\n"
    )
    orders = json.dumps(orders_for(tmp_path, command, 30.0))
    starter = subprocess.Popen(
        [sys.executable, "-c", program, orders, str(forked)], stderr=subprocess.DEVNULL
    )
    below = processes_in(pids)
    (child,) = processes_in(forked)
    starter.send_signal(number)
    starter.wait(PATIENCE_S)
    _, alive = psutil.wait_procs(below, timeout=PATIENCE_S)
    assert alive == []
    child.kill()


def test_what_cannot_be_run_is_told_on_the_console(tmp_path: Path) -> None:
    orders = orders_for(tmp_path, ["/nowhere/java"], 1.0)
    process = start_keeper(orders)
    assert process.wait(PATIENCE_S) == 1
    assert process.stdin is not None
    process.stdin.close()
    told = Path(orders["console"]).read_text()
    assert told.startswith("Error: cannot run /nowhere/java")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs as another user")
def test_root_runs_it_as_somebody_else(open_directory: Path) -> None:
    answer = open_directory / "answer"
    answer.touch()
    answer.chmod(0o666)
    program = f"id -u > {answer}; id -g >> {answer}; id -G >> {answer}"
    orders = orders_for(open_directory, ["/bin/sh", "-c", program], 1.0)
    orders["uid"] = orders["gid"] = 65534
    process = start_keeper(orders, groups=[0, 4])
    process.wait(PATIENCE_S)
    assert process.stdin is not None
    process.stdin.close()
    assert answer.read_text().split() == ["65534", "65534", "65534"]
