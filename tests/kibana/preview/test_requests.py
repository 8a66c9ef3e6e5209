"""From stored Lens state to searches."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from kibana import build_objects
from kibana.ids import OPEN
from kibana.lens import (
    Bars,
    Column,
    Table,
    Tile,
    count,
    last_value,
    maximum,
    over_time,
    percentile,
)
from kibana.preview import (
    LensView,
    LinksView,
    Period,
    SearchView,
    UndrawableError,
    lens_request,
    read_boards,
    search_request,
)
from kibana.preview.kql import kql_query
from tests.kibana.preview.samples import FINDINGS, HOUR, NOON, by, view, with_state


def test_every_panel_of_the_dashboards_can_be_asked_for() -> None:
    boards = read_boards(build_objects())
    assert [b.title for b in boards] == [
        "elkwatch: overview", "elkwatch: class detail", "elkwatch: pipeline health",
    ]  # fmt: skip
    assert boards[0].controls == ("Class", "Severity", "Service")
    asked = 0
    for board in boards:
        for panel in board.panels:
            if isinstance(panel, LensView):
                assert lens_request(panel, HOUR)["size"] == 0
                asked += 1
            elif isinstance(panel, SearchView):
                assert search_request(panel, HOUR)["sort"] == [
                    {"@timestamp": {"order": "desc"}}
                ]
                assert panel.data_view.pattern == "logs-elkwatch.anomaly-*"
                asked += 1
            else:
                assert isinstance(panel, LinksView)
                assert len(panel.targets) == 3
    assert asked == 11 + 11 + 13


def test_buckets_nest_and_other_is_asked_beside_them() -> None:
    body = lens_request(
        view(Bars(over_time(), (FINDINGS,), by("f", other=True)), OPEN), HOUR
    )
    time = {
        "date_histogram": {
            "field": "@timestamp",
            "fixed_interval": "60s",
            "time_zone": "+00:00",
            "min_doc_count": 0,
            "extended_bounds": {
                "min": "2026-11-22T12:00:00.000+00:00",
                "max": "2026-11-22T13:00:00.000+00:00",
            },
        },
        "aggs": {},
    }
    terms = {"field": "f", "size": 3, "order": {"_count": "desc"}}
    assert body["aggs"] == {
        "by": {"terms": terms, "aggs": {"time": time}},
        "by__all": {"filter": {"exists": {"field": "f"}}, "aggs": {"time": time}},
    }
    wanted = body["query"]["bool"]["filter"]
    assert wanted[0]["range"]["@timestamp"]["gte"] == "2026-11-22T12:00:00.000+00:00"
    assert wanted[1] == kql_query(OPEN)


def test_values_are_ordered_by_a_metric_within_their_bucket() -> None:
    worst = maximum("n", "r", "Risk")
    body = lens_request(view(Bars(over_time(), (worst,), by("f"))), HOUR)["aggs"]["by"]
    assert body["terms"]["order"] == {"n": "desc"}
    assert body["aggs"]["n"] == {"max": {"field": "r"}}
    assert body["aggs"]["time"]["aggs"]["n"] == {"max": {"field": "r"}}
    failed = count("n", "Failed", only="o : 1")
    body = lens_request(view(Table((by("f"),), (failed,))), HOUR)["aggs"]["by"]
    assert body["terms"]["order"] == {"n>_count": "desc"}
    assert body["aggs"]["n"] == {"filter": {"match": {"o": "1"}}}


def test_the_newest_value_is_a_top_hit_within_its_filter() -> None:
    body = lens_request(view(Tile(last_value("n", "f", "N", kind="string"))), HOUR)
    assert body["aggs"] == {
        "n": {
            "filter": {"exists": {"field": "f"}},
            "aggs": {
                "value": {
                    "top_hits": {
                        "size": 1,
                        "sort": [{"@timestamp": {"order": "desc"}}],
                        "_source": False,
                        "fields": ["f"],
                    }
                }
            },
        }
    }


@pytest.mark.parametrize(
    ("span", "bar_s"),
    [
        (timedelta(minutes=1), 1),
        (timedelta(hours=1), 60),
        (timedelta(days=1), 1800),
        (timedelta(days=7), 10_800),
        (timedelta(days=365), 604_800),
        (timedelta(days=20_000), 31_536_000),
    ],
)
def test_bars_over_time_are_as_wide_as_people_read_them(
    span: timedelta, bar_s: int
) -> None:
    assert Period(NOON, NOON + span, UTC).bar_s == bar_s


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (with_state(FINDINGS, operationType="moving_average"), "moving_average"),
        (with_state(FINDINGS, timeShift="1d"), "timeShift"),
        (with_state(maximum("n", "r", "R"), reducedTimeRange="5m"), "reducedTimeRange"),
    ],
)
def test_what_the_preview_does_not_know_is_said(column: Column, why: str) -> None:
    with pytest.raises(UndrawableError, match=why):
        lens_request(view(Tile(column)), HOUR)
    ordered = view(Table((by("f"),), (percentile("n", "s", "Half", 50),)))
    with pytest.raises(UndrawableError, match="ordered by percentile"):
        lens_request(ordered, HOUR)
