"""Pages written from the program are current, and leave nothing out."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector import templates
from elkwatch.reference import PAGES
from elkwatch.reference.fields import descriptions, mapped_fields
from model.catalogue import load_catalogue

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_program_says(name: str) -> None:
    page = (DOCS / name).read_text("utf-8")
    assert page == PAGES[name](), f"docs/{name} is out of date: run `make docs`"


def test_every_field_is_described_and_every_description_has_a_field() -> None:
    mapped = {f.path for t in templates().values() for f in mapped_fields(t)}
    assert mapped == set(descriptions())


def test_every_kind_and_every_rule_is_on_the_page() -> None:
    page = PAGES["classes.md"]()
    catalogue = load_catalogue()
    ids = [*catalogue.patterns, *(r.entry.entry_id for r in catalogue.rules)]
    assert [i for i in ids if f"`{i}`" not in page] == []


def test_messages_are_found_as_they_are_told() -> None:
    page = PAGES["errors.md"]()
    assert "…: permission denied; let elkwatch read it" in page
    assert "### PartialResults" in page
    assert "**Passes by itself.**" in page
    for told in (
        "two … are called …; give each its own name",  # of the configuration
        "hides whole lines",  # of a value there
        "give --session-field or --session-pattern, not both",  # of the command line
        "### DeliveryError",
        "free some space, nothing was written",  # made by a function
    ):
        assert told in page, told
