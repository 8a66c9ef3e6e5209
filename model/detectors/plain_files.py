"""The files of a detector: JSON, and scikit-learn's estimators by skops. No pickle.

skops loads only types that it knows to be harmless, or that stand in TRUSTED: the
trees of scikit-learn itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import skops.io

STATE, ESTIMATOR = "state.json", "estimator.skops"
TRUSTED = ("sklearn.tree._tree.Tree",)


def write_json(folder: Path, state: object) -> None:
    """Writes `state.json` of a detector."""
    text = json.dumps(state, ensure_ascii=False, sort_keys=True)
    (folder / STATE).write_text(text, "utf-8")


def read_json(folder: Path) -> Any:
    """Reads `state.json` of a detector."""
    return json.loads((folder / STATE).read_text("utf-8"))


def write_estimator(folder: Path, estimator: object) -> None:
    """Writes `estimator.skops`."""
    skops.io.dump(estimator, folder / ESTIMATOR)


def read_estimator(folder: Path) -> Any:
    """Reads `estimator.skops`; refuses any type that is not trusted."""
    return skops.io.load(folder / ESTIMATOR, trusted=list(TRUSTED))
