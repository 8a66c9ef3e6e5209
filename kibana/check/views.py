"""Data views: a title, a time field, and field formats that Kibana knows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kibana.check.defect import Spot
from kibana.check.fields import ViewFields

_KEYS = {
    *("title", "name", "timeFieldName", "allowNoIndex", "allowHidden", "fields"),
    *("fieldAttrs", "fieldFormatMap", "runtimeFieldMap", "sourceFilters", "typeMeta"),
}
_FORMATS = {
    *("url", "static_lookup", "color", "string", "number", "percent", "bytes"),
    *("duration", "date", "date_nanos", "truncate", "boolean", "ip", "relative_date"),
}
_TEXTS = {
    "fields": list,
    "fieldAttrs": dict,
    "fieldFormatMap": dict,
    "runtimeFieldMap": dict,
    "sourceFilters": list,
    "typeMeta": dict,
}
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_NUMBER = r"-?(?:Infinity|[0-9]+(?:\.[0-9]+)?)"
_RANGE = re.compile(f"{_NUMBER}:{_NUMBER}")
_ATTRIBUTES = {"customLabel", "customDescription", "count"}


def check_view(saved: Mapping[str, Any], view: ViewFields, spot: Spot) -> None:
    """One data view."""
    attributes = spot.mapping(saved.get("attributes"), "attributes")
    for key in sorted(set(attributes) - _KEYS):
        spot.tell(f"{key} is no attribute of a data view; leave it out")
    spot.text(attributes.get("title"), "title")
    spot.text(attributes.get("name"), "name")
    time_field = spot.text(attributes.get("timeFieldName"), "timeFieldName")
    if time_field and view.types is not None:
        spot.need(
            view.type_of(time_field) == "date",
            f"timeFieldName {time_field} is no date in {view.title}",
        )
    spot.need(
        attributes.get("allowNoIndex") is True,
        "allowNoIndex must be true: there is no index before the first finding",
    )
    read = {
        key: spot.json(attributes.get(key), key, kind) for key, kind in _TEXTS.items()
    }
    spot.need(not read["fields"], "fields are read live from the mappings; write []")
    for field, marks in read["fieldAttrs"].items():
        _check_field(field, view, spot)
        marks = spot.at(field).mapping(marks, "fieldAttrs")
        strange = sorted(set(marks) - _ATTRIBUTES)
        spot.at(field).need(not strange, f"fieldAttrs have no {', '.join(strange)}")
        spot.at(field).need(bool(marks), "fieldAttrs say nothing; leave them out")
        if "customLabel" in marks:
            spot.at(field).text(marks["customLabel"], "customLabel")
    for field, form in read["fieldFormatMap"].items():
        _check_field(field, view, spot)
        _check_format(form, spot.at(field))


def _check_field(field: str, view: ViewFields, spot: Spot) -> None:
    spot.need(view.has(field), f"{field} is not in {view.title}")


def _check_format(value: Any, spot: Spot) -> None:
    form = spot.mapping(value, "format")
    if not form:
        return
    kind = spot.text(form.get("id"), "format id")
    spot.need(
        not kind or kind in _FORMATS,
        f"Kibana has no field format {kind}; it fails where the field is shown",
    )
    params = spot.mapping(form.get("params"), "params")
    spot.need(
        "parsedUrl" not in json.dumps(form),
        "parsedUrl overrides Kibana's own address; leave it out",
    )
    checks = {"url": _url, "static_lookup": _lookup, "color": _colour}
    checks.get(kind, _anything)(params, spot)
    if kind == "duration":
        spot.text(params.get("inputFormat"), "inputFormat")
        spot.text(params.get("outputFormat"), "outputFormat")


def _anything(params: Mapping[str, Any], spot: Spot) -> None:
    """Formats whose parameters all have defaults."""


def _url(params: Mapping[str, Any], spot: Spot) -> None:
    spot.need(
        params.get("type", "a") in ("a", "img", "audio"),
        "type of a url format must be a, img or audio",
    )
    template = params.get("urlTemplate")
    if template is not None:
        text = spot.text(template, "urlTemplate")
        spot.need(
            not text.startswith("/"),
            "urlTemplate begins with /: that breaks in every space but the first; "
            "write ../app/… ",
        )
        spot.need(
            not text or "{{value}}" in text or "{{rawValue}}" in text,
            "urlTemplate does not use {{value}}",
        )
        _only_known(text, {"value", "rawValue"}, "urlTemplate", spot)
        spot.need(
            "_a=(" not in text and "_g=(" not in text,
            "urlTemplate builds a link of a value, and one with a quotation mark "
            "breaks it; write the whole link into the field",
        )
        spot.need(
            "#/view/" not in text,
            "urlTemplate names an id in a text: ids change in another space",
        )
    label = spot.text(params.get("labelTemplate"), "labelTemplate")
    spot.need("{{rawValue}}" not in label, "labels have no {{rawValue}} before 9.x")
    _only_known(label, {"value", "url", "rawValue"}, "labelTemplate", spot)


def _only_known(text: str, known: set[str], name: str, spot: Spot) -> None:
    for variable in sorted(set(_VARIABLE.findall(text)) - known):
        spot.tell(f"{name} has no variable {variable}: it vanishes")


def _lookup(params: Mapping[str, Any], spot: Spot) -> None:
    entries = spot.items(params.get("lookupEntries"), "lookupEntries")
    spot.need(bool(entries), "lookupEntries are empty")
    for i, entry in enumerate(entries):
        here = spot.at("lookupEntries", i)
        pair = here.mapping(entry, "entry")
        here.text(pair.get("key"), "key (a text, also of a number)")
        here.text(pair.get("value"), "value")


def _colour(params: Mapping[str, Any], spot: Spot) -> None:
    kind = params.get("fieldType")
    spot.need(
        kind in ("string", "number", "boolean"),
        "fieldType is missing: without it older versions colour nothing",
    )
    colours = spot.items(params.get("colors"), "colors")
    spot.need(bool(colours), "colors are empty")
    key = {"string": "regex", "number": "range", "boolean": "boolean"}.get(str(kind))
    for i, value in enumerate(colours):
        here = spot.at("colors", i)
        colour = here.mapping(value, "colour")
        for name in ("text", "background", *([key] if key else [])):
            here.text(colour.get(name), name)
        if kind == "string" and isinstance(colour.get("regex"), str):
            here.need(_is_pattern(colour["regex"]), "regex cannot be read")
        if kind == "number" and isinstance(colour.get("range"), str):
            here.need(
                _RANGE.fullmatch(colour["range"]) is not None,
                "range must be two numbers such as 0:10",
            )


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
