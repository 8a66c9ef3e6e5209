"""docs/model.md names every setting of a training."""

from __future__ import annotations

import re
from pathlib import Path

from model import TrainingConfig, setting_names

PAGE = Path(__file__).parents[2] / "docs" / "model.md"


def told() -> set[str]:
    """The settings in the first column of its tables; `.name` is of the one before."""
    names: set[str] = set()
    for row in re.findall(r"^\| (`.*?) \|", PAGE.read_text("utf-8"), re.MULTILINE):
        group = ""
        for name in re.findall(r"`([\w.]+)`", row):
            if name.startswith("."):
                name = group + name
            group = name.rpartition(".")[0]
            names.add(name)
    return names


def test_every_setting_is_explained_and_no_other() -> None:
    assert told() == dict(setting_names(TrainingConfig())).keys()
