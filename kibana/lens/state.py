"""From a chart to what Kibana stores of a Lens panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kibana.lens.charts import LAYER, Chart
from kibana.lens.columns import Column
from kibana.objects import Reference


def layer_reference(data_view: str) -> Reference:
    """How the layer of a chart refers to its data view."""
    return Reference(
        f"indexpattern-datasource-layer-{LAYER}", "index-pattern", data_view
    )


def attributes(
    chart: Chart, data_view: str, *, query: str = "", ignore_filters: bool = False
) -> dict[str, Any]:
    """The `attributes` of a Lens panel by value.

    `ignore_filters`: the controls and filters of the dashboard do not apply, because
    this data view has none of their fields.
    """
    reference = layer_reference(data_view)
    ordered = [c for column in chart.columns for c in _with_helpers(column)]
    layer = {
        "columns": {c.id: c.state for c in ordered},
        "columnOrder": [c.id for c in ordered],
        "incompleteColumns": {},
        "sampling": 1,
        "ignoreGlobalFilters": ignore_filters,
    }
    return {
        "title": "",
        "type": "lens",
        "visualizationType": chart.kind,
        "references": [
            {"type": reference.type, "id": reference.id, "name": reference.name}
        ],
        "state": {
            "visualization": chart.visualization(),
            "query": {"query": query, "language": "kuery"},
            "filters": [],
            "datasourceStates": {"formBased": {"layers": {LAYER: layer}}},
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


def _with_helpers(column: Column) -> Iterator[Column]:
    yield column
    yield from column.helpers
