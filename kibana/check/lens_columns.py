"""One column: its operation, its field's type, its parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kibana.check.defect import Spot, is_number
from kibana.check.fields import ViewFields, kind_of
from kibana.check.queries import check_query
from kibana.lens.columns import RECORDS

_INTERVAL = re.compile(r"auto|[1-9][0-9]*(?:ms|[smhdwMqy])")
_SHIFT = re.compile(r"previous|[1-9][0-9]*[smhdwMqy]")

Columns = Mapping[str, Mapping[str, Any]]

_NUMBER, _ANY = (
    frozenset({"number"}),
    frozenset({"string", "number", "date", "boolean", "ip"}),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What Kibana knows of an operation. `takes`: kinds of fields; none: no field."""

    bucket: bool
    scale: str
    takes: frozenset[str] = frozenset()
    gives: str = "number"


_OPERATIONS = {
    "date_histogram": Operation(True, "interval", frozenset({"date"}), "date"),
    "terms": Operation(True, "ordinal", _ANY, "field"),
    "count": Operation(False, "ratio"),
    "unique_count": Operation(False, "ratio", _ANY),
    "sum": Operation(False, "ratio", _NUMBER),
    "average": Operation(False, "ratio", _NUMBER),
    "median": Operation(False, "ratio", _NUMBER),
    "standard_deviation": Operation(False, "ratio", _NUMBER),
    "percentile": Operation(False, "ratio", _NUMBER),
    "min": Operation(False, "ratio", frozenset({"number", "date"}), "field"),
    "max": Operation(False, "ratio", frozenset({"number", "date"}), "field"),
    "last_value": Operation(False, "field", _ANY, "field"),
    "formula": Operation(False, "ratio"),
    "math": Operation(False, "ratio"),
}
_KEYS = {
    *("label", "customLabel", "dataType", "operationType", "isBucketed", "scale"),
    *("sourceField", "params", "filter", "references", "timeShift"),
    *("reducedTimeRange", "timeScale"),
}
_NUMBER_FORMATS = {"number", "percent", "bytes", "bits", "duration", "custom"}


def check_column(
    column_id: str,
    column: Mapping[str, Any],
    columns: Columns,
    view: ViewFields | None,
    spot: Spot,
) -> None:
    """One column of a layer."""
    strange = sorted(set(column) - _KEYS)
    spot.need(not strange, f"has no {', '.join(strange)}")
    spot.text(column.get("label"), "label")
    spot.need(column.get("customLabel") is True, "customLabel must be true")
    name = column.get("operationType")
    operation = _OPERATIONS.get(name) if isinstance(name, str) else None
    if not spot.need(operation is not None, f"operationType {name} is none we use"):
        return
    assert operation is not None
    spot.need(
        column.get("isBucketed") is operation.bucket,
        f"isBucketed must be {str(operation.bucket).lower()}: 8.x reads it",
    )
    _check_field(column, operation, view, spot)
    params = spot.mapping(column.get("params"), "params")
    check = _PARAMS.get(str(name))
    if check is not None:
        check(params, column, columns, view, spot)
    if isinstance(params.get("format"), dict) or "format" in params:
        _check_format(params["format"], spot)
    if "filter" in column:
        check_query(column["filter"], view, spot)
        spot.need(name == "last_value", "set the filter on the panel, not on a column")
    _check_times(column, columns, spot)


def _check_times(column: Mapping[str, Any], columns: Columns, spot: Spot) -> None:
    """What moves or scales the time range of one column."""
    if "timeShift" in column:
        shift = column["timeShift"]
        good = isinstance(shift, str) and _SHIFT.fullmatch(shift) is not None
        spot.need(good, "timeShift must be previous or a length such as 1d")
    if "timeScale" in column:
        good = column["timeScale"] in ("s", "m", "h", "d")
        spot.need(good, "timeScale must be s, m, h or d")
    if "reducedTimeRange" in column:
        over_time = any(
            c.get("operationType") == "date_histogram" for c in columns.values()
        )
        spot.need(not over_time, "reducedTimeRange is ignored beside a date_histogram")


def _check_field(
    column: Mapping[str, Any], operation: Operation, view: ViewFields | None, spot: Spot
) -> None:
    kind, scale = column.get("dataType"), column.get("scale")
    field = column.get("sourceField")
    if not operation.takes:
        if column.get("operationType") == "count":
            spot.need(field == RECORDS, f"sourceField of count must be {RECORDS}")
        else:
            spot.need(field is None, "has no sourceField")
        spot.need(kind == "number", "dataType must be number")
    else:
        field = spot.text(field, "sourceField")
        found = view.type_of(field) if view is not None else None
        known = view is not None and view.types is not None
        if field and known and found is None:
            spot.tell(f"field {field} is not in {view.title if view else ''}")
        elif found is not None:
            _check_type(column, operation, field, found, spot)
        if operation.gives != "field":
            spot.need(kind == operation.gives, f"dataType must be {operation.gives}")
    wanted = operation.scale
    if wanted == "field":
        wanted = "ordinal" if kind in ("string", "ip") else "ratio"
    spot.need(scale == wanted, f"scale must be {wanted}: the axes are chosen by it")


def _check_type(
    column: Mapping[str, Any], operation: Operation, field: str, found: str, spot: Spot
) -> None:
    name = column.get("operationType")
    kind = kind_of(found)
    usable = kind in operation.takes and found != "text"
    if spot.need(usable, f"{name} cannot be taken of {field}, which is {found}"):
        spot.need(
            operation.gives != "field" or column.get("dataType") == kind,
            f"dataType must be {kind}, the kind of {field}",
        )


def _date_histogram(
    params: Mapping[str, Any], _: Any, __: Any, ___: Any, spot: Spot
) -> None:
    interval = spot.text(params.get("interval"), "interval")
    if interval:
        spot.need(
            _INTERVAL.fullmatch(interval) is not None,
            "interval must be auto or a length such as 30m",
        )
    spot.need(
        params.get("includeEmptyRows") is True,
        "includeEmptyRows must be true, or quiet hours vanish",
    )
    spot.need(params.get("dropPartials") is False, "dropPartials must be false")
    spot.need(
        params.get("ignoreTimeRange") is not True or interval != "auto",
        "ignoreTimeRange leaves auto without a range to divide",
    )


def _terms(
    params: Mapping[str, Any], column: Any, columns: Columns, _: Any, spot: Spot
) -> None:
    size = params.get("size")
    spot.need(isinstance(size, int) and 0 < size <= 1000, "size must be 1 to 1000")
    spot.need(
        params.get("orderDirection") in ("asc", "desc"),
        "orderDirection must be asc or desc",
    )
    other, missing = params.get("otherBucket"), params.get("missingBucket")
    spot.need(isinstance(other, bool), "otherBucket must be true or false")
    spot.need(isinstance(missing, bool), "missingBucket must be true or false")
    spot.need(not (missing and not other), "missingBucket works with otherBucket only")
    parent = spot.mapping(params.get("parentFormat"), "parentFormat")
    spot.need(parent.get("id") == "terms", "parentFormat must be {id: terms}")
    order = spot.mapping(params.get("orderBy"), "orderBy")
    spot.need(
        order.get("type") in ("column", "alphabetical"),
        "orderBy must be by a column or alphabetical",
    )
    if order.get("type") == "column":
        target = columns.get(str(order.get("columnId")))
        spot.need(
            target is not None,
            f"orderBy names no column ({order.get('columnId')}): silently alphabetical",
        )
        spot.need(
            target is None
            or (
                not target.get("isBucketed")
                and target.get("operationType") not in ("formula", "math")
            ),
            "orderBy must name a plain metric: no bucket, no formula",
        )


def _counting(params: Mapping[str, Any], _: Any, __: Any, ___: Any, spot: Spot) -> None:
    spot.need(
        params.get("emptyAsNull") is False, "emptyAsNull must be false: true hides a 0"
    )


def _percentile(
    params: Mapping[str, Any], _: Any, __: Any, ___: Any, spot: Spot
) -> None:
    percent = params.get("percentile")
    spot.need(
        is_number(percent) and 0 < float(percent or 0) < 100,
        "percentile must lie between 0 and 100",
    )


def _last_value(
    params: Mapping[str, Any],
    column: Mapping[str, Any],
    _: Any,
    view: ViewFields | None,
    spot: Spot,
) -> None:
    sort_field = spot.text(params.get("sortField"), "sortField")
    if sort_field and view is not None and view.types is not None:
        spot.need(
            view.type_of(sort_field) == "date", f"sortField {sort_field} is no date"
        )
    spot.need(
        params.get("showArrayValues") is False,
        "showArrayValues must be false, or the column cannot be sorted",
    )
    spot.need("filter" in column, "needs a filter `field: *`, as Lens writes it")


_PARAMS: Mapping[str, Callable[..., None]] = {
    "date_histogram": _date_histogram,
    "terms": _terms,
    "count": _counting,
    "sum": _counting,
    "unique_count": _counting,
    "percentile": _percentile,
    "last_value": _last_value,
}


def _check_format(value: Any, spot: Spot) -> None:
    form = spot.mapping(value, "format")
    spot.need(
        form.get("id") in tuple(_NUMBER_FORMATS),
        f"format must be one of {', '.join(sorted(_NUMBER_FORMATS))}",
    )
    params = spot.mapping(form.get("params"), "format params")
    spot.need(isinstance(params.get("decimals"), int), "format needs decimals")
    if "suffix" in params:
        spot.text(params["suffix"], "suffix", empty=True)
