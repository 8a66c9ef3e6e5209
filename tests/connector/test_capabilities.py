"""By which query a value is found, for every way a field can be mapped."""

from __future__ import annotations

from typing import Any

import pytest

from connector.capabilities import Capabilities


def capabilities(**fields: dict[str, Any]) -> Capabilities:
    """Fields of indices a and b; dots in names are written as two underscores."""
    named = {name.replace("__", "."): kinds for name, kinds in fields.items()}
    return Capabilities({"indices": ["a", "b"], "fields": named})


def kind(searchable: bool = True, *indices: str) -> dict[str, Any]:
    return {"searchable": searchable} | ({"indices": list(indices)} if indices else {})


def test_values_of_keywords_by_terms() -> None:
    found = capabilities(sid={"keyword": kind()}).value_clause("sid", ["x", "y"])
    assert found == {"terms": {"sid": ["x", "y"]}}


def test_values_of_texts_by_their_keyword_where_it_is_everywhere() -> None:
    covered = capabilities(
        sid={"text": kind()}, sid__keyword={"keyword": kind()}
    ).value_clause("sid", ["x", "y" * 256])
    assert covered == {
        "bool": {
            "should": [
                {"terms": {"sid.keyword": ["x", "y" * 256]}},
                {"match_phrase": {"sid": "y" * 256}},
            ],
            "minimum_should_match": 1,
        }
    }
    partly = capabilities(
        sid={"text": kind()},
        sid__keyword={"keyword": kind(True, "a"), "unmapped": kind(False, "b")},
    ).value_clause("sid", ["x"])
    assert partly is not None
    assert {"match_phrase": {"sid": "x"}} in partly["bool"]["should"]


@pytest.mark.parametrize(
    "kinds",
    [
        {},
        {"unmapped": {}},
        {"keyword": {}, "long": {}},
        {"geo_point": {}},
        {"object": {}},
    ],
)
def test_values_that_no_query_finds(kinds: dict[str, Any]) -> None:
    assert capabilities(sid=kinds).value_clause("sid", ["x"]) is None


def test_numbers_by_terms() -> None:
    found = capabilities(sid={"long": kind()}).value_clause("sid", ["7"])
    assert found == {"terms": {"sid": ["7"]}}


def test_words_within_texts_and_keywords() -> None:
    known = capabilities(
        message={"text": kind()},
        body__text={"keyword": kind()},
        event__original={"keyword": kind(False)},
    )
    paths = ["message", "body.text", "event.original", "nowhere"]
    assert known.contains_clause(paths, [r"a*b?\\c"]) == {
        "bool": {
            "should": [
                {"match_phrase": {"message": r"a*b?\\c"}},
                {"wildcard": {"body.text": {"value": r"*a\*b\?\\\\c*"}}},
            ],
            "minimum_should_match": 1,
        }
    }
    assert known.contains_clause(["event.original", "nowhere"], ["x"]) is None


def test_where_a_field_is_mapped() -> None:
    known = capabilities(
        everywhere={"keyword": kind()},
        somewhere={"keyword": kind(True, "a"), "unmapped": kind(False, "b")},
        labels={"flattened": kind()},
    )
    assert known.everywhere("everywhere")
    assert not known.everywhere("somewhere")
    assert not known.everywhere("nowhere")
    assert known.types("labels.sid") == ("flattened",)
    assert known.types("other.sid") == ()
    assert known.indices_of("somewhere", "keyword") == {"a"}


def test_a_text_has_a_keyword_where_each_index_that_has_the_text_has_it() -> None:
    both = {"sid": {"text": kind()}, "sid__keyword": {"keyword": kind()}}
    assert capabilities(**both).has_keyword("sid")
    partly = {**both, "sid__keyword": {"keyword": kind(True, "a")}}
    assert not capabilities(**partly).has_keyword("sid")
    assert not capabilities(sid={"text": kind()}).has_keyword("sid")
    assert not capabilities(sid={"keyword": kind()}).has_keyword("sid")
