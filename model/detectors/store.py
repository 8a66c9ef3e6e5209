"""A fitted detector as a folder: its own files, and one that vouches for them.

    detector.json    format, name, threshold, digest of the templates, of every file
    …                what the detector itself writes: JSON, npz, safetensors, skops

Loading checks every digest first and refuses, in one line, a folder that is damaged or
incomplete, holds anything else, or belongs to other templates.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from model.bundle_folder import DETECTOR_PARTS, digest, files_below
from model.detectors.protocol import Detector, Setting
from model.detectors.registry import make
from model.errors import DetectorError
from model.vocabulary import Vocabulary

FORMAT = 1
MANIFEST = "detector.json"


def save_detector(detector: Detector, folder: Path, vocabulary: Vocabulary) -> None:
    """Writes a fitted detector into a new or empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    detector.save(folder)
    manifest = {
        "format": FORMAT,
        "name": detector.name,
        "threshold": detector.threshold,
        "templates": _templates(vocabulary),
        "files": {name: digest(folder / name) for name in _files(folder)},
    }
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text, "utf-8")


def load_detector(folder: Path, setting: Setting) -> Detector:
    """Reads a fitted detector. Raises DetectorError with one line."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        _check(folder, manifest, setting.vocabulary)
        detector = make(str(manifest["name"]), setting)
        detector.load(folder)
        detector.threshold = float(manifest["threshold"])
        if math.isnan(detector.threshold):
            raise ValueError("the threshold is no number")
    except DetectorError:
        raise
    except Exception as error:
        raise DetectorError(
            f"detector {folder}: cannot be read ({type(error).__name__}); "
            "restore it, or train it again"
        ) from error
    return detector


def size_bytes(folder: Path) -> int:
    """What a saved detector takes on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _check(folder: Path, manifest: dict[str, Any], vocabulary: Vocabulary) -> None:
    if manifest["format"] != FORMAT:
        raise _refused(folder, "is of a format that this elkwatch does not read")
    named = manifest["files"]
    for name in sorted({*named, *_files(folder)}):
        if name not in named or not name.endswith(DETECTOR_PARTS):
            raise _refused(folder, f"{name} does not belong to it")
        if not (folder / name).is_file():
            raise _refused(folder, f"{name} is missing")
        if digest(folder / name) != named[name]:
            raise _refused(folder, f"{name} is truncated or was changed")
    if manifest["templates"] != _templates(vocabulary):
        raise _refused(folder, "was fitted on the templates of another model")


def _refused(folder: Path, what: str) -> DetectorError:
    return DetectorError(
        f"detector {folder}: {what}; restore it, or train it again with "
        "`elkwatch train --detector NAME`"
    )


def _files(folder: Path) -> list[str]:
    """All files below a folder but its manifest, as paths from there."""
    return [name for name in files_below(folder) if name != MANIFEST]


def _templates(vocabulary: Vocabulary) -> str:
    """A digest of the templates: event ids mean nothing without them."""
    text = json.dumps(vocabulary.texts, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
