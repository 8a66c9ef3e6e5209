"""Real `elkwatch run` processes, several at once, that can be paused and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.integration.world import World

# The lease's lifetime is a constant of the program; here it is another one. `{cut}`
# makes the process send itself a signal, once, when it reaches a point.
_DRIVER = """
import os, signal, sys
from elkwatch import compose
compose.LEASE_TTL_S = {ttl_s}
{cut}
from elkwatch.cli.shell import run
sys.exit(run(sys.argv[1:]))
"""
_CUT = """
from {module} import {owner}
whole = {owner}.{method}
def reached(self, *args, **kwargs):
    {owner}.{method} = whole
    result = whole(self, *args, **kwargs) if {done} else None
    os.kill(os.getpid(), signal.{how})
    return result if {done} else whole(self, *args, **kwargs)
{owner}.{method} = reached
"""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a process sends itself a signal: at a call, or when it is `done`."""

    how: str
    module: str
    owner: str
    method: str
    done: bool = False

    def code(self) -> str:
        """The lines that arrange it."""
        return _CUT.format(
            how=self.how,
            module=self.module,
            owner=self.owner,
            method=self.method,
            done=self.done,
        )


@dataclass(frozen=True, slots=True)
class Running:
    """A process and what it has told so far."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def told(self) -> str:
        """Its standard error."""
        return self.log.read_text("utf-8")

    @property
    def state(self) -> str:
        """psutil's word for what it is doing."""
        return str(psutil.Process(self.process.pid).status())

    def has_told(self, *words: str) -> None:
        """Waits until each of these stands in its log."""
        waiting_for(lambda: all(word in self.told for word in words), self.told_all)

    def is_in(self, state: str) -> None:
        """Waits until the system says so of it."""
        waiting_for(lambda: self.state == state, self.told_all)

    def told_all(self) -> str:
        """For a test that fails."""
        return f"process {self.process.pid} told:\n{self.told}"

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Waits for its end; → exit status."""
        return self.process.wait(60)


def waiting_for(
    true: Callable[[], bool], otherwise: Callable[[], str], wait_s: float = 90
) -> None:
    """Waits until something is so; fails saying `otherwise`."""
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)


@contextmanager
def running(
    world: World,
    *arguments: str,
    ttl_s: float = 60.0,
    cut: Cut | None = None,
) -> Iterator[Running]:
    """`elkwatch run` on this world; killed at the end if it still runs."""
    code = _DRIVER.format(ttl_s=ttl_s, cut=cut.code() if cut else "")
    line = ["run", "--device", "cpu", "--config", str(world.config()), *arguments]
    log = world.folder / f"run-{time.monotonic_ns()}.log"
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            [sys.executable, "-c", code, *line],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        ) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            if process.poll() is None:
                process.kill()
