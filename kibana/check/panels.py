"""Panels by kind, with the references that each needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kibana.check.defect import Spot
from kibana.check.fields import ViewFields
from kibana.check.lens_panel import check_lens
from kibana.objects import Reference

_KEYS = {"type", "panelIndex", "gridData", "embeddableConfig", "panelRefName"}
_COMMON = {
    *("title", "description", "hidePanelTitles", "timeRange", "enhancements"),
    "hidePanelBorders",
}
_OWN = {
    "lens": {"attributes"},
    "search": {"rowHeight", "sampleSize", "columns", "sort"},
    "links": {"attributes"},
    "visualization": {"savedVis"},
}
_FREE = {"DASHBOARD_TO_DASHBOARD_DRILLDOWN", "OPEN_IN_DISCOVER_DRILLDOWN"}
_MARKDOWN_LINK = re.compile(r"\]\(([^)\s]*)\)")


@dataclass(slots=True)
class PanelReferences:
    """The dashboard's references of one panel, by the names the panel knows them by."""

    named: Mapping[str, Reference]
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, index: str, references: Iterable[Reference]) -> PanelReferences:
        """Those whose names have the panel's prefix, without it."""
        prefix = f"{index}:"
        return cls(
            {
                r.name.removeprefix(prefix): r
                for r in references
                if r.name.startswith(prefix)
            }
        )

    def take(self, name: str, kind: str, spot: Spot) -> Reference | None:
        """The reference of this name; a defect where there is none of that type."""
        self.used.add(name)
        reference = self.named.get(name)
        if reference is None:
            spot.tell(f"the dashboard has no reference named <panel>:{name}")
        elif reference.type != kind:
            spot.tell(f"the reference {name} must be of type {kind}")
        return reference


def check_panel(
    panel: Mapping[str, Any],
    references: PanelReferences,
    views: Mapping[str, ViewFields],
    spot: Spot,
) -> None:
    """One panel."""
    kind = spot.text(panel.get("type"), "type")
    if not spot.need(
        kind in _OWN,
        f"type {kind} is none that every Kibana from 8.12 on shows "
        f"({', '.join(sorted(_OWN))})",
    ):
        return
    strange = sorted(set(panel) - _KEYS)
    spot.need(not strange, f"has no {', '.join(strange)} since 8.12")
    config = spot.mapping(panel.get("embeddableConfig"), "embeddableConfig")
    strange = sorted(set(config) - _COMMON - _OWN[kind])
    spot.need(not strange, f"embeddableConfig has no {', '.join(strange)}")
    spot.need(
        kind == "search" or "panelRefName" not in panel,
        "panelRefName is for panels by reference only",
    )
    if "title" in config:
        spot.text(config["title"], "title", empty=True)
    _check_events(kind, config.get("enhancements"), references, spot)
    match kind:
        case "lens":
            check_lens(config, references, views, spot)
        case "search":
            _check_search(panel, references, spot)
        case "links":
            _check_links(config, references, spot)
        case "visualization":
            _check_markdown(config, spot)


def _check_search(
    panel: Mapping[str, Any], references: PanelReferences, spot: Spot
) -> None:
    wanted = f"panel_{panel.get('panelIndex')}"
    name = spot.text(panel.get("panelRefName"), "panelRefName")
    spot.need(name == wanted, f"panelRefName must be {wanted}")
    references.take(wanted, "search", spot)


def _check_links(
    config: Mapping[str, Any], references: PanelReferences, spot: Spot
) -> None:
    attributes = spot.mapping(config.get("attributes"), "attributes")
    spot.need(
        attributes.get("layout") in ("horizontal", "vertical"),
        "layout must be horizontal or vertical",
    )
    links = spot.items(attributes.get("links"), "links")
    spot.need(bool(links), "links are empty")
    seen = set()
    for value in links:
        link = spot.mapping(value, "link")
        link_id = spot.text(link.get("id"), "id of a link")
        here = spot.at(link_id)
        here.need(":" not in link_id, "an id may hold no colon")
        here.need(link_id not in seen, "comes twice")
        seen.add(link_id)
        here.need(isinstance(link.get("order"), int), "order must be a number")
        here.text(link.get("label"), "label")
        if not here.need(
            link.get("type") == "dashboardLink", "type must be dashboardLink"
        ):
            continue
        wanted = f"link_{link_id}_dashboard"
        here.need(
            link.get("destinationRefName") == wanted,
            f"destinationRefName must be {wanted}",
        )
        references.take(wanted, "dashboard", here)
        options = here.mapping(link.get("options"), "options")
        for key in ("openInNewTab", "useCurrentDateRange", "useCurrentFilters"):
            here.need(isinstance(options.get(key), bool), f"options need {key}")


def _check_markdown(config: Mapping[str, Any], spot: Spot) -> None:
    vis = spot.mapping(config.get("savedVis"), "savedVis")
    spot.need(vis.get("type") == "markdown", "only markdown is a plain visualization")
    data = spot.mapping(vis.get("data"), "savedVis.data (9.x fails without it)")
    spot.items(data.get("aggs"), "data.aggs")
    spot.mapping(data.get("searchSource"), "data.searchSource")
    spot.mapping(vis.get("uiState"), "uiState")
    params = spot.mapping(vis.get("params"), "params")
    text = spot.text(params.get("markdown"), "markdown")
    for target in _MARKDOWN_LINK.findall(text):
        spot.need(
            not target.startswith("/"),
            f"the link {target} begins with /: it breaks in every space but the first",
        )
        spot.need(
            not target.startswith("#/view/"),
            f"the link {target} names an id in a text: ids change in another space; "
            "use a links panel",
        )


def _check_events(
    kind: str, value: Any, references: PanelReferences, spot: Spot
) -> None:
    enhancements = spot.mapping(value, "enhancements")
    if "dynamicActions" not in enhancements:
        return
    actions = spot.mapping(enhancements["dynamicActions"], "dynamicActions")
    seen = set()
    for value_ in spot.items(actions.get("events"), "events"):
        event = spot.mapping(value_, "event")
        event_id = spot.text(event.get("eventId"), "eventId")
        here = spot.at(f"drilldown {event_id}")
        here.need(event_id not in seen, "comes twice")
        here.need(":" not in event_id, "an id may hold no colon")
        seen.add(event_id)
        factory = _check_event(event, event_id, references, here)
        here.need(
            kind == "lens" or factory != "OPEN_IN_DISCOVER_DRILLDOWN",
            "only a chart has a drilldown to Discover",
        )


def _check_event(
    event: Mapping[str, Any], event_id: str, references: PanelReferences, spot: Spot
) -> str:
    """→ what the drilldown does."""
    spot.need(
        event.get("triggers") == ["FILTER_TRIGGER"],
        'triggers must be ["FILTER_TRIGGER"]: 9.4 keeps the first only',
    )
    action = spot.mapping(event.get("action"), "action")
    factory = spot.text(action.get("factoryId"), "factoryId")
    spot.need(
        factory in _FREE, f"{factory} does nothing on the free licence, or anywhere"
    )
    spot.text(action.get("name"), "name")
    config = spot.mapping(action.get("config"), "config")
    spot.need(isinstance(config.get("openInNewTab"), bool), "config needs openInNewTab")
    if factory == "DASHBOARD_TO_DASHBOARD_DRILLDOWN":
        for key in ("useCurrentFilters", "useCurrentDateRange"):
            spot.need(isinstance(config.get(key), bool), f"config needs {key}")
        spot.need("dashboardId" not in config, "the target stands in the references")
        name = f"drilldown:{factory}:{event_id}:dashboardId"
        references.take(name, "dashboard", spot)
    return factory
