"""Queries and filters: readable, and about fields that exist."""

from __future__ import annotations

from typing import Any

from kibana.check.defect import Spot
from kibana.check.fields import ViewFields
from kibana.check.kql import kql_fields


def check_query(value: Any, view: ViewFields | None, spot: Spot) -> None:
    """A query as Kibana keeps it: KQL, its fields there."""
    query = spot.mapping(value, "query")
    if not query:
        return
    spot.need(query.get("language") == "kuery", "language must be kuery")
    text = spot.text(query.get("query"), "query", empty=True)
    try:
        fields = kql_fields(text)
    except ValueError as error:
        spot.tell(f"query is no KQL: {error}")
        return
    if view is None:
        spot.need(not fields, "a query of all panels may name no field; set it on each")
        return
    for field in sorted(fields):
        spot.need(view.has(field), f"the query's field {field} is not in {view.title}")


def check_search_source(
    value: Any, view: ViewFields | None, spot: Spot, *, index_name: str = ""
) -> None:
    """`searchSourceJSON`: query, filters and, of a search, its data view by name."""
    source = spot.json(value, "searchSourceJSON", dict)
    if not source:
        return
    check_query(source.get("query"), view, spot.at("searchSourceJSON"))
    filters = spot.items(source.get("filter"), "filter")
    spot.need(not filters, "filters are set on panels; leave the list empty")
    if index_name:
        spot.need(
            source.get("indexRefName") == index_name,
            f"indexRefName must be {index_name}, or the panel shows an error",
        )
    spot.need("index" not in source, "index stands in the references, not here")
