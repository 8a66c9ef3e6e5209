"""Charts as they are stored, and answers as Elasticsearch would give them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kibana.dashboard import Dashboard
from kibana.data_views import findings_view
from kibana.ids import FINDINGS_VIEW
from kibana.lens import Chart, Column, count, top_values
from kibana.panels import Grid, LensPanel
from kibana.preview import LensView, Period, Picture, read_boards

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = Period(NOON, NOON + timedelta(hours=1), UTC)
FINDINGS = count("n", "Findings")


def view(chart: Chart, query: str = "") -> LensView:
    """A chart as it comes out of the saved object of a dashboard."""
    panel = LensPanel("p", Grid(0, 0, 24, 10), "T", chart, FINDINGS_VIEW, query)
    objects = (findings_view("*"), Dashboard("d", "D", "", (panel,)).saved())
    (board,) = read_boards(objects)
    (found,) = board.panels
    assert isinstance(found, LensView)
    return found


def with_state(column: Column, **changes: Any) -> Column:
    return replace(column, state={**column.state, **changes})


def by(field: str, size: int = 3, *, other: bool = False) -> Column:
    return top_values("by", field, "By", size=size, by="n", other=other)


def answer(aggregations: dict[str, Any] | None = None, total: int = 9) -> Any:
    hits = {"total": {"value": total}, "hits": []}
    return {"hits": hits} | ({"aggregations": aggregations} if aggregations else {})


def at(minute: int, **inner: Any) -> dict[str, Any]:
    key = int((NOON + timedelta(minutes=minute)).timestamp() * 1000)
    return {"key": key, "doc_count": inner.pop("n", 0), **inner}


def values_of(picture: Any, width: int = 600) -> list[dict[str, Any]]:
    assert isinstance(picture, Picture)
    values: list[dict[str, Any]] = picture.spec(width, 200)["data"]["values"]
    return values
