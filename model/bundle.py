"""A model bundle: one folder, weights as safetensors, everything else as JSON.

    manifest.json        format, version, date, what it was trained on, a digest a file
    templates.json       the frozen templates: texts, which clusters each covers
    model.json           support, calibration, classes, baselines, vocabulary's order
    kinds.json           stage 4 without its weights        (only where classes exist)
    presence.json        which templates decide, without weights   (only where they do)
    *.safetensors        the weights and arrays
    figures.json         the quality figures of the training
    detectors/           other detectors, if any was fitted (chosen_detector.py)
    rates.json           what is usual of the services over time
    lineage.json         the classes over trainings: names, prototypes, history; people
                         rename classes, so it has no digest and no part in the version
    report.html          the same for people; never read, and no part of the version

Nothing is ever unpickled. Loading checks every digest first and refuses, in one line,
a folder that is damaged, incomplete, of another format, or holds anything else. What
detectors keep has no part in the version, but for how they scored: skops names its
arrays anew each time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from model.bundle_folder import (
    DETECTORS,
    FORMAT,
    MANIFEST,
    REPORT,
    STANDINGS,
    check_bundle_target,
    check_files,
    digest,
    files_below,
    read_manifest,
)
from model.bundle_lineage import write_lineage
from model.bundle_parts import read_parts, write_json, write_parts
from model.bundle_shelf import put_instead
from model.errors import BundleError, ModelError
from model.trained import TrainedModel

if TYPE_CHECKING:
    from model.chosen_detector import FittedDetectors


def save_bundle(
    model: TrainedModel,
    folder: Path,
    *,
    now: datetime,
    trained_on: Mapping[str, Any] | None = None,
    keep_older: bool = True,
    detectors: FittedDetectors | None = None,
) -> str:
    """Writes a model; returns its version. An older bundle there is kept beside it,
    or goes, as `keep_older` says.

    The version comes from the content, so that equal training gives an equal version.
    Raises BundleError where the folder holds something else.
    """
    check_bundle_target(folder)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        write_parts(model, work)
        if detectors is not None:
            detectors.write(work, model)
        digests = {name: digest(work / name) for name in files_below(work)}
        version = _version(digests)
        manifest = {
            "format": FORMAT,
            "version": version,
            "trained_at": now.isoformat(),
            "trained_on": dict(trained_on or {}),
            "configuration": model.configuration,
            "files": digests,
        }
        write_json(work / MANIFEST, manifest)
        write_lineage(model.lineage.stamped(now), work)
        for part in (work, *work.rglob("*")):
            part.chmod(0o755 if part.is_dir() else 0o644)
        if keep_older:
            _put_in_place(work, folder)
        else:
            put_instead(work, folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return version


def put_report(folder: Path, page: str) -> Path:
    """Writes the page for people into a bundle, whole or not at all; → its path."""
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}-", dir=folder.parent
    ) as work:
        part = Path(work) / REPORT
        part.write_text(page, "utf-8", "replace")
        part.chmod(0o644)
        return part.replace(folder / REPORT)


def load_bundle(folder: Path) -> TrainedModel:
    """Reads a model. Raises BundleError with one line that says how to mend it."""
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    try:
        return read_parts(folder, manifest)
    except BundleError as error:
        raise BundleError(f"model {folder}: {error}") from error
    except (
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        OSError,
        MemoryError,
        SafetensorError,
        ModelError,
    ) as error:
        raise BundleError(
            f"model {folder}: its parts do not fit together "
            f"({type(error).__name__}); train it again"
        ) from error


def _put_in_place(work: Path, folder: Path) -> None:
    """Renames into place; an older bundle is kept as FOLDER.VERSION."""
    if not (folder / MANIFEST).exists():
        if folder.is_dir():
            folder.rmdir()
        work.rename(folder)
        return
    kept = folder.with_name(f"{folder.name}.{_version_there(folder)}")
    shutil.rmtree(kept, ignore_errors=True)
    folder.rename(kept)
    try:
        work.rename(folder)
    except BaseException:
        if not folder.exists():
            kept.rename(folder)
        raise


def _version_there(folder: Path) -> str:
    try:
        return str(read_manifest(folder).get("version", "old"))[:40].replace("/", "-")
    except BundleError:
        return "old"


def _version(digests: Mapping[str, str]) -> str:
    told = {
        name: value
        for name, value in digests.items()
        if not name.startswith(DETECTORS) or name.endswith(STANDINGS)
    }
    text = json.dumps(told, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:12]
