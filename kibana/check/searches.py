"""Saved searches: only attributes of the stamped version, columns that exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kibana.check.defect import Spot
from kibana.check.envelope import reference_list
from kibana.check.fields import ViewFields
from kibana.check.queries import check_search_source

SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index"
_KEYS = {
    *("title", "description", "columns", "sort", "grid", "rowHeight", "rowsPerPage"),
    *("hideChart", "breakdownField", "kibanaSavedObjectMeta", "isTextBasedQuery"),
    *("usesAdHocDataView", "timeRestore", "timeRange", "refreshInterval", "viewMode"),
    *("hideAggregatedPreview", "hits", "version"),
}


def check_search(
    saved: Mapping[str, Any], views: Mapping[str, ViewFields], spot: Spot
) -> None:
    """One saved search."""
    attributes = spot.mapping(saved.get("attributes"), "attributes")
    for key in sorted(set(attributes) - _KEYS):
        spot.tell(f"{key} is no attribute of version 8.0.0: Kibana refuses the search")
    spot.text(attributes.get("title"), "title")
    view = _view(saved, views, spot)
    meta = spot.mapping(
        attributes.get("kibanaSavedObjectMeta"), "kibanaSavedObjectMeta"
    )
    if isinstance(attributes.get("kibanaSavedObjectMeta"), dict):
        check_search_source(meta.get("searchSourceJSON"), view, spot, index_name=SOURCE)
    columns = list(spot.items(attributes.get("columns"), "columns"))
    for column in columns:
        spot.at("columns").need(
            isinstance(column, str) and (view is None or view.has(column)),
            f"{column} is not in {view.title if view else 'the data view'}",
        )
    spot.need(bool(columns), "columns are empty: Discover shows whole documents")
    _check_sort(attributes.get("sort"), view, spot)
    _check_grid(attributes.get("grid"), columns, spot)


def _view(
    saved: Mapping[str, Any], views: Mapping[str, ViewFields], spot: Spot
) -> ViewFields | None:
    named = {r.name: r for r in reference_list(saved)}
    spot.need(SOURCE in named, f"no reference named {SOURCE}: the panel shows an error")
    for name in sorted(set(named) - {SOURCE}):
        spot.at("references", name).tell("is used nowhere; leave it out")
    reference = named.get(SOURCE)
    if reference is None:
        return None
    spot.need(
        reference.type == "index-pattern", f"{SOURCE} must refer to an index-pattern"
    )
    return views.get(reference.id)


def _check_sort(value: Any, view: ViewFields | None, spot: Spot) -> None:
    pairs = spot.items(value, "sort")
    spot.need(bool(pairs), "sort is empty; newest first is [[time, desc]]")
    for pair in pairs:
        good = (
            isinstance(pair, list)
            and len(pair) == 2
            and isinstance(pair[0], str)
            and pair[1] in ("asc", "desc")
        )
        if spot.need(good, "sort must hold pairs of a field and asc or desc"):
            known = view is None or view.has(pair[0])
            spot.need(known, f"sort: {pair[0]} is not in the data view")


def _check_grid(value: Any, columns: list[Any], spot: Spot) -> None:
    grid = spot.mapping(value, "grid")
    for name, setting in spot.mapping(grid.get("columns", {}), "grid columns").items():
        here = spot.at("grid", name)
        here.need(name in columns, "is no column of the search")
        kept = here.mapping(setting, "setting")
        here.need(
            set(kept) == {"width"} and isinstance(kept.get("width"), int),
            "only width, a number of pixels, may be set",
        )
