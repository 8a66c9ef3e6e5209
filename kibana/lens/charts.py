"""Charts: which column plays which part. One frozen record a kind of chart.

Colours are of the palette that colour-blind people can tell apart, and the same
everywhere: a severity has one colour on every dashboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kibana.lens.columns import Column

LAYER = "layer"

SEVERITY_COLOURS = {
    "critical": "#bd271e",
    "high": "#e7664c",
    "medium": "#d6bf57",
    "low": "#6092c0",
}

_PALETTE = {"type": "palette", "name": "default"}
_HEAT = ("#e6f1ee", "#b3d9d0", "#6dccb1", "#f5a700", "#cc5642")


@dataclass(frozen=True, slots=True)
class Tile:
    """One large value."""

    metric: Column
    subtitle: str = ""
    colour: str = ""

    kind = "lnsMetric"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns, buckets first."""
        return (self.metric,)

    def visualization(self) -> dict[str, Any]:
        """What Lens stores beside the columns."""
        state = {**_LAYER, "metricAccessor": self.metric.id}
        if self.subtitle:
            state["subtitle"] = self.subtitle
        return state | ({"color": self.colour} if self.colour else {})


@dataclass(frozen=True, slots=True)
class Donut:
    """Shares of a whole."""

    group: Column
    metric: Column
    by_severity: bool = False

    kind = "lnsPie"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns, buckets first."""
        return (self.group, self.metric)

    def visualization(self) -> dict[str, Any]:
        """What Lens stores beside the columns."""
        layer = {
            **_LAYER,
            "primaryGroups": [self.group.id],
            "metrics": [self.metric.id],
            "numberDisplay": "value",
            "categoryDisplay": "default",
            "legendDisplay": "show",
            "legendPosition": "right",
            "nestedLegend": False,
            "emptySizeRatio": 0.54,
        }
        return {"shape": "donut", "layers": [layer | _colours(self.by_severity)]}


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars over time or over the values of a field, stacked where they are split."""

    along: Column
    metrics: tuple[Column, ...]
    split: Column | None = None
    horizontal: bool = False
    by_severity: bool = False

    kind = "lnsXY"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns: terms before the histogram, or each bar has its own top."""
        split = (self.split,) if self.split else ()
        return (*split, self.along, *self.metrics)

    def visualization(self) -> dict[str, Any]:
        """What Lens stores beside the columns."""
        series = "bar_horizontal_stacked" if self.horizontal else "bar_stacked"
        return _xy(self, series, _colours(self.by_severity))


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over time."""

    along: Column
    metrics: tuple[Column, ...]
    split: Column | None = None
    area: bool = False

    kind = "lnsXY"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns, terms first."""
        split = (self.split,) if self.split else ()
        return (*split, self.along, *self.metrics)

    def visualization(self) -> dict[str, Any]:
        """What Lens stores beside the columns."""
        return _xy(self, "area_stacked" if self.area else "line", {"palette": _PALETTE})


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Values of a field down, time across, the metric as colour."""

    across: Column
    down: Column
    metric: Column

    kind = "lnsHeatmap"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns, terms first."""
        return (self.down, self.across, self.metric)

    def visualization(self) -> dict[str, Any]:
        """What Lens stores beside the columns."""
        return {
            "shape": "heatmap",
            **_LAYER,
            "xAccessor": self.across.id,
            "yAccessor": self.down.id,
            "valueAccessor": self.metric.id,
            "legend": {
                "type": "heatmap_legend",
                "isVisible": True,
                "position": "right",
            },
            "gridConfig": {
                "type": "heatmap_grid",
                "isCellLabelVisible": False,
                "isXAxisLabelVisible": True,
                "isYAxisLabelVisible": True,
                "isXAxisTitleVisible": False,
                "isYAxisTitleVisible": False,
            },
            "palette": {**_heat(), "accessor": self.metric.id},
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values. `widths` in pixels by column id."""

    rows: tuple[Column, ...]
    metrics: tuple[Column, ...]
    widths: tuple[tuple[str, int], ...] = ()
    lines: int = 1

    kind = "lnsDatatable"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns, buckets first."""
        return (*self.rows, *self.metrics)

    def visualization(self) -> dict[str, Any]:
        """What Lens stores beside the columns."""
        widths = dict(self.widths)
        columns = [
            {"columnId": c.id, "isTransposed": False}
            | ({"width": widths[c.id]} if c.id in widths else {})
            for c in self.columns
        ]
        height = (
            {"rowHeight": "custom", "rowHeightLines": self.lines}
            if self.lines > 1
            else {"rowHeight": "auto"}
        )
        return {
            **_LAYER,
            "columns": columns,
            **height,
            "headerRowHeight": "auto",
            "paging": {"size": 10, "enabled": True},
        }


Chart = Tile | Donut | Bars | Lines | HeatMap | Table

_LAYER = {"layerId": LAYER, "layerType": "data"}


def _xy(chart: Bars | Lines, series: str, colours: dict[str, Any]) -> dict[str, Any]:
    layer = {
        **_LAYER,
        "seriesType": series,
        "xAccessor": chart.along.id,
        "accessors": [metric.id for metric in chart.metrics],
        **({"splitAccessor": chart.split.id} if chart.split else {}),
        **colours,
    }
    several = chart.split is not None or len(chart.metrics) > 1
    titles = {"x": False, "yLeft": True, "yRight": False}
    return {
        "layers": [layer],
        "legend": {"isVisible": several, "position": "bottom"},
        "preferredSeriesType": series,
        "valueLabels": "hide",
        "fittingFunction": "None",
        "emphasizeFitting": False,
        "axisTitlesVisibilitySettings": titles,
    }


def _colours(by_severity: bool) -> dict[str, Any]:
    """The default palette, or each severity in its own colour."""
    if not by_severity:
        return {"palette": _PALETTE}
    assignments = [
        {
            "rule": {"type": "matchExactly", "values": [severity]},
            "color": {"type": "colorCode", "colorCode": colour},
            "touched": True,
        }
        for severity, colour in SEVERITY_COLOURS.items()
    ]
    other = {
        "rule": {"type": "other"},
        "color": {"type": "colorCode", "colorCode": "#98a2b3"},
        "touched": False,
    }
    return {
        "colorMapping": {
            "assignments": assignments,
            "specialAssignments": [other],
            "paletteId": "eui_amsterdam_color_blind",
            "assignmentMode": "manual",
            "colorMode": {"type": "categorical"},
        }
    }


def _heat(bound: Literal["above"] = "above") -> dict[str, Any]:
    """Five steps from the lowest to the highest value."""
    stops = [20 * (i + 1) for i in range(len(_HEAT))]
    return {
        "type": "palette",
        "name": "custom",
        "params": {
            "name": "custom",
            "rangeType": "percent",
            "continuity": bound,
            "progression": "fixed",
            "reverse": False,
            "rangeMin": 0,
            "rangeMax": None,
            "steps": len(_HEAT),
            "maxSteps": len(_HEAT),
            "colorStops": [
                {"color": colour, "stop": stop - 20}
                for colour, stop in zip(_HEAT, stops, strict=True)
            ],
            "stops": [
                {"color": colour, "stop": stop}
                for colour, stop in zip(_HEAT, stops, strict=True)
            ],
        },
    }
