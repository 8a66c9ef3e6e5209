"""Whether an object in Kibana still says what was put there.

Kibana never gives back the bytes it was given: it migrates, adds defaults, times and
versions. So what is compared is what an object *means*:

- JSON within texts (`panelsJSON`, `fieldFormatMap`, …) is read, order of keys is none;
- absent, null and empty are the same;
- times, versions, owners, a data view's field list and how often a field was looked at
  are left out;
- ids of the space are told by our own, references by their names;
- a saved search with one tab (9.x) is what older versions keep at its top.

Where the same version of Kibana wrote both sides, anything that was added counts too.
Else what Kibana may have added counts as nothing; what changed or went missing counts.
In doubt an object is taken for edited: nothing of anybody is lost that way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_NOISE = {"hits", "version"}
_EMPTY: tuple[object, ...] = (None, "", [], {})

Meaning = Mapping[str, Any]


def meaning(document: Mapping[str, Any], our_ids: Mapping[str, str]) -> Meaning:
    """What a saved object says. `our_ids`: id in that space → id in our file."""
    attributes = {
        name: value
        for name, value in _read(document.get("attributes") or {}, our_ids).items()
        if name not in _NOISE
    }
    if document.get("type") == "index-pattern":
        attributes = _without_usage(attributes)
    if document.get("type") == "search":
        attributes = _without_tabs(attributes)
    references = {
        str(r.get("name")): [r.get("type"), our_ids.get(str(r.get("id")), r.get("id"))]
        for r in document.get("references") or ()
    }
    return {**attributes, "references": references}


def differences(
    before: Meaning, now: Meaning, *, additions: bool = True
) -> tuple[str, ...]:
    """Where two meanings differ, as paths. `additions`: new keys count as well."""
    return tuple(_differ("", before, now, additions))


def _differ(path: str, before: Any, now: Any, additions: bool) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        names = [*before, *(n for n in now if additions and n not in before)]
        for name in sorted(names):
            inner = f"{path}.{name}" if path else name
            yield from _differ(inner, before.get(name), now.get(name), additions)
    elif isinstance(before, list) and isinstance(now, list):
        if len(before) != len(now):
            yield path
            return
        for at, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from _differ(f"{path}[{at}]", old, new, additions)
    elif before != now and not (before in _EMPTY and now in _EMPTY):
        yield path


def _read(value: Any, our_ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                return _read(json.loads(value), our_ids)
            except (ValueError, RecursionError):
                return value
        return our_ids.get(value, value)
    if isinstance(value, dict):
        read = {name: _read(inner, our_ids) for name, inner in value.items()}
        return {name: inner for name, inner in read.items() if inner not in _EMPTY}
    if isinstance(value, list):
        return [_read(item, our_ids) for item in value]
    return value


def _without_usage(attributes: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in attributes.items() if name != "fields"}
    labels = kept.pop("fieldAttrs", {})
    told = {
        field: {name: value for name, value in label.items() if name != "count"}
        for field, label in labels.items()
        if isinstance(label, dict)
    }
    return {**kept, "fieldAttrs": {f: label for f, label in told.items() if label}}


def _without_tabs(attributes: dict[str, Any]) -> dict[str, Any]:
    match attributes.get("tabs"):
        case [{"attributes": dict() as shown}]:
            rest = {n: v for n, v in attributes.items() if n != "tabs"}
            return {**shown, **rest}
    return attributes
