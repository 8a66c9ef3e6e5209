"""Rows → what stands in a panel: a figure, a table, a chart, or that nothing is there.

A chart is a Vega-Lite specification for a size, with its data in it; its legend stands
beside it, so that a page can set it as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kibana.preview.answers import Row, lens_rows, search_rows
from kibana.preview.boards import LensView, SearchView
from kibana.preview.charts import Legend, Spec, donut, heat_map, horizontal_bars
from kibana.preview.over_time import bars_over_time, lines_over_time
from kibana.preview.requests import Period, UndrawableError
from kibana.preview.values import (
    NOTHING,
    Cell,
    column_cell,
    field_cell,
    time_text,
    value_text,
)

Answer = Mapping[str, Any]
ROWS_OF_A_TABLE = 15


@dataclass(frozen=True, slots=True)
class Figure:
    """One large value. `colour`: of its ground, as `#rrggbb`."""

    value: str
    label: str
    subtitle: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. `total`: how many rows there are, of which the first are here."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart: `spec(width, height)` in pixels, and its legend.

    `legend_beside`: it stands to the right of the chart, else below it.
    """

    spec: Callable[[int, int], Spec]
    legend: Legend
    legend_beside: bool = False


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to show, and why."""

    why: str


Drawable = Figure | Sheet | Picture | Nothing
_EMPTY = Nothing("No results found")


def draw_lens(view: LensView, answer: Answer, period: Period) -> Drawable:
    """What a chart shows. Raises UndrawableError for a kind that is not known."""
    rows = lens_rows(view, answer)
    if view.kind == "lnsMetric":
        return _figure(view, rows[0], period)
    if not answer["hits"]["total"]["value"] or _is_void(view, rows):
        return _EMPTY
    match view.kind, view.layer.get("seriesType", ""):
        case "lnsDatatable", _:
            return _sheet(view, rows, period)
        case "lnsPie", _:
            spec, legend = donut(view, rows, period)
            return Picture(spec, legend, view.layer["legendPosition"] == "right")
        case "lnsHeatmap", _:
            return Picture(*heat_map(view, rows, period))
        case "lnsXY", "bar_horizontal_stacked":
            return Picture(*horizontal_bars(view, rows, period))
        case "lnsXY", "bar_stacked":
            return Picture(*bars_over_time(view, rows, period))
        case "lnsXY", "line" | "area_stacked":
            return Picture(*lines_over_time(view, rows, period))
    raise UndrawableError(f"{view.kind} {view.layer.get('seriesType', '')}".strip())


def draw_search(view: SearchView, answer: Answer, period: Period) -> Drawable:
    """The documents of a saved search as a table, their time in front."""
    rows, total = search_rows(view, answer)
    if not rows:
        return _EMPTY
    own, time_field = view.data_view, view.data_view.time_field
    columns = [c for c in view.columns if c != time_field]
    return Sheet(
        ("Time", *(own.labels.get(c, c) for c in columns)),
        tuple(
            (
                Cell(_time(row[time_field], period), "time"),
                *(_document_cell(row[c], own.formats.get(c, {})) for c in columns),
            )
            for row in rows
        ),
        total,
    )


def _is_void(view: LensView, rows: list[Row]) -> bool:
    return all(row[metric] is None for row in rows for metric in view.metrics)


def _figure(view: LensView, row: Row, period: Period) -> Figure:
    metric = view.visualization["metricAccessor"]
    column = view.columns[metric]
    return Figure(
        value_text(row[metric], column, period.zone),
        column["label"],
        view.visualization.get("subtitle", ""),
        view.visualization.get("color", ""),
    )


def _sheet(view: LensView, rows: list[Row], period: Period) -> Sheet:
    shown = [column["columnId"] for column in view.visualization["columns"]]
    return Sheet(
        tuple(view.columns[c]["label"] for c in shown),
        tuple(
            tuple(
                column_cell(
                    row[c], view.columns[c], view.data_view.formats, period.zone
                )
                for c in shown
            )
            for row in rows[:ROWS_OF_A_TABLE]
        ),
        len(rows),
    )


def _document_cell(value: Any, wish: Mapping[str, Any]) -> Cell:
    return field_cell(None if value is None else str(value), wish)


def _time(value: Any, period: Period) -> str:
    try:
        return time_text(datetime.fromisoformat(str(value)), period.zone)
    except ValueError:
        return NOTHING if value is None else str(value)
