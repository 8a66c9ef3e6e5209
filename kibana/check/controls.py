"""The controls above a dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kibana.check.defect import Spot
from kibana.check.fields import ViewFields, kind_of
from kibana.objects import Reference

_GROUP = {
    "controlStyle",
    "chainingSystem",
    "panelsJSON",
    "ignoreParentSettingsJSON",
}
_IGNORE = {"ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations"}
_SUFFIX = {
    "optionsListControl": "optionsListDataView",
    "rangeSliderControl": "rangeSliderDataView",
}
#: What the values of a control can be listed of.
_LISTED = {"keyword", "boolean", "ip"}


def check_controls(
    value: Any,
    references: Sequence[Reference],
    views: Mapping[str, ViewFields],
    spot: Spot,
) -> set[str]:
    """The control group; → the names of the references that it uses."""
    group = spot.mapping(value, "controlGroupInput")
    here = spot.at("controls")
    for key in sorted(set(group) ^ _GROUP):
        wrong = "is unknown to 8.12" if key in group else "is missing"
        here.tell(f"{key} {wrong}")
    here.need(
        group.get("controlStyle") in ("oneLine", "twoLine"),
        "controlStyle must be oneLine or twoLine",
    )
    here.need(
        group.get("chainingSystem") in ("HIERARCHICAL", "NONE"),
        "chainingSystem must be HIERARCHICAL or NONE",
    )
    ignored = here.json(
        group.get("ignoreParentSettingsJSON"), "ignoreParentSettingsJSON", dict
    )
    for key in sorted(set(ignored) ^ _IGNORE):
        wrong = "is unknown" if key in ignored else "is missing"
        here.at("ignoreParentSettingsJSON").tell(f"{key} {wrong}")
    controls = here.json(group.get("panelsJSON"), "panelsJSON", dict)
    orders = [c.get("order") for c in controls.values() if isinstance(c, dict)]
    here.need(
        sorted(map(str, orders)) == sorted(str(i) for i in range(len(controls))),
        "the order of the controls must be 0, 1, 2 …",
    )
    by_name = {reference.name: reference for reference in references}
    used = set()
    for key, control in controls.items():
        used.add(_check_control(key, control, by_name, views, here.at(key)))
    return used


def _check_control(
    key: str,
    value: Any,
    references: Mapping[str, Reference],
    views: Mapping[str, ViewFields],
    spot: Spot,
) -> str:
    control = spot.mapping(value, "control")
    kind = control.get("type")
    suffix = _SUFFIX.get(kind) if isinstance(kind, str) else None
    spot.need(suffix is not None, f"type must be one of {', '.join(sorted(_SUFFIX))}")
    spot.need(":" not in key, "an id may hold no colon")
    spot.need(
        control.get("width") in ("small", "medium", "large"),
        "width must be small, medium or large",
    )
    spot.need(isinstance(control.get("grow"), bool), "grow must be true or false")
    given = spot.mapping(control.get("explicitInput"), "explicitInput")
    spot.need(
        given.get("id") == key,
        "explicitInput.id must be the control's key: 8.x and 9.x look at one each",
    )
    spot.need(
        "dataViewId" not in given, "dataViewId stands in the references; leave it out"
    )
    spot.text(given.get("title"), "title")
    field = spot.text(given.get("fieldName"), "fieldName")
    if kind == "optionsListControl":
        spot.items(given.get("selectedOptions"), "selectedOptions")
        _check_listing(given, spot)
    elif "value" in given:
        ends = spot.items(given["value"], "value")
        good = len(ends) == 2 and all(isinstance(end, str) for end in ends)
        spot.need(good, "value must be two texts, also of numbers")
    name = f"controlGroup_{key}:{suffix}"
    _check_reference(name, kind, field, references.get(name), views, spot)
    return name


def _check_reference(
    name: str,
    kind: Any,
    field: str,
    reference: Reference | None,
    views: Mapping[str, ViewFields],
    spot: Spot,
) -> None:
    """Whether the data view is named, and has a field that this control can show."""
    if not spot.need(reference is not None, f"no reference named {name}"):
        return
    assert reference is not None
    spot.need(reference.type == "index-pattern", f"{name} must be an index-pattern")
    view = views.get(reference.id)
    if view is not None and view.types is not None and field:
        found = view.type_of(field)
        if kind == "rangeSliderControl":
            usable, wanted = found is not None and kind_of(found) == "number", "number"
        else:
            usable, wanted = found in _LISTED, "keyword"
        spot.need(
            usable,
            f"{field} is no {wanted} in {view.title}: the control shows an error",
        )


def _check_listing(given: Mapping[str, Any], spot: Spot) -> None:
    """How the values of a list are found and sorted, where that is said."""
    if "searchTechnique" in given:
        spot.need(
            given["searchTechnique"] in ("prefix", "wildcard", "exact"),
            "searchTechnique must be prefix, wildcard or exact",
        )
    if "sort" in given:
        sort = spot.mapping(given["sort"], "sort")
        spot.need(
            sort.get("by") in ("_count", "_key")
            and sort.get("direction") in ("asc", "desc"),
            "sort needs by (_count or _key) and direction (asc or desc)",
        )
