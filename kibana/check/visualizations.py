"""What Lens stores beside the columns: every accessor a column, every needed key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kibana.check.colours import check_colour, check_colour_mapping, check_palette
from kibana.check.defect import Spot, is_number
from kibana.check.lens_layer import Layer

Layers = Mapping[str, Layer]

_SERIES = {
    *("bar", "bar_stacked", "bar_percentage_stacked", "bar_horizontal"),
    *("bar_horizontal_stacked", "line", "area", "area_stacked"),
}
_METRIC = {
    *("layerId", "layerType", "metricAccessor", "subtitle", "color", "icon"),
    *("palette", "maxCols", "valueFontMode", "breakdownByAccessor", "maxAccessor"),
    *("secondaryMetricAccessor", "showBar", "collapseFn", "progressDirection"),
}
#: Beside the metric itself; whether each must be a bucket.
_METRIC_ACCESSORS = {
    "secondaryMetricAccessor": False,
    "maxAccessor": False,
    "breakdownByAccessor": True,
}
_XY = {
    *("layers", "legend", "preferredSeriesType", "valueLabels", "fittingFunction"),
    *("emphasizeFitting", "axisTitlesVisibilitySettings", "curveType", "yTitle"),
    *("fillOpacity", "xTitle", "yLeftExtent", "labelsOrientation"),
}
_XY_LAYER = {
    *("layerId", "layerType", "seriesType", "xAccessor", "splitAccessor", "accessors"),
    *("palette", "colorMapping", "yConfig", "collapseFn"),
}
_PIE_LAYER = {
    *("layerId", "layerType", "primaryGroups", "metrics", "numberDisplay"),
    *("categoryDisplay", "legendDisplay", "legendPosition", "nestedLegend"),
    *("emptySizeRatio", "percentDecimals", "colorMapping", "palette", "legendSize"),
}
_HEATMAP = {
    *("shape", "layerId", "layerType", "xAccessor", "yAccessor", "valueAccessor"),
    *("legend", "gridConfig", "palette"),
}
_TABLE = {
    *("layerId", "layerType", "columns", "sorting", "paging", "rowHeight"),
    *("rowHeightLines", "headerRowHeight", "headerRowHeightLines"),
}
_TABLE_COLUMN = {
    "alignment": ("left", "right", "center"),
    "colorMode": ("none", "cell", "text"),
    "summaryRow": ("none", "sum", "avg", "count", "min", "max"),
}


def check_visualization(kind: Any, value: Any, layers: Layers, spot: Spot) -> None:
    """The state of one chart, by its kind."""
    check = _KINDS.get(kind) if isinstance(kind, str) else None
    if not spot.need(
        check is not None, f"visualizationType must be one of {', '.join(_KINDS)}"
    ):
        return
    assert check is not None
    state = spot.mapping(value, "visualization")
    if state:
        check(state, layers, spot)


def _layer(state: Mapping[str, Any], layers: Layers, spot: Spot) -> Layer | None:
    layer = layers.get(str(state.get("layerId")))
    spot.need(layer is not None, f"layerId {state.get('layerId')} is no layer: blank")
    spot.need(state.get("layerType") == "data", "layerType must be data")
    return layer


def _column(
    layer: Layer | None, value: Any, name: str, spot: Spot, *, bucket: bool
) -> None:
    if layer is None:
        return
    column = layer.columns.get(value) if isinstance(value, str) else None
    if not spot.need(
        column is not None, f"{name} {value} is no column: it stays empty"
    ):
        return
    assert column is not None
    spot.need(
        value not in layer.helpers,
        f"{name} {value} is a helper of a formula, no column",
    )
    wanted = "a bucket" if bucket else "a metric"
    spot.need(
        bool(column.get("isBucketed")) is bucket, f"{name} {value} must be {wanted}"
    )


def _known(state: Mapping[str, Any], keys: set[str], spot: Spot) -> None:
    strange = sorted(set(state) - keys)
    spot.need(not strange, f"{', '.join(strange)}: not of 8.12, or out of date")


def _all_used(layer: Layer | None, used: Iterable[Any], spot: Spot) -> None:
    """A column that plays no part is asked of the cluster for nothing, or forgotten."""
    if layer is not None:
        named = {u for u in used if isinstance(u, str)}
        for left in sorted(set(layer.columns) - layer.helpers - named):
            spot.tell(f"column {left} is used nowhere in the chart")


def _metric(state: Mapping[str, Any], layers: Layers, spot: Spot) -> None:
    _known(state, _METRIC, spot)
    layer = _layer(state, layers, spot)
    _column(layer, state.get("metricAccessor"), "metricAccessor", spot, bucket=False)
    for name, bucket in _METRIC_ACCESSORS.items():
        if name in state:
            _column(layer, state[name], name, spot, bucket=bucket)
    if "color" in state:
        check_colour(state["color"], spot)
    if "subtitle" in state:
        spot.text(state["subtitle"], "subtitle", empty=True)
    if state.get("showBar"):
        spot.need("maxAccessor" in state, "showBar needs a maxAccessor")
    _check_colours(state, spot)
    names = [v for k, v in state.items() if k.endswith("Accessor")]
    _all_used(layer, names, spot)


def _pie(state: Mapping[str, Any], layers: Layers, spot: Spot) -> None:
    _known(state, {"shape", "layers", "palette"}, spot)
    spot.need(
        state.get("shape") in ("pie", "donut", "treemap", "mosaic", "waffle"),
        "shape must be donut, pie, treemap, mosaic or waffle",
    )
    for value in _some(state.get("layers"), spot):
        here = spot.mapping(value, "layer")
        _known(here, _PIE_LAYER, spot)
        layer = _layer(here, layers, spot)
        groups = spot.items(here.get("primaryGroups"), "primaryGroups")
        metrics = spot.items(here.get("metrics"), "metrics (without it: an exception)")
        spot.need(bool(groups) and bool(metrics), "needs a group and a metric")
        for group in groups:
            _column(layer, group, "primaryGroups", spot, bucket=True)
        for metric in metrics:
            _column(layer, metric, "metrics", spot, bucket=False)
        _one_of(here, "numberDisplay", ("hidden", "percent", "value"), spot)
        _one_of(here, "categoryDisplay", ("default", "inside", "hide"), spot)
        _one_of(here, "legendDisplay", ("default", "show", "hide"), spot)
        if here.get("nestedLegend"):
            spot.need(len(groups) > 1, "nestedLegend needs two groups")
        if "emptySizeRatio" in here:
            sizes = (0.3, 0.54, 0.7)
            good = here["emptySizeRatio"] in sizes
            spot.need(good, "emptySizeRatio must be 0.3, 0.54 or 0.7")
        _check_colours(here, spot)
        _all_used(layer, [*groups, *metrics], spot)


def _xy(state: Mapping[str, Any], layers: Layers, spot: Spot) -> None:
    _known(state, _XY, spot)
    legend = spot.mapping(state.get("legend"), "legend (without it: an exception)")
    spot.need(isinstance(legend.get("isVisible"), bool), "legend needs isVisible")
    _one_of(legend, "position", ("top", "bottom", "left", "right"), spot)
    fitting = ("None", "Zero", "Linear", "Carry", "Lookahead", "Average", "Nearest")
    _one_of(state, "fittingFunction", fitting, spot)
    spot.need(
        isinstance(state.get("emphasizeFitting"), bool),
        "emphasizeFitting must be set: its default differs between versions",
    )
    _one_of(state, "valueLabels", ("hide", "show"), spot)
    _one_of(state, "preferredSeriesType", tuple(sorted(_SERIES)), spot)
    if "curveType" in state:
        curves = ("LINEAR", "CURVE_MONOTONE_X", "CURVE_STEP_AFTER")
        _one_of(state, "curveType", curves, spot)
    if "axisTitlesVisibilitySettings" in state:
        titles = spot.mapping(
            state["axisTitlesVisibilitySettings"], "axisTitlesVisibilitySettings"
        )
        flags = [titles.get(side) for side in ("x", "yLeft", "yRight")]
        spot.need(
            all(isinstance(f, bool) for f in flags) and len(titles) == 3,
            "axisTitlesVisibilitySettings needs x, yLeft and yRight",
        )
    for value in _some(state.get("layers"), spot):
        _xy_layer(spot.mapping(value, "layer"), layers, spot)


def _xy_layer(here: Mapping[str, Any], layers: Layers, spot: Spot) -> None:
    _known(here, _XY_LAYER, spot)
    layer = _layer(here, layers, spot)
    _one_of(here, "seriesType", tuple(sorted(_SERIES)), spot)
    _column(layer, here.get("xAccessor"), "xAccessor", spot, bucket=True)
    accessors = spot.items(here.get("accessors"), "accessors")
    spot.need(bool(accessors), "accessors are empty: the layer is skipped")
    for accessor in accessors:
        _column(layer, accessor, "accessors", spot, bucket=False)
    used = [here.get("xAccessor"), *accessors]
    if "splitAccessor" in here:
        _column(layer, here["splitAccessor"], "splitAccessor", spot, bucket=True)
        used.append(here["splitAccessor"])
    for value in spot.items(here.get("yConfig", []), "yConfig"):
        axis = spot.mapping(value, "yConfig")
        named = axis.get("forAccessor")
        spot.need(named in accessors, f"yConfig is for {named}, which is no accessor")
    _check_colours(here, spot)
    _all_used(layer, used, spot)


def _heatmap(state: Mapping[str, Any], layers: Layers, spot: Spot) -> None:
    _known(state, _HEATMAP, spot)
    spot.need(state.get("shape") == "heatmap", "shape must be heatmap")
    layer = _layer(state, layers, spot)
    axes = ["xAccessor", *(["yAccessor"] if "yAccessor" in state else [])]
    for name in axes:
        _column(layer, state.get(name), name, spot, bucket=True)
    _column(layer, state.get("valueAccessor"), "valueAccessor", spot, bucket=False)
    legend = spot.mapping(state.get("legend"), "legend (without it: nothing is drawn)")
    spot.need(legend.get("type") == "heatmap_legend", "legend.type: heatmap_legend")
    spot.need(isinstance(legend.get("isVisible"), bool), "legend needs isVisible")
    _one_of(legend, "position", ("top", "bottom", "left", "right"), spot)
    grid = spot.mapping(state.get("gridConfig"), "gridConfig")
    spot.need(grid.get("type") == "heatmap_grid", "gridConfig.type: heatmap_grid")
    for key in ("CellLabel", "XAxisLabel", "YAxisLabel", "XAxisTitle", "YAxisTitle"):
        name = f"is{key}Visible"
        spot.need(isinstance(grid.get(name), bool), f"gridConfig needs {name}")
    if "palette" in state:
        palette = spot.mapping(state["palette"], "palette")
        check_palette(palette, spot)
        spot.need(
            palette.get("accessor") == state.get("valueAccessor"),
            "palette.accessor must be the valueAccessor",
        )
    _all_used(layer, [state.get(n) for n in (*axes, "valueAccessor")], spot)


def _table(state: Mapping[str, Any], layers: Layers, spot: Spot) -> None:
    _known(state, _TABLE, spot)
    layer = _layer(state, layers, spot)
    named = []
    for value in spot.items(state.get("columns"), "columns"):
        column = spot.mapping(value, "column")
        named.append(column.get("columnId"))
        there = layer is not None and column.get("columnId") in list(layer.columns)
        spot.need(
            layer is None or there, f"columnId {column.get('columnId')} is no column"
        )
        if "width" in column:
            spot.need(is_number(column["width"]), "width must be a number of pixels")
        for key, allowed in _TABLE_COLUMN.items():
            if key in column:
                _one_of(column, key, allowed, spot)
    spot.need(len(named) == len(set(map(str, named))), "a column comes twice")
    sorting = spot.mapping(state.get("sorting", {}), "sorting")
    if sorting:
        spot.need(
            sorting.get("columnId") in named, "sorting.columnId is no column of it"
        )
        _one_of(sorting, "direction", ("asc", "desc", "none"), spot)
    _one_of(state, "rowHeight", ("auto", "custom", "single"), spot)
    if state.get("rowHeight") == "custom":
        spot.need(isinstance(state.get("rowHeightLines"), int), "needs rowHeightLines")
    paging = spot.mapping(state.get("paging", {}), "paging")
    if paging:
        spot.need(
            isinstance(paging.get("size"), int) and paging.get("enabled") is True,
            "paging needs size and enabled",
        )
    _all_used(layer, named, spot)


def _check_colours(state: Mapping[str, Any], spot: Spot) -> None:
    spot.need(
        not ("palette" in state and "colorMapping" in state),
        "give palette or colorMapping, not both",
    )
    if "palette" in state:
        check_palette(spot.mapping(state["palette"], "palette"), spot)
    if "colorMapping" in state:
        check_colour_mapping(state["colorMapping"], spot)


def _some(value: Any, spot: Spot) -> list[Any]:
    layers = list(spot.items(value, "layers"))
    spot.need(bool(layers), "layers are empty: nothing is drawn")
    return layers


def _one_of(
    state: Mapping[str, Any], key: str, allowed: tuple[str, ...], spot: Spot
) -> None:
    spot.need(state.get(key) in allowed, f"{key} must be one of {', '.join(allowed)}")


_KINDS: Mapping[str, Callable[[Mapping[str, Any], Layers, Spot], None]] = {
    "lnsMetric": _metric,
    "lnsPie": _pie,
    "lnsXY": _xy,
    "lnsHeatmap": _heatmap,
    "lnsDatatable": _table,
}
