"""What two forms of one object have in common, and what is an edit."""

from __future__ import annotations

import json
from typing import Any

from kibana.compare import differences, meaning


def dashboard(panels: Any, **more: Any) -> dict[str, Any]:
    attributes = {"title": "Board", "panelsJSON": json.dumps(panels), **more}
    return {"type": "dashboard", "id": "d", "attributes": attributes, "references": []}


def apart(before: Any, now: Any, *, additions: bool = True) -> tuple[str, ...]:
    known = {"0b7e": "elkwatch-findings"}
    return differences(meaning(before, known), meaning(now, known), additions=additions)


def test_order_of_keys_and_empty_values_say_nothing() -> None:
    before = dashboard([{"b": 1, "a": {}}], description="", version=1)
    assert apart(before, dashboard([{"a": None, "b": 1}], hits=0)) == ()


def test_ids_within_texts_are_told_by_ours() -> None:
    """Saving in the browser writes the ids of the space into the panels."""
    before = dashboard([{"references": [{"id": "elkwatch-findings"}]}])
    assert apart(before, dashboard([{"references": [{"id": "0b7e"}]}])) == ()
    other = dashboard([{"references": [{"id": "another"}]}])
    assert apart(before, other) == ("panelsJSON[0].references[0].id",)


def test_what_was_added_counts_only_within_one_version() -> None:
    before, now = dashboard([]), dashboard([], newer={"default": True})
    assert apart(before, now) == ("newer",)
    assert apart(before, now, additions=False) == ()
    assert apart(now, before, additions=False) == ("newer",)


def test_zero_and_false_are_values() -> None:
    assert apart(dashboard([{"x": 0}]), dashboard([{}])) == ("panelsJSON[0].x",)
    assert apart(dashboard([{}]), dashboard([{"x": False}])) == ("panelsJSON[0].x",)


def test_text_that_is_no_json_is_text() -> None:
    before = dashboard([], note="[Detail](#/view/d)")
    assert apart(before, before) == ()
    assert apart(before, dashboard([], note="[Other](#/view/d)")) == ("note",)
