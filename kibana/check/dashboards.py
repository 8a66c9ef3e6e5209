"""Dashboards: attributes, grid, controls; the panels one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kibana.check.controls import check_controls
from kibana.check.defect import Spot, is_number
from kibana.check.envelope import reference_list
from kibana.check.fields import ViewFields
from kibana.check.panels import PanelReferences, check_panel
from kibana.check.queries import check_search_source
from kibana.panels import COLUMNS

_KEYS = {
    *("title", "description", "kibanaSavedObjectMeta", "panelsJSON", "optionsJSON"),
    *("timeRestore", "timeFrom", "timeTo", "refreshInterval", "controlGroupInput"),
    *("hits", "version"),
}
_OPTIONS = {
    "useMargins",
    "syncColors",
    "syncCursor",
    "syncTooltips",
    "hidePanelTitles",
}


def check_dashboard(
    saved: Mapping[str, Any], views: Mapping[str, ViewFields], spot: Spot
) -> None:
    """One dashboard."""
    attributes = spot.mapping(saved.get("attributes"), "attributes")
    for key in sorted(set(attributes) - _KEYS):
        spot.tell(f"{key} is no attribute of version 8.9.0: 8.12 refuses the dashboard")
    spot.text(attributes.get("title"), "title")
    spot.text(attributes.get("description"), "description", empty=True)
    meta = spot.mapping(
        attributes.get("kibanaSavedObjectMeta"), "kibanaSavedObjectMeta"
    )
    if isinstance(attributes.get("kibanaSavedObjectMeta"), dict):
        check_search_source(meta.get("searchSourceJSON"), None, spot)
    _check_options(attributes.get("optionsJSON"), spot)
    _check_time(attributes, spot)
    references = reference_list(saved)
    panels = spot.json(attributes.get("panelsJSON"), "panelsJSON", list)
    spot.need(bool(panels), "has no panel")
    used = {
        name for panel in panels for name in _check_one(panel, references, views, spot)
    }
    used |= check_controls(attributes.get("controlGroupInput"), references, views, spot)
    for reference in references:
        if reference.name not in used:
            spot.at("references", reference.name).tell(
                "no panel and no control uses it; leave it out or mend the name"
            )
    _check_grid(panels, spot)


def _check_one(
    panel: Any,
    references: Sequence[Any],
    views: Mapping[str, ViewFields],
    spot: Spot,
) -> set[str]:
    if not spot.need(isinstance(panel, dict), "a panel must be an object"):
        return set()
    index = spot.text(panel.get("panelIndex"), "panelIndex")
    spot.need(":" not in index, f"panelIndex {index} may hold no colon")
    own = PanelReferences.of(index, references)
    check_panel(panel, own, views, spot.at(f"panel {index}"))
    return {f"{index}:{name}" for name in own.used}


def _check_options(value: Any, spot: Spot) -> None:
    options = spot.json(value, "optionsJSON", dict)
    for key in sorted(set(options) ^ _OPTIONS):
        wrong = "is unknown to 8.12" if key in options else "is missing"
        spot.at("optionsJSON").tell(f"{key} {wrong}")
    for key, flag in options.items():
        spot.at("optionsJSON", key).need(
            isinstance(flag, bool), "must be true or false"
        )


def _check_time(attributes: Mapping[str, Any], spot: Spot) -> None:
    """9.4 ignores a time range of which a part is missing."""
    spot.need(attributes.get("timeRestore") is True, "timeRestore must be true")
    spot.text(attributes.get("timeFrom"), "timeFrom")
    spot.text(attributes.get("timeTo"), "timeTo")
    refresh = spot.mapping(attributes.get("refreshInterval"), "refreshInterval")
    spot.need(
        isinstance(refresh.get("pause"), bool) and is_number(refresh.get("value")),
        "refreshInterval needs pause (true or false) and value (milliseconds)",
    )
    if is_number(refresh.get("value")) and refresh.get("pause") is False:
        spot.need(refresh["value"] >= 5000, "a refresh below 5 s wears the cluster out")


def _check_grid(panels: Sequence[Any], spot: Spot) -> None:
    """48 columns, nothing on top of something else."""
    taken: dict[tuple[int, int], str] = {}
    seen: set[str] = set()
    for panel in panels:
        if not isinstance(panel, dict):
            continue
        index = str(panel.get("panelIndex"))
        here = spot.at(f"panel {index}")
        here.need(index not in seen, "panelIndex comes twice: one overwrites the other")
        seen.add(index)
        grid = here.mapping(panel.get("gridData"), "gridData")
        sides = [grid.get(side) for side in ("x", "y", "w", "h")]
        if not here.need(
            all(isinstance(s, int) and not isinstance(s, bool) for s in sides),
            "gridData needs whole numbers x, y, w and h",
        ):
            continue
        here.need(
            grid.get("i") == panel.get("panelIndex"), "gridData.i must be panelIndex"
        )
        strange = sorted(set(grid) - {"x", "y", "w", "h", "i"})
        here.need(not strange, f"gridData has no {', '.join(strange)} before 9.2")
        _check_place(grid, index, taken, here)


def _check_place(
    grid: Mapping[str, Any], index: str, taken: dict[tuple[int, int], str], here: Spot
) -> None:
    x, y, w, h = (grid[side] for side in ("x", "y", "w", "h"))
    fits = x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= COLUMNS
    if not here.need(fits and y + h <= 1000, f"does not fit the {COLUMNS} columns"):
        return
    cells = [(i, j) for i in range(x, x + w) for j in range(y, y + h)]
    others = {taken[cell] for cell in cells if cell in taken}
    for other in sorted(others):
        here.tell(f"lies on top of panel {other}")
    taken.update(dict.fromkeys(cells, index))
