"""One layer of a Lens chart: which columns, in which order, each of them sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kibana.check.defect import Spot
from kibana.check.fields import ViewFields
from kibana.check.formulas import check_formula
from kibana.check.lens_columns import check_column

_KEYS = {
    *("columns", "columnOrder", "incompleteColumns", "sampling"),
    "ignoreGlobalFilters",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as it is stored, with the fields it may use."""

    id: str
    state: Mapping[str, Any]
    columns: Mapping[str, Mapping[str, Any]]
    view: ViewFields | None

    @classmethod
    def of(
        cls, layer_id: str, state: Mapping[str, Any], view: ViewFields | None
    ) -> Layer:
        """Columns that are no objects are left out; `check_layer` tells of them."""
        stored = state.get("columns")
        columns = stored if isinstance(stored, dict) else {}
        return cls(
            layer_id,
            state,
            {k: c for k, c in columns.items() if isinstance(c, dict)},
            view,
        )

    @property
    def helpers(self) -> set[str]:
        """Columns that others rest on: parts of formulas, no accessors."""
        return {
            reference
            for column in self.columns.values()
            for reference in _texts(column.get("references"))
        }


def check_layer(layer: Layer, spot: Spot) -> None:
    """The layer and each of its columns."""
    for key in sorted(set(layer.state) ^ _KEYS):
        spot.tell(
            f"{key} is not of 8.12; leave it out"
            if key in layer.state
            else f"{key} is missing"
        )
    spot.need(
        layer.state.get("incompleteColumns") == {}, "incompleteColumns must be {}"
    )
    spot.need(layer.state.get("sampling") == 1, "sampling must be 1: all documents")
    spot.need(
        isinstance(layer.state.get("ignoreGlobalFilters"), bool),
        "ignoreGlobalFilters must be true or false",
    )
    stored = spot.mapping(layer.state.get("columns"), "columns")
    for column_id in set(stored) - set(layer.columns):
        spot.tell(f"column {column_id} must be an object")
    _check_order(layer, spot)
    for column_id, column in layer.columns.items():
        here = spot.at(f"column {column_id}")
        check_column(column_id, column, layer.columns, layer.view, here)
        if column.get("operationType") == "formula":
            check_formula(column_id, column, layer.columns, here)


def _check_order(layer: Layer, spot: Spot) -> None:
    """Results are matched by position, so a wrong order is wrong data."""
    order = _texts(spot.items(layer.state.get("columnOrder"), "columnOrder"))
    if not spot.need(
        sorted(order) == sorted(layer.columns) and bool(order),
        "columnOrder must name exactly the columns, each once",
    ):
        return
    operations = [layer.columns[c].get("operationType") for c in order]
    buckets = [bool(layer.columns[c].get("isBucketed")) for c in order]
    spot.need(
        buckets == sorted(buckets, reverse=True), "columnOrder: buckets before metrics"
    )
    if "terms" in operations and "date_histogram" in operations:
        last_terms = len(operations) - 1 - operations[::-1].index("terms")
        spot.need(
            last_terms < operations.index("date_histogram"),
            "columnOrder: terms before date_histogram, or each bar has its own top",
        )
    _check_prefixes(layer, spot)


def _check_prefixes(layer: Layer, spot: Spot) -> None:
    """Editing a formula deletes every column whose id begins with the formula's."""
    for formula, column in layer.columns.items():
        if column.get("operationType") != "formula":
            continue
        own = {c for c in layer.columns if c.startswith(f"{formula}X")}
        others = {c for c in layer.columns if c != formula and c.startswith(formula)}
        for other in sorted(others - own):
            spot.tell(f"column {other} begins with the id of the formula {formula}")


def _texts(value: Any) -> list[str]:
    return (
        [v for v in value if isinstance(v, str)]
        if isinstance(value, list | tuple)
        else []
    )
