"""Field paths are found in every shape a shipper writes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.fieldpaths import compile_path, first_of


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"host": {"name": "a"}}, "a"),
        ({"host.name": "a"}, "a"),
        ({"host": {"ip": "::1"}, "host.name": "a"}, "a"),
        ({"host": [{"ip": "::1"}, {"name": "a"}, {"name": "b"}]}, "a"),
        ({"host": "a"}, None),
        ({"host": None}, None),
        ({"host": {"name": None}}, None),
        ({}, None),
    ],
)
def test_two_segments(source: dict[str, Any], expected: Any) -> None:
    assert compile_path("host.name")(source) == expected


@given(st.lists(st.booleans(), min_size=3, max_size=3), st.booleans())
def test_every_way_to_write_four_segments(joined: list[bool], clutter: bool) -> None:
    """A dot between two segments is either part of a key or a level."""
    keys, segments = [], ["a", "b", "c", "d"]
    key = segments[0]
    for dot_in_key, segment in zip(joined, segments[1:], strict=True):
        if dot_in_key:
            key += "." + segment
        else:
            keys.append(key)
            key = segment
    keys.append(key)
    document: Any = "found"
    for key in reversed(keys):
        document = {key: document} | ({"other": 1, "a.x": 2} if clutter else {})
    assert compile_path("a.b.c.d")(document) == "found"
    assert compile_path("a.b.c.e")(document) is None


def test_shapes_may_be_mixed_in_one_document() -> None:
    source = {"x": {"y": {"w": 1}}, "x.y": {"z": "mixed"}}
    assert compile_path("x.y.z")(source) == "mixed"
    assert compile_path("x.y.w")(source) == 1


def test_the_first_field_that_has_a_value() -> None:
    get = first_of(("message", "body.text"))
    assert get({"body": {"text": "otel"}}) == "otel"
    assert get({"message": "plain", "body": {"text": "otel"}}) == "plain"
    assert get({"message": None, "body.text": "otel"}) == "otel"
    assert get({}) is None
