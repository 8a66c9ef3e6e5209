"""Panels of a dashboard: where they stand, and what Kibana stores of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kibana import lens
from kibana.objects import Reference

COLUMNS = 48


@dataclass(frozen=True, slots=True)
class Grid:
    """A place on the grid: 48 columns, rows of 20 pixels."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Drilldown:
    """A click on a value opens another dashboard with that value as a filter."""

    event: str
    label: str
    dashboard: str

    def state(self) -> dict[str, Any]:
        """The event as Kibana stores it; its target is in the references only."""
        return {
            "eventId": self.event,
            "triggers": ["FILTER_TRIGGER"],
            "action": {
                "factoryId": "DASHBOARD_TO_DASHBOARD_DRILLDOWN",
                "name": self.label,
                "config": {
                    "useCurrentFilters": True,
                    "useCurrentDateRange": True,
                    "openInNewTab": False,
                },
            },
        }

    def reference(self) -> Reference:
        """The target."""
        name = f"drilldown:DASHBOARD_TO_DASHBOARD_DRILLDOWN:{self.event}:dashboardId"
        return Reference(name, "dashboard", self.dashboard)


@dataclass(frozen=True, slots=True)
class LensPanel:
    """A chart over one data view. `query`: KQL that limits it."""

    index: str
    grid: Grid
    title: str
    chart: lens.Chart
    data_view: str
    query: str = ""
    ignore_filters: bool = False
    description: str = ""
    drilldowns: tuple[Drilldown, ...] = ()

    type = "lens"

    def config(self) -> dict[str, Any]:
        """The panel's own configuration."""
        return {
            "title": self.title,
            **({"description": self.description} if self.description else {}),
            "attributes": lens.attributes(
                self.chart,
                self.data_view,
                query=self.query,
                ignore_filters=self.ignore_filters,
            ),
            "enhancements": {
                "dynamicActions": {"events": [d.state() for d in self.drilldowns]}
            },
        }

    def references(self) -> tuple[Reference, ...]:
        """What it refers to, by names within the panel."""
        drilldowns = (d.reference() for d in self.drilldowns)
        return (lens.layer_reference(self.data_view), *drilldowns)


@dataclass(frozen=True, slots=True)
class SearchPanel:
    """A saved search, by reference."""

    index: str
    grid: Grid
    title: str
    search: str

    type = "search"

    def config(self) -> dict[str, Any]:
        """The panel's own configuration."""
        return {"title": self.title, "enhancements": {}}

    def references(self) -> tuple[Reference, ...]:
        """The saved search."""
        return (Reference(f"panel_{self.index}", "search", self.search),)


@dataclass(frozen=True, slots=True)
class LinksPanel:
    """Links to other dashboards that keep time range and filters."""

    index: str
    grid: Grid
    targets: tuple[tuple[str, str], ...]

    type = "links"

    def config(self) -> dict[str, Any]:
        """The panel's own configuration."""
        links = [
            {
                "id": f"link{i}",
                "order": i,
                "type": "dashboardLink",
                "label": label,
                "destinationRefName": f"link_link{i}_dashboard",
                "options": {
                    "openInNewTab": False,
                    "useCurrentDateRange": True,
                    "useCurrentFilters": True,
                },
            }
            for i, (label, _) in enumerate(self.targets)
        ]
        return {
            "hidePanelTitles": True,
            "attributes": {"layout": "horizontal", "links": links},
            "enhancements": {},
        }

    def references(self) -> tuple[Reference, ...]:
        """The dashboards."""
        return tuple(
            Reference(f"link_link{i}_dashboard", "dashboard", target)
            for i, (_, target) in enumerate(self.targets)
        )


@dataclass(frozen=True, slots=True)
class TextPanel:
    """Markdown."""

    index: str
    grid: Grid
    markdown: str

    type = "visualization"

    def config(self) -> dict[str, Any]:
        """The panel's own configuration."""
        query = {"query": "", "language": "kuery"}
        return {
            "hidePanelTitles": True,
            "enhancements": {},
            "savedVis": {
                "title": "",
                "description": "",
                "type": "markdown",
                "params": {
                    "markdown": self.markdown,
                    "fontSize": 12,
                    "openLinksInNewTab": False,
                },
                "uiState": {},
                "data": {"aggs": [], "searchSource": {"query": query, "filter": []}},
            },
        }

    def references(self) -> tuple[Reference, ...]:
        """None."""
        return ()


Panel = LensPanel | SearchPanel | LinksPanel | TextPanel


def panel_state(panel: Panel) -> Mapping[str, Any]:
    """The panel as it stands in `panelsJSON`."""
    grid = panel.grid
    place = {"x": grid.x, "y": grid.y, "w": grid.w, "h": grid.h, "i": panel.index}
    state: dict[str, Any] = {
        "type": panel.type,
        "panelIndex": panel.index,
        "gridData": place,
        "embeddableConfig": panel.config(),
    }
    if isinstance(panel, SearchPanel):
        state["panelRefName"] = f"panel_{panel.index}"
    return state


def panel_references(panel: Panel) -> tuple[Reference, ...]:
    """Its references as the dashboard lists them: each with the panel's prefix."""
    return tuple(
        Reference(f"{panel.index}:{r.name}", r.type, r.id) for r in panel.references()
    )
