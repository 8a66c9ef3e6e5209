"""What Lens draws of the columns."""

from __future__ import annotations

from tests.kibana.mutations.places import Mutations, rename

LENS_CHARTS: Mutations = {
    "an accessor of no column": (
        "is no column",
        lambda b: b.drawn("timeline")["layers"][0].update(accessors=["count"]),
    ),
    "no accessor: the layer is skipped": (
        "accessors are empty",
        lambda b: b.drawn("timeline")["layers"][0].update(accessors=[]),
    ),
    "an axis that is a metric": (
        "must be a bucket",
        lambda b: b.drawn("timeline")["layers"][0].update(xAccessor="findings"),
    ),
    "a helper as accessor": (
        "is a helper",
        lambda b: b.drawn("rate").update(metricAccessor="rateX0"),
    ),
    "a layerId of no layer": (
        "is no layer",
        lambda b: b.drawn("timeline")["layers"][0].update(layerId="other"),
    ),
    "a tile without its metric": (
        "metricAccessor",
        lambda b: b.drawn("open").pop("metricAccessor"),
    ),
    "bars without a legend: an exception": (
        "legend",
        lambda b: b.drawn("timeline").pop("legend"),
    ),
    "fittingFunction unset": (
        "fittingFunction",
        lambda b: b.drawn("timeline").pop("fittingFunction"),
    ),
    "splitAccessors of Lens v2": (
        "not of 8.12",
        lambda b: rename(
            b.drawn("timeline")["layers"][0], "splitAccessor", "splitAccessors"
        ),
    ),
    "a donut with `metric`": (
        "metrics",
        lambda b: rename(b.drawn("severities")["layers"][0], "metrics", "metric"),
    ),
    "nestedLegend with one group": (
        "nestedLegend",
        lambda b: b.drawn("severities")["layers"][0].update(nestedLegend=True),
    ),
    "a heat map without a legend": (
        "legend",
        lambda b: b.drawn("services").pop("legend"),
    ),
    "a heat map without gridConfig": (
        "gridConfig",
        lambda b: b.drawn("services").pop("gridConfig"),
    ),
    "a palette for another column": (
        "palette.accessor",
        lambda b: b.drawn("services")["palette"].update(accessor="time"),
    ),
    "stops that fall": (
        "stops must rise",
        lambda b: b.drawn("services")["palette"]["params"]["stops"].reverse(),
    ),
    "a colour loop of a later version": (
        "color.type must be colorCode",
        lambda b: b.drawn("severities")["layers"][0]["colorMapping"][
            "specialAssignments"
        ][0].update(color={"type": "loop"}),
    ),
    "a table of a column that is gone": (
        "is no column",
        lambda b: b.drawn("classes")["columns"][0].update(columnId="kind"),
    ),
    "a column that the chart forgot": (
        "is used nowhere",
        lambda b: b.drawn("classes")["columns"].pop(),
    ),
    "a visualization nobody has": (
        "visualizationType must be one of",
        lambda b: b.chart("timeline").update(visualizationType="lnsBars"),
    ),
    "a series type nobody draws": (
        "seriesType must be one of",
        lambda b: b.drawn("timeline")["layers"][0].update(seriesType="bars"),
    ),
    "emphasizeFitting unset": (
        "emphasizeFitting must be set",
        lambda b: b.drawn("timeline").pop("emphasizeFitting"),
    ),
    "a donut without legendDisplay": (
        "legendDisplay must be one of",
        lambda b: b.drawn("severities")["layers"][0].pop("legendDisplay"),
    ),
    "a donut without metrics": (
        "metrics (without it",
        lambda b: b.drawn("severities")["layers"][0].pop("metrics"),
    ),
    "a heat map without values": (
        "valueAccessor",
        lambda b: b.drawn("services").pop("valueAccessor"),
    ),
    "a table sorted by a column that is gone": (
        "sorting.columnId",
        lambda b: b.drawn("classes").update(
            sorting={"columnId": "kind", "direction": "desc"}
        ),
    ),
    "a layer type nobody knows": (
        "layerType must be data",
        lambda b: b.drawn("timeline")["layers"][0].update(layerType="datas"),
    ),
    "a colour mapping of 9.x": (
        "rule must be an object",
        lambda b: rename(
            b.drawn("severities")["layers"][0]["colorMapping"]["assignments"][0],
            "rule",
            "rules",
        ),
    ),
    "a palette without params": (
        "palette.params must be",
        lambda b: b.drawn("services")["palette"].pop("params"),
    ),
    "a colour that is none": (
        "is no colour",
        lambda b: b.drawn("open").update(color="red"),
    ),
    "a bar without its end": (
        "showBar needs a maxAccessor",
        lambda b: b.drawn("open").update(showBar=True),
    ),
    "an end that is no column": (
        "maxAccessor most is no column",
        lambda b: b.drawn("open").update(maxAccessor="most"),
    ),
    "a tile broken down by a metric": (
        "breakdownByAccessor open must be a bucket",
        lambda b: b.drawn("open").update(breakdownByAccessor="open"),
    ),
    "half a trend line": (
        "not of 8.12, or out of date",
        lambda b: b.drawn("open").update(trendlineLayerId="trend"),
    ),
    "an out-of-date label of a tile": (
        "not of 8.12, or out of date",
        lambda b: b.drawn("open").update(secondaryPrefix="of"),
    ),
    "a palette of a tile without params": (
        "palette.params must be",
        lambda b: b.drawn("open").update(palette={"type": "palette", "name": "custom"}),
    ),
    "a legend that is half said": (
        "legend needs isVisible",
        lambda b: b.drawn("timeline")["legend"].pop("isVisible"),
    ),
    "a legend nowhere": (
        "position must be one of",
        lambda b: b.drawn("timeline")["legend"].update(position="middle"),
    ),
    "no preferred series": (
        "preferredSeriesType must be",
        lambda b: b.drawn("timeline").pop("preferredSeriesType"),
    ),
    "no layer of a chart": (
        "layers are empty",
        lambda b: b.drawn("timeline").update(layers=[]),
    ),
    "a reference line without its own layer": (
        "layerType must be data",
        lambda b: b.drawn("timeline")["layers"][0].update(layerType="referenceLine"),
    ),
    "a curve that nobody draws": (
        "curveType must be",
        lambda b: b.drawn("timeline").update(curveType="SMOOTH"),
    ),
    "a colour of a series that is not drawn": (
        "which is no accessor",
        lambda b: b.drawn("timeline")["layers"][0].update(
            yConfig=[{"forAccessor": "lines", "color": "#bd271e"}]
        ),
    ),
    "a palette beside a colour mapping": (
        "not both",
        lambda b: b.drawn("severities")["layers"][0].update(
            palette={"type": "palette", "name": "default"}
        ),
    ),
    "a split by a metric": (
        "must be a bucket",
        lambda b: b.drawn("timeline")["layers"][0].update(splitAccessor="findings"),
    ),
    "a pie of no shape": (
        "shape must be donut",
        lambda b: b.drawn("severities").update(shape="ring"),
    ),
    "a donut without groups": (
        "primaryGroups",
        lambda b: b.drawn("severities")["layers"][0].pop("primaryGroups"),
    ),
    "a hole of another size": (
        "emptySizeRatio must be",
        lambda b: b.drawn("severities")["layers"][0].update(emptySizeRatio=0.5),
    ),
    "numbers of a donut in no form": (
        "numberDisplay must be",
        lambda b: b.drawn("severities")["layers"][0].update(numberDisplay="both"),
    ),
    "a heat map of no shape": (
        "shape must be heatmap",
        lambda b: b.drawn("services").pop("shape"),
    ),
    "a heat map whose rows are a metric": (
        "must be a bucket",
        lambda b: b.drawn("services").update(yAccessor="findings"),
    ),
    "a grid that is half said": (
        "gridConfig needs isCellLabelVisible",
        lambda b: b.drawn("services")["gridConfig"].pop("isCellLabelVisible"),
    ),
    "a legend of another chart": (
        "legend.type",
        lambda b: b.drawn("services")["legend"].update(type="legend"),
    ),
    "fewer colours than steps": (
        "must be as many",
        lambda b: b.drawn("services")["palette"]["params"]["colorStops"].pop(),
    ),
    "a palette that continues nowhere": (
        "continuity must be",
        lambda b: b.drawn("services")["palette"]["params"].update(continuity="up"),
    ),
    "a palette nobody has": (
        "palette rainbow is unknown",
        lambda b: b.drawn("services")["palette"].update(name="rainbow"),
    ),
    "colours by numbers instead of raw terms": (
        "rule.values must be texts",
        lambda b: b.drawn("severities")["layers"][0]["colorMapping"]["assignments"][0][
            "rule"
        ].update(values=[4]),
    ),
    "no colour for the rest": (
        "specialAssignments must hold",
        lambda b: b.drawn("severities")["layers"][0]["colorMapping"].update(
            specialAssignments=[]
        ),
    ),
    "a table column twice": (
        "a column comes twice",
        lambda b: b.drawn("classes")["columns"].append(
            dict(b.drawn("classes")["columns"][0])
        ),
    ),
    "a table width that is a text": (
        "width must be a number",
        lambda b: b.drawn("classes")["columns"][0].update(width="260px"),
    ),
    "a table column on no side": (
        "alignment must be",
        lambda b: b.drawn("classes")["columns"][0].update(alignment="justify"),
    ),
    "a table coloured nowhere": (
        "colorMode must be",
        lambda b: b.drawn("classes")["columns"][0].update(colorMode="row"),
    ),
    "a table summed up by nothing": (
        "summaryRow must be",
        lambda b: b.drawn("classes")["columns"][0].update(summaryRow="median"),
    ),
    "pages of no size": (
        "paging needs size",
        lambda b: b.drawn("classes")["paging"].pop("size"),
    ),
    "rows of a height that is not said": (
        "needs rowHeightLines",
        lambda b: b.drawn("classes").update(rowHeight="custom"),
    ),
}
