"""Where the engine's files lie, and who may reach them.

    <root>/dist/elasticsearch-8.19.8/   unpacked once, shared, never edited
    <root>/java/25.0.2.1/               a copy, only where the original is out of reach
    <root>/engines/<name>/              one directory for each engine that runs

The root is the user's cache directory, or `ELKWATCH_CACHE`. Elasticsearch refuses to
run as root, so root starts it as an unprivileged user, and that user must be able to
walk to the files. A home of mode 0700 bars the way; then the root is a directory of
our own under /var/tmp.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from elkwatch.engine.errors import EngineConfigError

CACHE_VARIABLE = "ELKWATCH_CACHE"
NOBODY = 65534

# Where a directory of our own may lie that others can walk into: what survives a
# restart of the machine first.
_OPEN_PLACES = (Path("/var/tmp"), Path(tempfile.gettempdir()))


@dataclass(frozen=True, slots=True)
class RunAs:
    """The unprivileged user that Elasticsearch runs as when root starts it."""

    uid: int = NOBODY
    gid: int = NOBODY


def run_as_for(data_dir: Path | None) -> RunAs | None:
    """Whom to run as: None is "as we are".

    Root gives way to the owner of an existing data directory, so that what one user
    wrote stays readable to the same user, and to 65534 otherwise.
    """
    if os.geteuid() != 0:
        return None
    if data_dir is not None and data_dir.is_dir():
        owner = data_dir.stat()
        if owner.st_uid != 0:
            return RunAs(owner.st_uid, owner.st_gid or NOBODY)
    return RunAs()


def reachable(path: Path, run_as: RunAs | None) -> bool:
    """Whether `run_as` may walk into `path` through all of its parents."""
    if run_as is None:
        return os.access(path, os.R_OK | os.X_OK)
    resolved = path.resolve()
    return all(
        _may_enter(part.stat(), run_as) for part in (resolved, *resolved.parents)
    )


def root_directory(run_as: RunAs | None) -> Path:
    """The directory all of this lies in, made if need be.

    Raises EngineConfigError where none can be had that is safe and within reach.
    """
    override = os.environ.get(CACHE_VARIABLE)
    if override:
        root = Path(override).expanduser().absolute()
        if not (_may_lie_at(root, run_as) and reachable(_make(root), run_as)):
            raise EngineConfigError(
                f"{CACHE_VARIABLE}={root} lies below a directory that the unprivileged "
                "user of Elasticsearch may not enter; choose one under /var/tmp"
            )
        return root
    root = platformdirs.user_cache_path("elkwatch")
    if _is_ours(_nearest(root)) and _may_lie_at(root, run_as):
        with suppress(EngineConfigError):
            if reachable(_make(root), run_as):
                return root
    return _fallback()


def _fallback() -> Path:
    base = next(
        (place for place in _OPEN_PLACES if os.access(place, os.W_OK)),
        _OPEN_PLACES[-1],
    )
    root = _make(base / f"elkwatch-{os.geteuid()}")
    if root.lstat().st_uid != os.geteuid():
        raise EngineConfigError(
            f"{root} belongs to another user; set {CACHE_VARIABLE} to a directory of "
            "your own"
        )
    return root


def _make(root: Path) -> Path:
    try:
        if not root.exists():
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(0o755)
        found = root.lstat()
    except OSError as e:
        raise EngineConfigError(
            f"cannot make the cache directory {root} ({e.strerror}); set "
            f"{CACHE_VARIABLE} to a directory you may write"
        ) from e
    if not root.is_dir():
        raise EngineConfigError(
            f"{root} is not a directory; set {CACHE_VARIABLE} to one"
        )
    if found.st_mode & stat.S_IWOTH:
        raise EngineConfigError(
            f"everybody may write to {root}, and programs are run from it; "
            f"`chmod o-w {root}` or set {CACHE_VARIABLE} to another directory"
        )
    return root


def _may_lie_at(root: Path, run_as: RunAs | None) -> bool:
    """Whether what exists on the way to `root` lets `run_as` through."""
    return run_as is None or reachable(_nearest(root), run_as)


def _is_ours(path: Path) -> bool:
    return path.stat().st_uid == os.geteuid() and os.access(path, os.W_OK)


def _nearest(path: Path) -> Path:
    """The deepest part of `path` that exists."""
    return next(part for part in (path, *path.parents) if part.exists())


def _may_enter(found: os.stat_result, run_as: RunAs) -> bool:
    if found.st_uid == run_as.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == run_as.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
