"""Saved objects as Kibana would import them → what each dashboard shows.

Read from the stored state itself, not from the code that built it: what is drawn is
what is imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kibana.objects import SavedObject
from kibana.panels import Grid


@dataclass(frozen=True, slots=True)
class DataView:
    """The indices behind a panel. `labels`, `formats`: by field, as Kibana has them."""

    pattern: str
    time_field: str
    labels: Mapping[str, str]
    formats: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class LensView:
    """A chart: one layer of columns over one data view."""

    key: str
    grid: Grid
    title: str
    data_view: DataView
    kind: str
    visualization: Mapping[str, Any]
    columns: Mapping[str, Mapping[str, Any]]
    order: tuple[str, ...]
    query: str

    @property
    def buckets(self) -> tuple[str, ...]:
        """The ids of the columns that divide, outermost first."""
        return tuple(c for c in self.order if self.columns[c]["isBucketed"])

    @property
    def metrics(self) -> tuple[str, ...]:
        """The ids of the others, helpers of formulas among them."""
        return tuple(c for c in self.order if not self.columns[c]["isBucketed"])

    @property
    def layer(self) -> Mapping[str, Any]:
        """The visualization's own layer; the visualization itself if it has none."""
        layers = self.visualization.get("layers")
        chosen: Mapping[str, Any] = layers[0] if layers else self.visualization
        return chosen


@dataclass(frozen=True, slots=True)
class SearchView:
    """A saved search: documents as rows of a table."""

    key: str
    grid: Grid
    title: str
    data_view: DataView
    query: str
    columns: tuple[str, ...]
    sort: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LinksView:
    """Links to dashboards: label and id of each."""

    key: str
    grid: Grid
    targets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TextView:
    """Markdown."""

    key: str
    grid: Grid
    markdown: str


PanelView = LensView | SearchView | LinksView | TextView


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard. `controls`: the titles of its drop-downs."""

    id: str
    title: str
    description: str
    panels: tuple[PanelView, ...]
    controls: tuple[str, ...]


def read_boards(objects: Iterable[SavedObject]) -> tuple[Board, ...]:
    """The dashboards among the objects, in their order, their panels from top to
    bottom. Raises KeyError for a reference to what is not among them.
    """
    by_id = {(saved.type, saved.id): saved for saved in objects}
    return tuple(_board(s, by_id) for s in by_id.values() if s.type == "dashboard")


_Objects = Mapping[tuple[str, str], SavedObject]


def _board(saved: SavedObject, objects: _Objects) -> Board:
    attributes = saved.attributes
    panels = json.loads(attributes["panelsJSON"])
    references = {r.name: r.id for r in saved.references}
    views = [_panel(panel, references, objects) for panel in panels]
    controls = json.loads(attributes["controlGroupInput"]["panelsJSON"])
    ordered = sorted(controls.values(), key=lambda control: int(control["order"]))
    return Board(
        saved.id,
        attributes["title"],
        attributes["description"],
        tuple(sorted(views, key=lambda view: (view.grid.y, view.grid.x))),
        tuple(control["explicitInput"]["title"] for control in ordered),
    )


def _panel(
    panel: Mapping[str, Any], references: Mapping[str, str], objects: _Objects
) -> PanelView:
    key, config = panel["panelIndex"], panel["embeddableConfig"]
    grid = Grid(**{side: panel["gridData"][side] for side in ("x", "y", "w", "h")})
    match panel["type"]:
        case "lens":
            return _lens(key, grid, config, objects)
        case "search":
            search = objects["search", references[f"{key}:{panel['panelRefName']}"]]
            return _search(key, grid, config["title"], search, objects)
        case "links":
            targets = tuple(
                (link["label"], references[f"{key}:{link['destinationRefName']}"])
                for link in config["attributes"]["links"]
            )
            return LinksView(key, grid, targets)
        case "visualization" if config["savedVis"]["type"] == "markdown":
            return TextView(key, grid, config["savedVis"]["params"]["markdown"])
    raise ValueError(f"panel {key}: a {panel['type']} cannot be drawn")


def _lens(
    key: str, grid: Grid, config: Mapping[str, Any], objects: _Objects
) -> LensView:
    attributes = config["attributes"]
    state = attributes["state"]
    ((layer_id, layer),) = state["datasourceStates"]["formBased"]["layers"].items()
    name = f"indexpattern-datasource-layer-{layer_id}"
    view_id = next(r["id"] for r in attributes["references"] if r["name"] == name)
    return LensView(
        key,
        grid,
        config["title"],
        _data_view(objects["index-pattern", view_id]),
        attributes["visualizationType"],
        state["visualization"],
        layer["columns"],
        tuple(layer["columnOrder"]),
        state["query"]["query"],
    )


def _search(
    key: str, grid: Grid, title: str, saved: SavedObject, objects: _Objects
) -> SearchView:
    attributes = saved.attributes
    source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    view_id = next(r.id for r in saved.references if r.name == source["indexRefName"])
    return SearchView(
        key,
        grid,
        title or attributes["title"],
        _data_view(objects["index-pattern", view_id]),
        source["query"]["query"],
        tuple(attributes["columns"]),
        tuple((field, direction) for field, direction in attributes["sort"]),
    )


def _data_view(saved: SavedObject) -> DataView:
    attributes = saved.attributes
    named = json.loads(attributes["fieldAttrs"])
    return DataView(
        attributes["title"],
        attributes["timeFieldName"],
        {field: own["customLabel"] for field, own in named.items()},
        json.loads(attributes["fieldFormatMap"]),
    )
