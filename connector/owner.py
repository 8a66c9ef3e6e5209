"""Which process something belongs to, and whether that process is provably dead.

A process id alone proves nothing: it is used again, and each container counts its own.
So a process is told by where its id means something (the running kernel and its PID
namespace), its id, and when it started. Where that cannot be found out, or belongs to
somewhere else, nothing is proven, and the process counts as alive.
"""

import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class Owner:
    """One process, or one of several owners within it.

    `name`: unique to this owner. `place`: where `pid` means something, "" if unknown.
    `started`: when the process began, in a form only ever compared.
    """

    name: str
    host: str
    pid: int
    started: str
    place: str

    @classmethod
    def this_process(cls) -> "Owner":
        """A new owner within this process."""
        pid = os.getpid()
        return cls(
            name=uuid.uuid4().hex,
            host=socket.gethostname(),
            pid=pid,
            started=_started(pid) or "",
            place=_place(),
        )

    @property
    def provably_dead(self) -> bool:
        """Whether it ran here and is there no more. False where that is not certain."""
        if not self.place or not self.started or self.place != _place():
            return False
        try:
            if not psutil.pid_exists(self.pid):
                return True
            if psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE:
                return True  # killed; only its parent has not taken note yet
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False
        started = _started(self.pid)
        return started is not None and started != self.started


def _place() -> str:
    """Machine, boot and PID namespace; "" where the system does not tell."""
    try:
        boot = _BOOT_ID.read_text("ascii").strip()
        return f"{socket.gethostname()} {boot} {os.readlink(_PID_NAMESPACE)}"
    except (OSError, ValueError):
        pass
    if _BOOT_ID.parent.exists():
        return ""  # Linux that hides it: another container may look the same
    return f"{socket.gethostname()} {int(psutil.boot_time())}"


def _started(pid: int) -> str | None:
    """When a process started: in ticks since boot where possible.

    psutil adds the boot time to those, which moves when the machine's clock is set.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return stat.rpartition(b")")[2].split()[19].decode("ascii")
    except (OSError, IndexError):
        pass
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return None
