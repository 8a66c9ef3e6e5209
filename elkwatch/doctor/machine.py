"""This machine: packages, files and their permissions, device, memory, disk, port."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import stat
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import psutil

from elkwatch.config import secret_files
from elkwatch.doctor.case import Case
from elkwatch.doctor.records import Check, Outcome, fail, ok, warn
from elkwatch.log_files import plural
from elkwatch.probes import ask

OWN_PACKAGES = ("connector", "model", "alerting", "kibana")

_ROOMY_BYTES = 1_000_000_000
_GIB = 2**30


def checks(case: Case) -> list[Check]:
    """The checks of this group."""
    return [
        Check("configuration", lambda: _configuration(case)),
        Check("secrets", lambda: _secrets(case)),
        Check("packages", lambda: _packages(packages_distributions())),
        Check("device", lambda: _device(case.device)),
        Check("memory", _memory),
        Check("disk", lambda: _disk(case)),
        Check("monitoring", lambda: _monitoring(case)),
    ]


def foreign_owners(
    name: str, owners: Mapping[str, list[str]] | None = None
) -> set[str]:
    """Distributions other than elkwatch that install a package of this import name."""
    known = packages_distributions() if owners is None else owners
    return set(known.get(name, ())) - {"elkwatch"}


def _configuration(case: Case) -> Iterator[Outcome]:
    names = ", ".join(source.name for source in case.config.sources)
    yield ok(f"{case.file}: sources {names}; namespace {case.config.namespace}")


def _secrets(case: Case) -> Iterator[Outcome]:
    """Others on this machine should not be able to read what nobody should know."""
    files = secret_files(case.file, os.environ)
    open_ones = [path for path in files if _others_read(path)]
    for path in open_ones:
        yield warn(f"{path} can be read by others", f"chmod go-rwx {path}")
    if not open_ones:
        yield ok(f"{plural(len(files), 'file')} with secrets, readable by nobody else")


def _others_read(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)


def _packages(owners: Mapping[str, list[str]]) -> Iterator[Outcome]:
    """The import names are generic: another distribution may bring the same."""
    foreign = {n: found for n in OWN_PACKAGES if (found := foreign_owners(n, owners))}
    for name, found in foreign.items():
        yield fail(
            f"{name} is also installed by {', '.join(sorted(found))}, and whichever "
            "comes first is imported",
            "use a virtual environment of elkwatch's own",
        )
    if not foreign:
        yield ok(
            f"elkwatch {version('elkwatch')}, Python {platform.python_version()}; "
            f"{', '.join(OWN_PACKAGES)} belong to elkwatch alone"
        )


def _device(name: str) -> Iterator[Outcome]:
    import torch

    from model import choose_device

    device = choose_device(name)
    if device.type != "cuda":
        yield ok(f"cpu ({os.cpu_count()} cores), torch {torch.__version__}")
        return
    free, whole = torch.cuda.mem_get_info(device)
    told = (
        f"{torch.cuda.get_device_name(device)}, {free / _GIB:.1f} of "
        f"{whole / _GIB:.1f} GiB free"
    )
    if free < _GIB / 2:
        yield warn(told, "end what holds its memory, or use --device cpu")
    else:
        yield ok(told)


def _memory() -> Iterator[Outcome]:
    free = psutil.virtual_memory().available
    told = f"{free / _GIB:.1f} GiB available"
    if free < _ROOMY_BYTES:
        yield warn(told, "elkwatch takes about one: free some, or give it more")
    else:
        yield ok(told)


def _disk(case: Case) -> Iterator[Outcome]:
    """Where models lie: training writes there, and keeps the older one."""
    folders = {Path(s.model).parent for s in case.sources if s.model is not None}
    for folder in sorted(folders or {case.file.absolute().parent}):
        there = next(p for p in (folder, *folder.parents) if p.exists())
        free = shutil.disk_usage(there).free
        told = f"{there}: {free / _GIB:.1f} GiB free"
        if free < _ROOMY_BYTES:
            yield warn(told, "remove older models (FOLDER.VERSION), or free some")
        else:
            yield ok(told)


def _monitoring(case: Case) -> Iterator[Outcome]:
    """Whether `monitoring.listen` can be had, or the service answers there already."""
    listen = case.config.monitoring.listen
    if listen is None:
        yield ok("not configured (monitoring.listen): no probes, no metrics")
        return
    try:
        _bind(listen.host, listen.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            yield fail(
                f"{listen} cannot be listened on ({(error.strerror or '').lower()})",
                "name an address of this machine as monitoring.listen",
            )
            return
        yield _occupied(listen)
    else:
        yield ok(f"{listen} is free for /healthz, /readyz and /metrics")


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _occupied(listen: Any) -> Outcome:
    try:
        answer = ask(listen.host, listen.port, "/readyz")
    except (OSError, ValueError):
        return fail(
            f"{listen} is taken by another program",
            "choose another port as monitoring.listen",
        )
    told = f"the service answers at {listen}: {answer.state}"
    if answer.good:
        return ok(told)
    reasons = ", ".join(answer.reasons)
    return warn(f"{told} ({reasons})", "see the lines below for why")
