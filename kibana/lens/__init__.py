"""Lens charts as code: columns, charts of them, and the state that Kibana stores.

columns.py   one column: a bucket or a metric over one field
charts.py    tile, donut, bars, lines, heat map, table: columns with their roles
state.py     chart → the `attributes` of a Lens panel
"""

from kibana.lens.charts import (
    Bars,
    Chart,
    Donut,
    HeatMap,
    Lines,
    Table,
    Tile,
)
from kibana.lens.columns import (
    Column,
    average,
    count,
    last_value,
    maximum,
    over_time,
    percentile,
    ratio_of_sums,
    top_values,
    total,
    unique_values,
)
from kibana.lens.state import attributes, layer_reference

__all__ = [
    "Bars",
    "Chart",
    "Column",
    "Donut",
    "HeatMap",
    "Lines",
    "Table",
    "Tile",
    "attributes",
    "average",
    "count",
    "last_value",
    "layer_reference",
    "maximum",
    "over_time",
    "percentile",
    "ratio_of_sums",
    "top_values",
    "total",
    "unique_values",
]
