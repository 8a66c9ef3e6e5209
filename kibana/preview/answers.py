"""The answer of Elasticsearch → the rows of a panel, one value a column."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kibana.preview.boards import LensView, SearchView
from kibana.preview.requests import ALL, DERIVED, VALUE, UndrawableError

OTHER = "Other"
#: A value of a row: none where there is nothing to show.
Value = str | float | datetime | None
Row = dict[str, Value]

_ADDITIVE = frozenset({"count", "sum"})
_SIGNS: Mapping[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}


def lens_rows(view: LensView, answer: Mapping[str, Any]) -> list[Row]:
    """The rows in the order of the buckets; helpers of formulas among the columns.

    A chart without buckets has exactly one row, also where no index is.
    """
    total = answer["hits"]["total"]["value"]
    root = {"doc_count": total, **answer.get("aggregations", {})}
    rows = list(_rows(view, root, view.buckets))
    for row in rows:
        for column_id in view.metrics:
            column = view.columns[column_id]
            if column["operationType"] in DERIVED:
                row[column_id] = _derived(column, row, view)
    return rows


def search_rows(view: SearchView, answer: Mapping[str, Any]) -> tuple[list[Row], int]:
    """The documents as rows, and how many there are in all."""
    names = (view.data_view.time_field, *view.columns)
    rows: list[Row] = [
        {name: _field(hit.get("fields", {}), name) for name in names}
        for hit in answer["hits"]["hits"]
    ]
    return rows, answer["hits"]["total"]["value"]


def _rows(
    view: LensView, place: Mapping[str, Any], buckets: Sequence[str]
) -> Iterator[Row]:
    if not buckets:
        yield {m: _metric(view.columns[m], place, m) for m in view.metrics}
        return
    column_id, *rest = buckets
    column = view.columns[column_id]
    named: list[Row] = []
    for key, bucket in _buckets(place.get(column_id, {})):
        value = _key(column, key, bucket)
        named += ({column_id: value, **row} for row in _rows(view, bucket, rest))
    yield from named
    if column_id + ALL in place:
        everything = _rows(view, place[column_id + ALL], rest)
        yield from _others(view, column_id, rest, named, list(everything))


def _buckets(agg: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    buckets = agg.get("buckets", [])
    if isinstance(buckets, Mapping):
        yield from buckets.items()
        return
    for bucket in buckets:
        yield bucket["key"], bucket


def _key(column: Mapping[str, Any], key: Any, bucket: Mapping[str, Any]) -> Value:
    if column["operationType"] == "date_histogram":
        return datetime.fromtimestamp(key / 1000, UTC)
    return str(bucket.get("key_as_string", key))


def _others(
    view: LensView,
    column_id: str,
    rest: Sequence[str],
    named: list[Row],
    everything: list[Row],
) -> list[Row]:
    """What all have less what the named have, where it can be told; if it is any."""
    sums = [m for m in view.metrics if _is_additive(view, m)]
    taken: dict[tuple[Value, ...], dict[str, float]] = {}
    for row in named:
        own = taken.setdefault(tuple(row[r] for r in rest), dict.fromkeys(sums, 0.0))
        for metric in sums:
            own[metric] += _number(row[metric])
    others = []
    for row in everything:
        less = taken.get(tuple(row[r] for r in rest), {})
        left: Row = {m: _number(row[m]) - less.get(m, 0.0) for m in sums}
        others.append({**row, **dict.fromkeys(view.metrics), **left, column_id: OTHER})
    return others if any(row[m] for row in others for m in sums) else []


def _is_additive(view: LensView, metric: str) -> bool:
    return view.columns[metric]["operationType"] in _ADDITIVE


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _metric(column: Mapping[str, Any], place: Mapping[str, Any], name: str) -> Value:
    operation = column["operationType"]
    if operation in DERIVED:
        return None
    if "filter" in column:
        place = place.get(name, {"doc_count": 0})
        name = VALUE
    if operation == "count":
        return float(place["doc_count"])
    agg = place.get(name, {})
    match operation:
        case "last_value":
            hits = agg.get("hits", {}).get("hits", [])
            return _typed(
                column, _field(hits[0].get("fields", {}), _of(column)) if hits else None
            )
        case "percentile" | "median":
            return next(iter(agg.get("values", {}).values()), None)
        case "sum" | "unique_count":
            return float(agg.get("value") or 0)
    return _typed(column, agg.get("value"))


def _of(column: Mapping[str, Any]) -> str:
    return str(column["sourceField"])


def _typed(column: Mapping[str, Any], value: Any) -> Value:
    """A value of the type that the column says it has."""
    if value is None:
        return None
    if column["dataType"] == "date":
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return datetime.fromtimestamp(value / 1000, UTC)
    return float(value) if column["dataType"] == "number" else str(value)


def _field(fields: Mapping[str, Any], name: str) -> str | None:
    values = fields.get(name)
    return ", ".join(map(str, values)) if values else None


def _derived(column: Mapping[str, Any], row: Row, view: LensView) -> Value:
    match column["operationType"]:
        case "static_value":
            return float(column["params"]["value"])
        case "formula":
            (reference,) = column["references"]
            helper = view.columns[reference]
            derived = helper["operationType"] in DERIVED
            return _derived(helper, row, view) if derived else row[reference]
    return _worked_out(column["params"]["tinymathAst"], row)


def _worked_out(tree: Any, row: Row) -> float | None:
    """The value of a stored formula tree; none where a part has none, or n ÷ 0."""
    if isinstance(tree, int | float):
        return float(tree)
    if isinstance(tree, str):
        value = row[tree]
        return float(value) if isinstance(value, int | float) else None
    sign = _SIGNS.get(tree["name"])
    if sign is None:
        raise UndrawableError(f"a formula with {tree['name']}")
    first, second = (_worked_out(part, row) for part in tree["args"])
    if first is None or second is None:
        return None
    return None if sign is operator.truediv and not second else sign(first, second)
