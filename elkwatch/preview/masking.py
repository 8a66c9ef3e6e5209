"""Answers with what quotes logs masked: findings may be older than the masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kibana.preview import LensView, SearchView

#: Fields that quote log lines, or are named after one.
_EXCERPTS = frozenset({"message", "event.reason", "rule.name", "elkwatch.class.name"})
_LINK = "event.url"

Mask = Callable[[str], str]


def masked_answer(
    view: LensView | SearchView, answer: Mapping[str, Any], mask: Mask
) -> dict[str, Any]:
    """The same answer; a link that holds what a mask hides is left out."""
    columns = view.columns.items() if isinstance(view, LensView) else ()
    quoting = {name for name, own in columns if own.get("sourceField") in _EXCERPTS}

    def part(value: Any, quotes: bool) -> Any:
        if isinstance(value, list):
            return [part(each, quotes) for each in value]
        if not isinstance(value, Mapping):
            return value
        changed: dict[str, Any] = {
            name: _fields(inner, mask)
            if name == "fields"
            else part(inner, name in quoting or (quotes and name == "buckets"))
            for name, inner in value.items()
        }
        key = changed.get("key")
        if quotes and isinstance(key, str):
            changed["key"] = mask(key)
        return changed

    masked: dict[str, Any] = part(answer, False)
    return masked


def _fields(fields: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    return {
        name: [mask(str(value)) for value in values] if name in _EXCERPTS else values
        for name, values in fields.items()
        if name != _LINK or all(mask(str(url)) == url for url in values)
    }
