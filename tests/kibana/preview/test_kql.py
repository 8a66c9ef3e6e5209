"""Queries: what Kibana makes of KQL."""

from __future__ import annotations

from typing import Any

import pytest

from kibana.preview.kql import kql_query

A, B, C = ({"match": {name: "1"}} for name in "abc")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", {"match_all": {}}),
        ("a : 1", A),
        ('a: "x y"', {"match_phrase": {"a": "x y"}}),
        ('a: "say \\"no\\""', {"match_phrase": {"a": 'say "no"'}}),
        ("a : x y", {"match": {"a": "x y"}}),
        ("a : *", {"exists": {"field": "a"}}),
        ("a : x-*", {"query_string": {"fields": ["a"], "query": "x\\-*"}}),
        ("a : x\\*", {"match": {"a": "x*"}}),
        ("a >= 5", {"range": {"a": {"gte": "5"}}}),
        ("not a : 1", {"bool": {"must_not": [A]}}),
        ("a : 1 and b : 1", {"bool": {"filter": [A, B]}}),
        (
            "a : 1 or b : 1 and c : 1",
            {
                "bool": {
                    "should": [A, {"bool": {"filter": [B, C]}}],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "(a : 1 or b : 1) and c : 1",
            {
                "bool": {
                    "filter": [
                        {"bool": {"should": [A, B], "minimum_should_match": 1}},
                        C,
                    ]
                }
            },
        ),
        (
            'a : (1 or "2" and not 3)',
            {
                "bool": {
                    "should": [
                        A,
                        {
                            "bool": {
                                "filter": [
                                    {"match_phrase": {"a": "2"}},
                                    {"bool": {"must_not": [{"match": {"a": "3"}}]}},
                                ]
                            }
                        },
                    ],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "oops",
            {"multi_match": {"query": "oops", "type": "best_fields", "lenient": True}},
        ),
    ],
)
def test_kql_becomes_what_kibana_makes_of_it(text: str, query: Any) -> None:
    assert kql_query(text) == query


@pytest.mark.parametrize(
    "text", ["a :", "a : 1 and", "(a : 1", 'a : "x', "a : {b : 1}"]
)
def test_kql_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"KQL|nothing|closed|joins"):
        kql_query(text)
