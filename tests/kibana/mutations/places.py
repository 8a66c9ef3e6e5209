"""What the mutations change, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.kibana.built import Built

Change = Callable[[Built], Any]
#: What is broken → a phrase of the defect that must be told, and how it is broken.
Mutations = dict[str, tuple[str, Change]]

DETAIL = "elkwatch-class-detail"
LATEST = "elkwatch-latest-findings"
VIEW = "elkwatch-findings"


def group(b: Built) -> dict[str, Any]:
    """The controls of the overview."""
    found: dict[str, Any] = b.overview["attributes"]["controlGroupInput"]
    return found


def control(b: Built, name: str = "class") -> dict[str, Any]:
    """One control of the overview."""
    found: dict[str, Any] = group(b)["panelsJSON"][name]
    return found


def event(b: Built) -> dict[str, Any]:
    """The drilldown of the timeline."""
    enhancements = b.panel("timeline")["embeddableConfig"]["enhancements"]
    found: dict[str, Any] = enhancements["dynamicActions"]["events"][0]
    return found


def link(b: Built) -> dict[str, Any]:
    """The first link to another dashboard."""
    attributes = b.panel("navigation")["embeddableConfig"]["attributes"]
    found: dict[str, Any] = attributes["links"][0]
    return found


def columns(b: Built, panel: str, dashboard: str = "elkwatch-overview") -> Any:
    """The columns of a chart."""
    return b.layer(panel, dashboard)["columns"]


def formats(b: Built) -> dict[str, Any]:
    """The field formats of the findings."""
    found: dict[str, Any] = b[VIEW]["attributes"]["fieldFormatMap"]
    return found


def source(b: Built, object_id: str = LATEST) -> dict[str, Any]:
    """The search source of a saved search."""
    meta = b[object_id]["attributes"]["kibanaSavedObjectMeta"]
    found: dict[str, Any] = meta["searchSourceJSON"]
    return found


def markdown(b: Built, text: str) -> dict[str, Any]:
    """A text of its own below the overview; → its saved visualization."""
    vis = {
        "title": "",
        "description": "",
        "type": "markdown",
        "params": {"markdown": text, "fontSize": 12, "openLinksInNewTab": False},
        "uiState": {},
        "data": {
            "aggs": [],
            "searchSource": {"query": {"query": "", "language": "kuery"}, "filter": []},
        },
    }
    panel = {
        "type": "visualization",
        "panelIndex": "text",
        "gridData": {"x": 0, "y": 200, "w": 48, "h": 4, "i": "text"},
        "embeddableConfig": {"enhancements": {}, "savedVis": vis},
    }
    b.overview["attributes"]["panelsJSON"].append(panel)
    return vis


def rename(holder: dict[str, Any], old: str, new: str) -> None:
    """A value under another key."""
    holder[new] = holder.pop(old)
