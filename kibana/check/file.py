"""The file as a whole: its lines, its size, its objects' ids and references."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kibana.check.dashboards import check_dashboard
from kibana.check.defect import Defect, Spot
from kibana.check.envelope import check_envelope, name_of, reference_list
from kibana.check.fields import FieldMap, ViewFields, fields_of
from kibana.check.searches import check_search
from kibana.check.views import check_view

MAX_OBJECTS = 10_000
MAX_BYTES = 26_214_400
#: References of these types must be in the file, or nothing at all is imported.
_MUST_EXIST = {"index-pattern", "search"}


def check_text(text: str, fields: FieldMap) -> list[Defect]:
    """Every defect of a file's text, in the order of the file.

    fields: index pattern → field → mapped type, of what elkwatch itself writes.
    """
    defects: list[Defect] = []
    spot = Spot("", "", defects)
    size = len(text.encode("utf-8", "surrogatepass"))
    spot.need(size <= MAX_BYTES, f"is larger than Kibana takes ({MAX_BYTES} bytes)")
    objects = list(_objects(text, spot))
    spot.need(bool(objects), "holds no saved object; `elkwatch dashboards build`")
    spot.need(len(objects) <= MAX_OBJECTS, f"holds more than {MAX_OBJECTS} objects")
    _check_unique(objects, defects)
    views = {
        str(o.get("id")): _view_fields(o, fields)
        for o in objects
        if o.get("type") == "index-pattern"
    }
    for saved in objects:
        here = Spot(name_of(saved), "", defects)
        if check_envelope(saved, here):
            _check_targets(saved, objects, here)
            _check_kind(saved, views, here)
    return defects


def _objects(text: str, spot: Spot) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        here = Spot(f"line {number}", "", spot.defects)
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            here.tell("is not JSON: one object a line, and nothing else")
            continue
        if not isinstance(found, dict):
            here.tell("must be an object")
        elif "exportedCount" not in found:  # the summary line of an export
            yield found


def _check_unique(objects: list[Mapping[str, Any]], defects: list[Defect]) -> None:
    seen: set[tuple[str, str]] = set()
    for saved in objects:
        key = (str(saved.get("type")), str(saved.get("id")))
        if key in seen:
            Spot(name_of(saved), "", defects).tell(
                "comes twice; Kibana refuses the whole file"
            )
        seen.add(key)


def _view_fields(view: Mapping[str, Any], known: FieldMap) -> ViewFields:
    attributes = view.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    title = attributes.get("title")
    title = title if isinstance(title, str) else ""
    time_field = attributes.get("timeFieldName")
    return ViewFields(
        title,
        time_field if isinstance(time_field, str) else None,
        fields_of(title, known) if title else None,
    )


def _check_targets(
    saved: Mapping[str, Any], objects: list[Mapping[str, Any]], spot: Spot
) -> None:
    """Kibana checks data views and searches only; a missing dashboard shows later."""
    there = {(o.get("type"), o.get("id")) for o in objects if _hashable(o)}
    for reference in reference_list(saved):
        if (reference.type, reference.id) not in there:
            worse = reference.type in _MUST_EXIST
            spot.at("references", reference.name).tell(
                f"{reference.type} {reference.id} is not in the file"
                + ("; nothing would be imported" if worse else "; the link is dead")
            )


def _hashable(saved: Mapping[str, Any]) -> bool:
    return isinstance(saved.get("type"), str) and isinstance(saved.get("id"), str)


def _check_kind(
    saved: Mapping[str, Any], views: Mapping[str, ViewFields], spot: Spot
) -> None:
    match saved["type"]:
        case "index-pattern":
            check_view(saved, views[str(saved["id"])], spot)
        case "search":
            check_search(saved, views, spot)
        case "dashboard":
            check_dashboard(saved, views, spot)
