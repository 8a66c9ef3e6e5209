"""The panel of a dashboard → the search that gives its figures.

Buckets nest in the order of the columns, metrics lie innermost, as in Lens. Only
aggregations that every Elasticsearch has: the newest value is a top hit, "Other" is
what all have together less what the named ones have, formulas are worked out of their
helpers afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from kibana.preview.boards import LensView, SearchView
from kibana.preview.kql import kql_query

#: What follows a bucket's name in the names of the aggregations beside it.
ALL = "__all"
VALUE = "value"
MAX_ROWS = 20
_BARS = 75
#: Widths of a bar that people read easily, in seconds.
_WIDTHS_S = (
    1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
    86_400, 604_800, 2_592_000, 31_536_000,
)  # fmt: skip

_PLAIN = {
    "sum": "sum",
    "average": "avg",
    "min": "min",
    "max": "max",
    "unique_count": "cardinality",
}
#: Columns that are worked out of others or given, not asked for.
DERIVED = frozenset({"formula", "math", "static_value"})

Body = dict[str, Any]


class UndrawableError(ValueError):
    """A column or chart that the preview does not know; its text says which."""


@dataclass(frozen=True, slots=True)
class Period:
    """What time is looked at, and in whose zone days begin."""

    start: datetime
    end: datetime
    zone: tzinfo

    @property
    def bar_s(self) -> int:
        """The width of a bar over time, in seconds: at most 75 of them."""
        span_s = (self.end - self.start).total_seconds()
        return next((w for w in _WIDTHS_S if span_s / w <= _BARS), _WIDTHS_S[-1])


def lens_request(view: LensView, period: Period) -> Body:
    """The search of a chart. Raises UndrawableError, ValueError for a bad query."""
    return {
        "size": 0,
        "track_total_hits": True,
        "query": _query(view.data_view.time_field, view.query, period),
        "aggs": _level(view, view.buckets, period),
    }


def search_request(view: SearchView, period: Period) -> Body:
    """The search of a table of documents: its first rows. Raises ValueError."""
    return {
        "size": MAX_ROWS,
        "track_total_hits": True,
        "query": _query(view.data_view.time_field, view.query, period),
        "sort": [{field: {"order": order}} for field, order in view.sort],
        "_source": False,
        "fields": [view.data_view.time_field, *view.columns],
    }


def count_request(query: str, period: Period) -> Body:
    """How many documents of a period a query finds. Raises ValueError."""
    wanted = _query("@timestamp", query, period)
    return {"size": 0, "track_total_hits": True, "query": wanted}


def _query(time_field: str, kql: str, period: Period) -> Body:
    bounds = {"gte": _iso(period.start), "lte": _iso(period.end)}
    return {"bool": {"filter": [{"range": {time_field: bounds}}, kql_query(kql)]}}


def _level(view: LensView, buckets: Sequence[str], period: Period) -> Body:
    """The aggregations below the buckets so far."""
    if not buckets:
        return _metrics(view)
    column_id, *rest = buckets
    column = view.columns[column_id]
    inner = _level(view, rest, period)
    own = {**inner, **_ordering(view, column)}
    level: Body = {column_id: {**_bucket(view, column, period), "aggs": own}}
    if column["params"].get("otherBucket"):
        there = {"exists": {"field": column["sourceField"]}}
        level[column_id + ALL] = {"filter": there, "aggs": inner}
    return level


def _bucket(view: LensView, column: Mapping[str, Any], period: Period) -> Body:
    params = column["params"]
    match column["operationType"]:
        case "date_histogram":
            return {"date_histogram": _histogram(column, period)}
        case "terms":
            terms = {
                "field": column["sourceField"],
                "size": params["size"],
                "order": _order(view, params),
            }
            if params.get("missingBucket"):
                raise UndrawableError("values that are missing")
            return {"terms": terms}
        case "filters":
            named = {
                own["label"] or own["input"]["query"]: kql_query(own["input"]["query"])
                for own in params["filters"]
            }
            return {"filters": {"filters": named}}
    raise UndrawableError(f"buckets of {column['operationType']}")


def _histogram(column: Mapping[str, Any], period: Period) -> Body:
    if column["params"]["interval"] != "auto":
        raise UndrawableError("a fixed interval")
    histogram: Body = {
        "field": column["sourceField"],
        "fixed_interval": f"{period.bar_s}s",
        "time_zone": offset(period),
        "min_doc_count": 1,
    }
    if column["params"].get("includeEmptyRows"):
        histogram["min_doc_count"] = 0
        histogram["extended_bounds"] = {
            "min": _iso(period.start),
            "max": _iso(period.end),
        }
    return histogram


def _order(view: LensView, params: Mapping[str, Any]) -> Body:
    wish, direction = params["orderBy"], params["orderDirection"]
    if wish["type"] == "alphabetical":
        return {"_key": direction}
    if wish["type"] != "column":
        raise UndrawableError(f"values ordered by {wish['type']}")
    metric = view.columns[wish["columnId"]]
    operation, filtered = metric["operationType"], "filter" in metric
    if operation == "count":
        return {f"{wish['columnId']}>_count" if filtered else "_count": direction}
    if operation not in _PLAIN:
        raise UndrawableError(f"values ordered by {operation}")
    return {wish["columnId"] + (f">{VALUE}" if filtered else ""): direction}


def _ordering(view: LensView, column: Mapping[str, Any]) -> Body:
    """The metric that values are ordered by: it must lie right within their bucket."""
    wish = column["params"].get("orderBy", {})
    if wish.get("type") != "column":
        return {}
    return _metric(wish["columnId"], view.columns[wish["columnId"]])


def _metrics(view: LensView) -> Body:
    return {
        name: agg
        for column_id in view.metrics
        for name, agg in _metric(column_id, view.columns[column_id]).items()
    }


def _metric(column_id: str, column: Mapping[str, Any]) -> Body:
    """The aggregation of a metric; none for a plain count and what is derived."""
    operation = column["operationType"]
    for unknown in ("timeShift", "reducedTimeRange", "timeScale"):
        if column.get(unknown):
            raise UndrawableError(unknown)
    if operation in DERIVED:
        return {}
    agg = None if operation == "count" else _aggregation(column)
    if "filter" not in column:
        return {} if agg is None else {column_id: agg}
    filtered: Body = {"filter": kql_query(column["filter"]["query"])}
    if agg is not None:
        filtered["aggs"] = {VALUE: agg}
    return {column_id: filtered}


def _aggregation(column: Mapping[str, Any]) -> Body:
    operation, field = column["operationType"], column["sourceField"]
    if operation in _PLAIN:
        return {_PLAIN[operation]: {"field": field}}
    match operation:
        case "percentile":
            percent = column["params"]["percentile"]
            return {"percentiles": {"field": field, "percents": [percent]}}
        case "median":
            return {"percentiles": {"field": field, "percents": [50]}}
        case "last_value":
            newest = {column["params"]["sortField"]: {"order": "desc"}}
            return {
                "top_hits": {
                    "size": 1,
                    "sort": [newest],
                    "_source": False,
                    "fields": [field],
                }
            }
    raise UndrawableError(f"a metric {operation}")


def offset(period: Period) -> str:
    """The zone as it is at the end of the period, as `+01:00`."""
    text = period.end.astimezone(period.zone).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
