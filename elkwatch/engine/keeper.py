"""The process that stands between an engine and whoever started it.

It starts Elasticsearch as its child and ends it when it is told to, when its starter
is gone, or when the engine's directory is gone. It is a program of its own, run by
path with nothing but the standard library, so that it starts fast and stays small.

Why a process and not only PR_SET_PDEATHSIG: that signal fires when the *thread* ends
that started the child, exists on Linux alone and tidies up nothing. The starter holds
one end of a pipe instead, and the system closes it however the starter ends, `kill -9`
included; a forked child may hold it open still, so the parent's id is watched too. The
keeper stays root where its starter is root, so it may signal the unprivileged server.
PR_SET_PDEATHSIG guards the last gap, a keeper that is itself killed: it has one
thread, so the trap above does not apply.

Standard input: one line of JSON (Orders), then `stop`, or `detach` if the engine is to
outlive its starter. End of input without `detach` means the starter is gone: stop.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import TypedDict

_LOOK_EVERY_S = 0.2
_FORCE_S = 10.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Orders(TypedDict):
    """What to run, and how.

    `uid` and `gid` are None where the server runs as we do. `grace_s` is how long it
    may take to end before it is made to.
    """

    command: list[str]
    cwd: str
    env: dict[str, str]
    uid: int | None
    gid: int | None
    directory: str
    console: str
    grace_s: float


def main() -> int:
    """Keep one engine. Returns the exit status of Elasticsearch, 0 when told to end."""
    starter = os.getppid()
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: asked.append(received))
    first = _read_line()
    if not first:
        return 0
    orders: Orders = json.loads(first)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        server = _launch(orders)
    except (OSError, subprocess.SubprocessError) as e:
        with open(orders["console"], "a") as console:
            console.write(f"Error: cannot run {orders['command'][0]}: {e}\n")
        return 1
    attached = True
    while not asked and os.path.isdir(orders["directory"]):
        status = server.poll()
        if status is not None:
            _sweep(server.pid, orders["grace_s"])
            return status or 1
        if attached:
            if os.getppid() != starter:
                break
            word = _next_word()
            if word in {"stop", "gone"}:
                break
            attached = word != "detach"
        else:
            time.sleep(_LOOK_EVERY_S)
    _end(server, orders["grace_s"])
    shutil.rmtree(orders["directory"], ignore_errors=True)
    return 0


def _launch(orders: Orders) -> subprocess.Popen[bytes]:
    with open(orders["console"], "ab") as console:
        return subprocess.Popen(
            orders["command"],
            cwd=orders["cwd"],
            env=orders["env"],
            user=orders["uid"],
            group=orders["gid"],
            extra_groups=None if orders["uid"] is None else [],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            # After the change of user, which would clear it; one thread, so safe.
            preexec_fn=lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),
        )


def _end(server: subprocess.Popen[bytes], grace_s: float) -> None:
    """SIGTERM to the launcher, which hands it on; SIGKILL to all after the grace."""
    server.terminate()
    try:
        server.wait(grace_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    _sweep(server.pid, grace_s)


def _sweep(group: int, grace_s: float) -> None:
    """See the rest of the process group out: by itself, and then by force."""
    patient = round(grace_s / _LOOK_EVERY_S)
    for attempt in range(patient + round(_FORCE_S / _LOOK_EVERY_S)):
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-group, os.WNOHANG)[0]:
                pass
        try:
            os.killpg(group, 0 if attempt < patient else signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(_LOOK_EVERY_S)


def _read_line() -> str:
    """One line of standard input, unbuffered, so that `select` sees what follows."""
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(0, 1)
        if not read:
            return ""
        line += read
    return line.decode()


def _next_word() -> str:
    """A word of the starter, `gone` at the end of input, or nothing for a while."""
    ready, _, _ = select.select([0], [], [], _LOOK_EVERY_S)
    if not ready:
        return ""
    return _read_line().strip() or "gone"


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
