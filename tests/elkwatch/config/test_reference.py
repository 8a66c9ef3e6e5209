"""The reference of all keys."""

from __future__ import annotations

from pathlib import Path

from elkwatch.config import reference


def test_the_reference_is_written_from_the_schema() -> None:
    page = Path(__file__).parents[3] / "docs" / "configuration.md"
    assert page.read_text(encoding="utf-8") == reference.reference()
    assert [key.path for key in reference.all_keys() if not key.description] == []
