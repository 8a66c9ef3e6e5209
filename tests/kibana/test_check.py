"""The checker finds each way to break the file, and never fails itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elkwatch.kibana_objects import known_fields
from kibana import check_text
from kibana.check.kql import kql_fields
from tests.kibana.built import Built, defects_of, leaves
from tests.kibana.mutations import MUTATIONS, SUBJECTS, broken


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_mutation_is_found(name: str) -> None:
    phrase, defects = broken(name)
    assert any(phrase in str(defect) for defect in defects), defects


def test_there_are_many_mutations_and_the_unbroken_file_has_no_defect() -> None:
    assert len(MUTATIONS) == sum(map(len, SUBJECTS.values())) >= 40
    assert defects_of(Built()) == []


_STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        0,
        -1,
        1e400,
        True,
        "",
        "x",
        [],
        {},
        [None],
        {"": None},
        [[]],
        "\ud800",
        "[]",
    ]
)
_PATHS = list(leaves(Built().objects))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_PATHS), _STRANGE)
def test_whatever_stands_anywhere_is_data(path: tuple[Any, ...], value: Any) -> None:
    built = Built()
    here: Any = built.objects
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    for defect in defects_of(built):
        assert str(defect).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '{"type": 1}',
        '{"type": ["dashboard"], "id": {}, "attributes": 3}',
        '{"type": "dashboard", "id": "x", "attributes": {"panelsJSON": "[[]]"}}',
        "[" * 100_000,
        "\x00",
        '{"type": "dashboard", "id": "' + "x" * 100_000 + '", "attributes": {}}',
    ],
)
def test_hostile_files_are_told_of(text: str) -> None:
    defects = check_text(text, known_fields())
    assert defects
    assert all(len(str(defect)) < 1000 for defect in defects)


def test_defects_name_object_place_and_cure() -> None:
    built = Built()
    built.panel("lag")["gridData"]["w"] = 12
    (defect,) = defects_of(built)
    assert str(defect) == (
        "dashboard elkwatch-overview: panel lag: does not fit the 48 columns"
    )


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", set()),
        ("a.b : 1", {"a.b"}),
        ('a : "x : y" and not (b >= 3 or c : *)', {"a", "b", "c"}),
        ("labels.* : x", set()),
        ('message : "\\"quoted\\""', {"message"}),
        ("just words", set()),
    ],
)
def test_fields_of_a_query(query: str, fields: set[str]) -> None:
    assert kql_fields(query) == fields


@pytest.mark.parametrize(
    "query", ['a : "x', "a : (b", "a : b)", ": x", "a :", "a : b and", "or b : c"]
)
def test_queries_that_cannot_be_read(query: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        kql_fields(query)


def test_an_export_of_kibana_can_be_checked() -> None:
    """The summary line and what the server adds are no defects."""
    built = Built()
    for saved in built.objects:
        saved |= {"version": "WzEsMV0=", "updated_at": "2026-01-01T00:00:00Z"}
    text = built.text() + json.dumps({"exportedCount": 6, "missingRefCount": 0})
    assert check_text(text, known_fields()) == []
