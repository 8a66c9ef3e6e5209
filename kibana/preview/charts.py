"""Rows → Vega-Lite: donut, heat map, horizontal bars; the base that all charts share.

Colours come with the data, from the palette or the assignments that the Lens state
names. Every mark carries its description, which a page can show as a tip.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kibana.preview.answers import OTHER, Row, Value
from kibana.preview.boards import LensView
from kibana.preview.requests import Period, UndrawableError
from kibana.preview.values import time_text, value_text

Spec = dict[str, Any]
SpecOf = Callable[[int, int], Spec]

#: Kibana's palette `default`, and its grey for what has no colour of its own.
PALETTE = (
    "#54b399", "#6092c0", "#d36086", "#9170b8", "#ca8eae",
    "#d6bf57", "#b9a888", "#da8b45", "#aa6556", "#e7664c",
)  # fmt: skip
GREY = "#98a2b3"
_DAY_S = 86_400
#: About the width of a character on an axis, in pixels.
_CHARACTER = 6.2


@dataclass(frozen=True, slots=True)
class Key:
    """One line of a legend. `value`: what it amounts to, if that says something."""

    colour: str
    name: str
    value: str = ""


Legend = tuple[Key, ...]


def donut(view: LensView, rows: Sequence[Row], period: Period) -> tuple[SpecOf, Legend]:
    """Shares of a whole; the legend has their values."""
    (group,), (metric,) = view.layer["primaryGroups"], view.layer["metrics"]
    colours = series_colours(view, [str(row[group]) for row in rows])
    legend = tuple(
        Key(colours[str(r[group])], str(r[group]), _text(view, metric, r, period))
        for r in rows
    )
    values = [
        {"v": row[metric], "o": i, "c": key.colour, "d": f"{key.name}: {key.value}"}
        for i, (row, key) in enumerate(zip(rows, legend, strict=True))
    ]
    hole = view.layer["emptySizeRatio"]

    def spec(width: int, height: int) -> Spec:
        radius = min(width, height) / 2 - 4
        mark = {
            "type": "arc",
            "outerRadius": radius,
            "innerRadius": radius * hole,
            "padAngle": 0.015,
        }
        encoding = {
            "theta": {"field": "v", "type": "quantitative", "stack": True},
            "order": {"field": "o", "type": "quantitative"},
            **COLOURED,
        }
        return base(width, height, values) | {"mark": mark, "encoding": encoding}

    return spec, legend


def heat_map(
    view: LensView, rows: Sequence[Row], period: Period
) -> tuple[SpecOf, Legend]:
    """Values down, time across; cells of nothing stay empty."""
    state = view.visualization
    across, down = state["xAccessor"], state["yAccessor"]
    metric = state["valueAccessor"]
    steps = _steps(state["palette"]["params"], [_number(r[metric]) for r in rows])
    names = list(dict.fromkeys(str(row[down]) for row in rows))
    values = [
        {
            **bar(row[across], period),
            "y": str(row[down]),
            "c": next(c for c, upper in steps if value <= upper),
            "d": f"{moment(row[across], period)}  {row[down]}: "
            f"{_text(view, metric, row, period)}",
        }
        for row in rows
        if (value := _number(row[metric]))
    ]
    column = view.columns[metric]
    legend, told = [], set()
    for colour, upper in steps:
        text = value_text(float(int(upper)), column, period.zone)
        if text not in told and int(upper) > 0:
            told.add(text)
            legend.append(Key(colour, f"to {text}"))

    def spec(width: int, height: int) -> Spec:
        place, named = name_axis(names, values, width)
        return base(width, height, named) | {
            "mark": {"type": "rect", "cornerRadius": 1},
            "encoding": {
                "x": {**time_axis(period, width), "field": "t"},
                "x2": {"field": "u"},
                "y": place,
                **COLOURED,
            },
        }

    return spec, tuple(legend)


def horizontal_bars(
    view: LensView, rows: Sequence[Row], period: Period
) -> tuple[SpecOf, Legend]:
    """One bar a value, the longest on top, each with its number."""
    along, metrics = view.layer["xAccessor"], view.layer["accessors"]
    if len(metrics) != 1 or view.layer.get("splitAccessor"):
        raise UndrawableError("horizontal bars of several series")
    metric = metrics[0]
    values = [
        {
            "y": str(row[along]),
            "v": row[metric],
            "n": _text(view, metric, row, period),
            "c": PALETTE[0],
            "d": f"{row[along]}: {_text(view, metric, row, period)}",
        }
        for row in rows
    ]
    names = [str(row[along]) for row in rows]

    def spec(width: int, height: int) -> Spec:
        high = min(height, 34 * len(rows) + 30)
        number = {"field": "v", "type": "quantitative", "axis": None}
        axis, named = name_axis(names, values, width)
        place = {"y": axis, "x": number}
        body = {"type": "bar", "cornerRadiusEnd": 2, "height": {"band": 0.7}}
        label = {"type": "text", "align": "left", "dx": 5, "fontSize": 11}
        text = {"field": "n", "type": "nominal"}
        return base(width, high, named) | {
            "layer": [
                {
                    "mark": body,
                    "encoding": {**place, **COLOURED},
                },
                {"mark": label, "encoding": {**place, "text": text}},
            ]
        }

    return spec, ()


COLOURED: Mapping[str, Any] = {
    "color": {"field": "c", "type": "nominal", "scale": None},
    "description": {"field": "d", "type": "nominal"},
}


def base(width: int, height: int, values: Sequence[Mapping[str, Any]]) -> Spec:
    """What every specification begins with; its data lie within it."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": 2,
        "background": None,
        "data": {"values": list(values)},
        "config": {
            "view": {"stroke": None},
            "axis": {"labelFontSize": 11, "title": None, "domain": False},
        },
    }


def time_axis(period: Period, width: int) -> Spec:
    """The whole period in whole bars, labelled as its length asks for."""
    span_s = (period.end - period.start).total_seconds()
    form = "%H:%M:%S" if span_s < 600 else "%H:%M" if span_s <= 2 * _DAY_S else "%m-%d"
    wide = period.bar_s * 1000
    first, last = (
        wall_clock(end, period) // wide * wide for end in (period.start, period.end)
    )
    return {
        "type": "temporal",
        "scale": {"type": "utc", "domain": [first, last + wide], "nice": False},
        "axis": {
            "labelExpr": f"utcFormat(datum.value, '{form}')",
            "tickCount": max(2, width // 90),
            "grid": False,
            "labelFlush": False,
            "labelOverlap": "greedy",
            "labelSeparation": 10,
        },
    }


def name_axis(
    names: Iterable[str], values: Sequence[Mapping[str, Any]], width: int
) -> tuple[Spec, list[Spec]]:
    """The axis of the names, in their order, and the values with the names as they
    stand on it. They are cut here: Vega cuts within characters of two parts, and fails.
    """
    short = _short(names, min(220, width // 3) / _CHARACTER)
    axis = {"labelLimit": 0, "ticks": False, "labelPadding": 6}
    place = {"field": "y", "type": "nominal", "sort": [*short.values()], "axis": axis}
    return place, [{**value, "y": short[value["y"]]} for value in values]


def _short(names: Iterable[str], width: float) -> dict[str, str]:
    """Each name cut to a width, in characters; no two alike."""
    short: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for name in names:
        room, end = width, 0
        while end < len(name) and room > 0:
            room -= 1.8 if unicodedata.east_asian_width(name[end]) in "WF" else 1
            end += 1
        cut = name if end == len(name) else name[: max(1, end - 1)] + "…"
        seen[cut] += 1
        short[name] = f"{cut} ({seen[cut]})" if seen[cut] > 1 else cut
    return short


def number_axis(
    view: LensView, metric: str, values: Sequence[Mapping[str, Any]]
) -> Spec:
    """Numbers from 0, in the form that the column has; zeros alone lie at the foot."""
    kind = view.columns[metric].get("params", {}).get("format", {}).get("id", "")
    form = {"percent": "~%", "bytes": ".2~s"}.get(kind, ",~f")
    axis: Spec = {"format": form, "tickCount": 5, "ticks": False, "grid": True}
    if view.columns[metric]["operationType"] in {"count", "unique_count"}:
        axis["tickMinStep"] = 1
    scale = {} if any(value["v"] for value in values) else {"domain": [0, 1]}
    return {"field": "v", "type": "quantitative", "axis": axis, "scale": scale}


def bar(value: Value, period: Period) -> Spec:
    """Begin and end of a bar over time, as Vega takes them."""
    assert isinstance(value, datetime)
    begin = wall_clock(value, period)
    return {"t": begin, "u": begin + period.bar_s * 1000}


def wall_clock(time: datetime, period: Period) -> float:
    """What the clocks of the zone show, in milliseconds as if it were UTC."""
    local = time.astimezone(period.zone)
    ahead = local.utcoffset() or timedelta()
    return (local.timestamp() + ahead.total_seconds()) * 1000


def moment(value: Value, period: Period) -> str:
    """A time in the words of a tip."""
    return time_text(value, period.zone) if isinstance(value, datetime) else str(value)


def series_colours(view: LensView, names: Iterable[str]) -> dict[str, str]:
    """A colour for each name: assigned by the state, or the next of the palette."""
    mapping = view.layer.get("colorMapping")
    given = {
        value: assignment["color"]["colorCode"]
        for assignment in (mapping or {}).get("assignments", [])
        for value in assignment["rule"]["values"]
    }
    given[OTHER] = GREY
    colours: dict[str, str] = {}
    for name in names:
        if name not in colours:
            free = GREY if mapping else PALETTE[len(colours) % len(PALETTE)]
            colours[name] = given.get(name, free)
    return colours


def _steps(
    params: Mapping[str, Any], values: Sequence[float]
) -> list[tuple[str, float]]:
    """Colour and upper bound of each step of a palette, over what is there."""
    low, high = min(values), max(values)
    share = (high - low) / 100 if params["rangeType"] == "percent" else 1.0
    first = low if params["rangeType"] == "percent" else 0.0
    steps = [(s["color"], first + s["stop"] * share) for s in params["stops"]]
    return [*steps[:-1], (steps[-1][0], max(high, steps[-1][1]))]


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _text(view: LensView, metric: str, row: Row, period: Period) -> str:
    return value_text(row[metric], view.columns[metric], period.zone)
