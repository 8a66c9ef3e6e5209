"""Rows → Vega-Lite: stacked bars, lines and areas over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kibana.preview.answers import Row
from kibana.preview.boards import LensView
from kibana.preview.charts import (
    COLOURED,
    Key,
    Legend,
    Spec,
    SpecOf,
    bar,
    base,
    moment,
    number_axis,
    series_colours,
    time_axis,
)
from kibana.preview.requests import Period, UndrawableError
from kibana.preview.values import value_text

#: With fewer points than that in a series, each is marked.
_FEW = 30


def bars_over_time(
    view: LensView, rows: Sequence[Row], period: Period
) -> tuple[SpecOf, Legend]:
    """One bar each width of time, stacked where it is split."""
    values, legend = _series(view, rows, period)
    metric = view.layer["accessors"][0]

    def spec(width: int, height: int) -> Spec:
        bars = (period.end - period.start).total_seconds() / period.bar_s + 1
        thick = max(1.5, 0.8 * (width - 50) / bars)
        x = {**time_axis(period, width), "field": "m"}
        encoding = {
            "x": x,
            "y": {**number_axis(view, metric, values), "stack": "zero"},
            "order": {"field": "o", "type": "quantitative"},
            "detail": {"field": "s", "type": "nominal"},
            **COLOURED,
        }
        mark = {"type": "bar", "width": thick, "orient": "vertical", "clip": True}
        return base(width, height, values) | {"mark": mark, "encoding": encoding}

    return spec, legend


def lines_over_time(
    view: LensView, rows: Sequence[Row], period: Period
) -> tuple[SpecOf, Legend]:
    """A line or a stacked area a series, broken where there is nothing."""
    values, legend = _series(view, rows, period)
    metric = view.layer["accessors"][0]
    stacked = view.layer["seriesType"] == "area_stacked"

    def spec(width: int, height: int) -> Spec:
        place = {
            "x": {**time_axis(period, width), "field": "m"},
            "y": {
                **number_axis(view, metric, values),
                "stack": "zero" if stacked else None,
            },
            "order": {"field": "o", "type": "quantitative"},
        }
        parts = {"field": "g", "type": "nominal"}
        way = {"field": "m", "type": "temporal"}
        path: Spec = {"type": "line", "strokeWidth": 1.8, "clip": True}
        if stacked:
            path = {"type": "area", "opacity": 0.75, "clip": True}
        points = {"type": "point", "filled": True, "size": 22, "opacity": 1}
        order = place["order"] if stacked else way
        return base(width, height, values) | {
            "layer": [
                {
                    "mark": path,
                    "encoding": {**place, **COLOURED, "detail": parts, "order": order},
                },
                {
                    "transform": [{"filter": "datum.marked"}],
                    "mark": points,
                    "encoding": {**place, **COLOURED, "detail": parts},
                },
            ]
        }

    return spec, legend


def _series(
    view: LensView, rows: Sequence[Row], period: Period
) -> tuple[list[dict[str, Any]], Legend]:
    """The points of each series in turn, and the legend where the state wants one.

    Of a point: m middle of its time, v value, s series, g unbroken part of it, o its
    place in the stack, c colour, d description.
    """
    along = view.layer["xAccessor"]
    if view.columns[along]["operationType"] != "date_histogram":
        raise UndrawableError("a chart over other values than time")
    named: dict[str, list[tuple[Row, str]]] = {}
    for name, row, metric in _named(view, rows):
        named.setdefault(name, []).append((row, metric))
    colours = series_colours(view, named)
    values: list[dict[str, Any]] = []
    for order, (name, own) in enumerate(named.items()):
        points = list(_points(name, own, view, period))
        parts = [point["g"] for point in points]
        for point in points:
            marked = len(points) <= _FEW or parts.count(point["g"]) == 1
            values.append({**point, "o": order, "c": colours[name], "marked": marked})
    visible = view.visualization["legend"]["isVisible"]
    return values, tuple(Key(colours[n], n) for n in named) if visible else ()


def _named(view: LensView, rows: Sequence[Row]) -> Iterator[tuple[str, Row, str]]:
    metrics, split = view.layer["accessors"], view.layer.get("splitAccessor")
    for row in rows:
        for metric in metrics:
            label = view.columns[metric]["label"]
            if split is None:
                yield label, row, metric
            elif len(metrics) == 1:
                yield str(row[split]), row, metric
            else:
                yield f"{row[split]} - {label}", row, metric


def _points(
    name: str, own: Sequence[tuple[Row, str]], view: LensView, period: Period
) -> Iterator[dict[str, Any]]:
    along, part = view.layer["xAccessor"], 0
    several = view.visualization["legend"]["isVisible"]
    for row, metric in own:
        value = row[metric]
        if value is None:
            part += 1
            continue
        at = bar(row[along], period)
        text = value_text(value, view.columns[metric], period.zone)
        told = f"{name}: {text}" if several else text
        yield {
            "m": (at["t"] + at["u"]) / 2,
            "v": value,
            "s": name,
            "g": f"{name} {part}",
            "d": f"{moment(row[along], period)}  {told}",
        }
