"""docs/detectors.md tells of every detector, and of none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from model import DETECTORS

PAGE = Path(__file__).parents[2] / "docs" / "detectors.md"


def test_the_table_has_a_row_for_each_detector() -> None:
    section = PAGE.read_text("utf-8").partition("## Which one")[2].partition("## ")[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)
    assert sorted(rows) == sorted(entry.name for entry in DETECTORS)
