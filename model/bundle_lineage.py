"""The part of a bundle that people change: the names of its classes, their history."""

from __future__ import annotations

import json
from pathlib import Path

from model.bundle_folder import LINEAGE
from model.errors import BundleError
from model.lineage import Lineage


def read_lineage(folder: Path) -> Lineage:
    """The classes of a bundle over its trainings; empty for one of before they were
    kept. Raises BundleError where it is damaged.
    """
    path = folder / LINEAGE
    if not path.exists():
        return Lineage()
    try:
        state = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        state = {}
    return Lineage.from_state(state)


def names_stamp(folder: Path) -> tuple[int, int] | None:
    """What changes whenever people change the classes of a bundle; None without any."""
    try:
        there = (folder / LINEAGE).stat()
    except OSError:
        return None
    return there.st_mtime_ns, there.st_ino


def write_lineage(lineage: Lineage, folder: Path) -> None:
    """Writes it whole or not at all. Raises BundleError."""
    part = folder / f".{LINEAGE}"
    try:
        text = json.dumps(lineage.state(), ensure_ascii=False, indent=1)
        part.write_text(text, "utf-8")
        part.chmod(0o644)
        part.replace(folder / LINEAGE)
    except OSError as error:
        raise BundleError(
            f"model {folder}: {LINEAGE} cannot be written "
            f"({(error.strerror or '').lower()}); let elkwatch write there"
        ) from error
