"""The columns of a Lens layer, each as Kibana stores it.

Buckets (`over_time`, `top_values`) divide, metrics count. `scale` and `isBucketed` are
always stored: 8.x reads them, later versions derive the same. Labels are ours
(`customLabel`), or Kibana would make its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

RECORDS = "___records___"

Format = Literal["number", "percent", "seconds"]

_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "number": {"id": "number", "params": {"decimals": 0}},
    "decimal": {"id": "number", "params": {"decimals": 2}},
    "percent": {"id": "percent", "params": {"decimals": 1}},
    "seconds": {"id": "number", "params": {"decimals": 0, "suffix": " s"}},
    "bytes": {"id": "bytes", "params": {"decimals": 0}},
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its id within the layer, its state, and the helpers it rests on."""

    id: str
    state: Mapping[str, Any]
    helpers: tuple[Column, ...] = ()

    @property
    def is_bucket(self) -> bool:
        """Whether it divides instead of counting."""
        return bool(self.state["isBucketed"])


def over_time(column_id: str = "time", label: str = "Time") -> Column:
    """Buckets of time, as wide as the screen allows."""
    return Column(
        column_id,
        {
            **_common(label, "date", "date_histogram", bucket=True, scale="interval"),
            "sourceField": "@timestamp",
            "params": {
                "interval": "auto",
                "includeEmptyRows": True,
                "dropPartials": False,
            },
        },
    )


def top_values(
    column_id: str,
    field: str,
    label: str,
    *,
    size: int,
    by: str,
    other: bool = False,
) -> Column:
    """The values of a keyword with the most of the metric column `by`."""
    return Column(
        column_id,
        {
            **_common(label, "string", "terms", bucket=True, scale="ordinal"),
            "sourceField": field,
            "params": {
                "size": size,
                "orderBy": {"type": "column", "columnId": by},
                "orderDirection": "desc",
                "otherBucket": other,
                "missingBucket": False,
                "parentFormat": {"id": "terms"},
            },
        },
    )


def count(column_id: str, label: str, *, only: str = "") -> Column:
    """How many documents; 0 is shown as 0."""
    state = {
        **_common(label, "number", "count"),
        "sourceField": RECORDS,
        "params": {"emptyAsNull": False, "format": _FORMATS["number"]},
    }
    return Column(column_id, state | _filter(only))


def total(column_id: str, field: str, label: str, *, only: str = "") -> Column:
    """The sum of a number; 0 is shown as 0."""
    state = {
        **_common(label, "number", "sum"),
        "sourceField": field,
        "params": {"emptyAsNull": False, "format": _FORMATS["number"]},
    }
    return Column(column_id, state | _filter(only))


def unique_values(column_id: str, field: str, label: str) -> Column:
    """How many different values; 0 is shown as 0."""
    state = {
        **_common(label, "number", "unique_count"),
        "sourceField": field,
        "params": {"emptyAsNull": False},
    }
    return Column(column_id, state)


def average(
    column_id: str, field: str, label: str, *, shown_as: str = "decimal"
) -> Column:
    """The mean of a number."""
    return _plain(column_id, "average", field, label, shown_as)


def maximum(
    column_id: str, field: str, label: str, *, shown_as: str = "decimal"
) -> Column:
    """The greatest of a number, or (`shown_as="date"`) the latest of a time."""
    if shown_as == "date":
        state = {**_common(label, "date", "max"), "sourceField": field, "params": {}}
        return Column(column_id, state)
    return _plain(column_id, "max", field, label, shown_as)


def percentile(column_id: str, field: str, label: str, percent: int) -> Column:
    """A percentile of a number."""
    state = {
        **_common(label, "number", "percentile"),
        "sourceField": field,
        "params": {"percentile": percent, "format": _FORMATS["decimal"]},
    }
    return Column(column_id, state)


def last_value(
    column_id: str,
    field: str,
    label: str,
    *,
    kind: Literal["number", "string", "date"],
    shown_as: str = "",
) -> Column:
    """The newest value of a field, of the field's own type."""
    params: dict[str, Any] = {"sortField": "@timestamp", "showArrayValues": False}
    if shown_as:
        params["format"] = _FORMATS[shown_as]
    scale = "ordinal" if kind == "string" else "ratio"
    state = {
        **_common(label, kind, "last_value", scale=scale),
        "sourceField": field,
        "params": params,
    }
    return Column(column_id, state | _filter(f'"{field}": *'))


def ratio_of_sums(column_id: str, above: str, below: str, label: str) -> Column:
    """sum(above) ÷ sum(below), as per cent: a formula with its stored helpers."""
    parts = f"Part of {label}"
    first, second, third = (f"{column_id}X{i}" for i in range(3))
    helpers = (
        _helper(first, "sum", above, parts),
        _helper(second, "sum", below, parts),
        Column(
            third,
            {
                **_common(parts, "number", "math"),
                "params": {
                    "tinymathAst": {
                        "type": "function",
                        "name": "divide",
                        "args": [first, second],
                    }
                },
                "references": [first, second],
            },
        ),
    )
    state = {
        **_common(label, "number", "formula"),
        "params": {
            "formula": f"sum({above}) / sum({below})",
            "isFormulaBroken": False,
            "format": _FORMATS["percent"],
        },
        "references": [third],
    }
    return Column(column_id, state, helpers)


def _helper(column_id: str, operation: str, field: str, label: str) -> Column:
    state = {
        **_common(label, "number", operation),
        "sourceField": field,
        "params": {"emptyAsNull": False},
    }
    return Column(column_id, state)


def _plain(
    column_id: str, operation: str, field: str, label: str, shown_as: str
) -> Column:
    state = {
        **_common(label, "number", operation),
        "sourceField": field,
        "params": {"format": _FORMATS[shown_as]},
    }
    return Column(column_id, state)


def _filter(kql: str) -> dict[str, Any]:
    return {"filter": {"query": kql, "language": "kuery"}} if kql else {}


def _common(
    label: str,
    kind: str,
    operation: str,
    *,
    bucket: bool = False,
    scale: str = "ratio",
) -> dict[str, Any]:
    return {
        "label": label,
        "customLabel": True,
        "dataType": kind,
        "operationType": operation,
        "isBucketed": bucket,
        "scale": scale,
    }
