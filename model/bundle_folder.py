"""The folder of a bundle: what is in it, whether it is whole, whether it can be made.

Every part has its digest in the manifest. What does not fit is refused in one line that
says how to mend it, before anything of it is read. Beside its parts a bundle may hold
a page for people, which is never read: it may be removed, mailed or written again; and
the names of its classes with their history, which people change without a new model.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.errors import BundleError

FORMAT = 2
MANIFEST = "manifest.json"
REQUIRED = (
    "templates.json",
    "model.json",
    "figures.json",
    "network.safetensors",
    "support.safetensors",
)
DETECTORS, STANDINGS = "detectors/", "standings.json"
DETECTOR_PARTS = (".json", ".npz", ".safetensors", ".skops", ".txt")
OPTIONAL = (
    "kinds.json",
    "kinds.safetensors",
    "presence.json",
    "presence.safetensors",
    "rates.json",
    "README.txt",
)
REPORT = "report.html"
LINEAGE = "lineage.json"


def check_bundle_target(folder: Path) -> None:
    """Makes the folders above; to be called before hours of training.

    Raises BundleError where a bundle cannot be written, or would replace other things.
    """
    if not folder.name or folder.name == "..":
        raise BundleError(
            f"{folder}: is no name for a new folder; choose another --out"
        )
    if folder.exists() and not folder.is_dir():
        raise BundleError(f"{folder}: is a file; choose another --out")
    try:
        foreign = folder.is_dir() and any(folder.iterdir())
        folder.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(prefix=".elkwatch-", dir=folder.parent).cleanup()
    except (FileExistsError, NotADirectoryError) as error:
        raise BundleError(
            f"{folder}: {error.filename} is a file, no folder; choose another --out"
        ) from error
    except OSError as error:
        raise BundleError(
            f"{folder}: no folder can be made there "
            f"({(error.strerror or '').lower()}); choose another --out"
        ) from error
    if foreign and not (folder / MANIFEST).exists():
        raise BundleError(
            f"{folder}: exists and is no model bundle; choose another --out"
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest alone, checked for format. Raises BundleError."""
    path = folder / MANIFEST
    if folder.exists() and not folder.is_dir():
        raise BundleError(f"model {folder}: is a file; name the folder of a model")
    if not folder.is_dir():
        raise BundleError(
            f"model {folder}: there is no such folder; make one with "
            f"`elkwatch train FILE --out {folder}` (or --from-es SOURCE for FILE)"
        )
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BundleError(
            f"model {folder}: holds no {MANIFEST}, so it is no model bundle; "
            "check the path or train again"
        ) from error
    except PermissionError as error:
        raise _unreadable(folder, MANIFEST, error) from error
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(
            f"model {folder}: {MANIFEST} is damaged; restore it or train again"
        ) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise BundleError(
            f"model {folder}: bundle format {str(found)[:20]}, this elkwatch reads "
            f"{FORMAT}; train it again, or use the elkwatch that wrote it"
        )
    return dict(manifest)


def check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuses what is missing, changed or foreign. Raises BundleError."""
    files = manifest.get("files")
    if not isinstance(files, dict) or not set(REQUIRED) <= set(files):
        raise BundleError(
            f"model {folder}: {MANIFEST} does not name all its files; train it again"
        )
    present = set(files_below(folder)) - {MANIFEST, REPORT, LINEAGE}
    for name in sorted(present - set(files)):
        raise BundleError(
            f"model {folder}: {name} does not belong to the bundle and is refused "
            "(only JSON, safetensors and skops are read); remove it"
        )
    for name in sorted(files):
        if name not in (*REQUIRED, *OPTIONAL) and not _of_detector(name):
            raise BundleError(
                f"model {folder}: {name} is no part of a bundle and is refused; "
                "train it again"
            )
        if name not in present:
            raise BundleError(
                f"model {folder}: {name} is missing; restore it or train again"
            )
        if _digest_checked(folder, name) != files[name]:
            raise BundleError(
                f"model {folder}: {name} is truncated or was changed (its digest "
                "differs from the manifest); restore it or train again"
            )


def files_below(folder: Path) -> list[str]:
    """All that lies in a folder and below, but folders with something in them; sorted.

    As paths from there, `/` between.
    """
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink() or not any(path.iterdir())
    )


def _of_detector(name: str) -> bool:
    return name.startswith(DETECTORS) and name.endswith(DETECTOR_PARTS)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest_checked(folder: Path, name: str) -> str:
    try:
        return digest(folder / name)
    except OSError as error:
        raise _unreadable(folder, name, error) from error


def _unreadable(folder: Path, name: str, error: OSError) -> BundleError:
    reason = (error.strerror or "").lower()
    return BundleError(
        f"model {folder}: {name} cannot be read ({reason}); let elkwatch read it, or "
        "restore it"
    )
