"""The bundles of one source, side by side: the live one, older ones, a candidate.

    models/shop              live: what the configuration names
    models/shop.VERSION      kept: was live, or a candidate, before
    models/shop.candidate    trained beside the live one, and not live yet

Another becomes live by exchanging two folders in one step, so that whoever reads finds
the one or the other, whole. What was live is kept.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from model.bundle_folder import check_files, read_manifest
from model.errors import BundleError

Role = Literal["live", "candidate", "kept"]
CANDIDATE = "candidate"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Shelved:
    """One bundle. `trained_at` None: not known."""

    folder: Path
    role: Role
    version: str
    trained_at: datetime | None


def candidate_folder(folder: Path) -> Path:
    """Where the candidate beside a live bundle lies."""
    return folder.with_name(f"{folder.name}.{CANDIDATE}")


def bundle_version(folder: Path) -> str | None:
    """The version that stands there now; None for what is no bundle, or none yet."""
    try:
        return str(read_manifest(folder).get("version"))
    except BundleError:
        return None


def shelf(folder: Path) -> list[Shelved]:
    """The live bundle, the candidate, then the kept ones, the newest first.

    Raises BundleError where no bundle is live.
    """
    live = _shelved(folder, "live", read_manifest(folder))
    beside = []
    for path in sorted(folder.parent.glob(f"{_escaped(folder.name)}.*")):
        ending = path.name.removeprefix(f"{folder.name}.")
        try:
            manifest = read_manifest(path)
        except BundleError:
            continue
        if ending == CANDIDATE:
            beside.append(_shelved(path, "candidate", manifest))
        elif ending == str(manifest.get("version")):
            beside.append(_shelved(path, "kept", manifest))
    beside.sort(key=lambda one: (one.role == "kept", -_age_key(one)))
    return [live, *beside]


def promote(folder: Path, version: str | None = None) -> Shelved:
    """Makes the candidate live, or the bundle of this version; → what is live now.

    Raises BundleError where there is none, or it is damaged.
    """
    live, *beside = shelf(folder)
    if version is None:
        chosen = next((one for one in beside if one.role == "candidate"), None)
        if chosen is None:
            raise BundleError(
                f"model {folder}: no candidate beside it; `elkwatch train --shadow` "
                "makes one, or name a version of `elkwatch models list`"
            )
    else:
        chosen = _of_version(folder, beside, version)
    return _make_live(live, chosen)


def roll_back(folder: Path, version: str | None = None) -> Shelved:
    """Makes a kept bundle live again: of this version, or the newest older one.

    *Older*: trained before the one that is live. Raises BundleError where there is
    none, or it is damaged.
    """
    live, *beside = shelf(folder)
    kept = [one for one in beside if one.role == "kept"]
    if version is not None:
        return _make_live(live, _of_version(folder, kept, version))
    older = [one for one in kept if _age_key(one) < _age_key(live)]
    if not older:
        newer = "; newer ones are kept: `elkwatch models promote SOURCE VERSION`"
        there = newer if kept else ""
        raise BundleError(
            f"model {folder}: no older bundle is kept beside it, so there is nothing "
            f"to roll back to{there}"
        )
    return _make_live(live, older[0])


def put_instead(made: Path, place: Path) -> None:
    """Puts a new bundle in its place; an older one there goes. Raises OSError."""
    if place.exists():
        _exchange(made, place)
        shutil.rmtree(made)
    else:
        made.rename(place)


def _make_live(live: Shelved, chosen: Shelved) -> Shelved:
    check_files(chosen.folder, read_manifest(chosen.folder))
    try:
        _exchange(chosen.folder, live.folder)
        kept = live.folder.with_name(f"{live.folder.name}.{live.version}")
        if kept != chosen.folder:
            if kept.exists():
                shutil.rmtree(kept)
            chosen.folder.rename(kept)
    except OSError as error:
        raise BundleError(
            f"model {live.folder}: cannot be exchanged with {chosen.folder} "
            f"({(error.strerror or '').lower()}); let elkwatch write in "
            f"{live.folder.parent}"
        ) from error
    return Shelved(live.folder, "live", chosen.version, chosen.trained_at)


def _of_version(folder: Path, beside: list[Shelved], version: str) -> Shelved:
    found = [one for one in beside if version and one.version.startswith(version)]
    if len(found) != 1:
        there = ", ".join(one.version for one in beside) or "none"
        what = "no" if not found else "more than one"
        raise BundleError(
            f"model {folder}: {what} bundle beside it is of version {version!r}; "
            f"there are: {there}"
        )
    return found[0]


def _shelved(folder: Path, role: Role, manifest: dict[str, object]) -> Shelved:
    try:
        trained = datetime.fromisoformat(str(manifest.get("trained_at")))
    except ValueError:
        trained = None
    return Shelved(folder, role, str(manifest.get("version")), trained)


def _age_key(one: Shelved) -> float:
    return 0.0 if one.trained_at is None else one.trained_at.timestamp()


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _exchange(one: Path, other: Path) -> None:
    """Both change places in one step; where the system cannot, in three quick ones.

    Raises OSError.
    """
    if _exchanged_at_once(one, other):
        return
    aside = other.with_name(f".{other.name}.{os.getpid()}")
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
    aside.rename(one)


def _exchanged_at_once(one: Path, other: Path) -> bool:
    """Linux's renameat2; False where there is none, or the file system has it not."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    failed = renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
    return not failed
