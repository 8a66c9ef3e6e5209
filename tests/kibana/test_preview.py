"""From stored Lens state to searches, from answers to rows and drawings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kibana import build_objects
from kibana.dashboard import Dashboard
from kibana.data_views import findings_view
from kibana.ids import FINDINGS_VIEW, OPEN
from kibana.lens import (
    Bars,
    Chart,
    Column,
    Donut,
    HeatMap,
    Lines,
    Table,
    Tile,
    average,
    count,
    last_value,
    maximum,
    over_time,
    percentile,
    ratio_of_sums,
    top_values,
    total,
)
from kibana.panels import Grid, LensPanel, TextPanel
from kibana.preview import (
    Cell,
    Figure,
    LensView,
    LinksView,
    Nothing,
    Period,
    Picture,
    SearchView,
    Sheet,
    TextView,
    UndrawableError,
    draw_lens,
    draw_search,
    lens_request,
    read_boards,
    search_request,
)
from kibana.preview.answers import lens_rows
from kibana.preview.kql import kql_query
from kibana.preview.values import field_cell, number_text

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


# -- queries -----------------------------------------------------------------------

A, B, C = ({"match": {name: "1"}} for name in "abc")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", {"match_all": {}}),
        ("a : 1", A),
        ('a: "x y"', {"match_phrase": {"a": "x y"}}),
        ('a: "say \\"no\\""', {"match_phrase": {"a": 'say "no"'}}),
        ("a : x y", {"match": {"a": "x y"}}),
        ("a : *", {"exists": {"field": "a"}}),
        ("a : x-*", {"query_string": {"fields": ["a"], "query": "x\\-*"}}),
        ("a : x\\*", {"match": {"a": "x*"}}),
        ("a >= 5", {"range": {"a": {"gte": "5"}}}),
        ("not a : 1", {"bool": {"must_not": [A]}}),
        ("a : 1 and b : 1", {"bool": {"filter": [A, B]}}),
        (
            "a : 1 or b : 1 and c : 1",
            {
                "bool": {
                    "should": [A, {"bool": {"filter": [B, C]}}],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "(a : 1 or b : 1) and c : 1",
            {
                "bool": {
                    "filter": [
                        {"bool": {"should": [A, B], "minimum_should_match": 1}},
                        C,
                    ]
                }
            },
        ),
        (
            'a : (1 or "2" and not 3)',
            {
                "bool": {
                    "should": [
                        A,
                        {
                            "bool": {
                                "filter": [
                                    {"match_phrase": {"a": "2"}},
                                    {"bool": {"must_not": [{"match": {"a": "3"}}]}},
                                ]
                            }
                        },
                    ],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "oops",
            {"multi_match": {"query": "oops", "type": "best_fields", "lenient": True}},
        ),
    ],
)
def test_kql_becomes_what_kibana_makes_of_it(text: str, query: Any) -> None:
    assert kql_query(text) == query


@pytest.mark.parametrize(
    "text", ["a :", "a : 1 and", "(a : 1", 'a : "x', "a : {b : 1}"]
)
def test_kql_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"KQL|nothing|closed|joins"):
        kql_query(text)


# -- requests ----------------------------------------------------------------------


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


# -- answers -----------------------------------------------------------------------


def test_other_is_what_all_have_less_what_the_named_have() -> None:
    chart = view(Bars(over_time(), (FINDINGS,), by("f", other=True)))
    rows = lens_rows(
        chart,
        answer(
            {
                "by": {
                    "buckets": [
                        {"key": "a", "time": {"buckets": [at(0, n=2), at(1, n=1)]}},
                        {"key": "b", "time": {"buckets": [at(0, n=1)]}},
                    ]
                },
                "by__all": {"time": {"buckets": [at(0, n=7), at(1, n=1)]}},
            }
        ),
    )
    told = [(row["by"], row["time"], row["n"]) for row in rows]
    later = NOON + timedelta(minutes=1)
    assert told == [
        ("a", NOON, 2), ("a", later, 1), ("b", NOON, 1), ("Other", NOON, 4),
        ("Other", later, 0),
    ]  # fmt: skip


def test_nothing_is_left_over_no_other() -> None:
    chart = view(Bars(over_time(), (FINDINGS,), by("f", other=True)))
    one = {"time": {"buckets": [at(0, n=2)]}}
    rows = lens_rows(
        chart, answer({"by": {"buckets": [{"key": "a", **one}]}, "by__all": one})
    )
    assert [row["by"] for row in rows] == ["a"]


@pytest.mark.parametrize(
    ("above", "below", "shown"), [(3, 8, "37.5%"), (0, 8, "0.0%"), (3, 0, "–")]
)
def test_formulas_are_worked_out_of_their_helpers(
    above: int, below: int, shown: str
) -> None:
    chart = view(Tile(ratio_of_sums("r", "a", "b", "Rate")))
    given = answer({"rX0": {"value": above}, "rX1": {"value": below}})
    assert draw_lens(chart, given, HOUR) == Figure(shown, "Rate")
    assert set(lens_request(chart, HOUR)["aggs"]) == {"rX0", "rX1"}


def test_a_static_value_is_itself() -> None:
    given = with_state(
        FINDINGS,
        operationType="static_value",
        params={"value": "5.5", "format": {"id": "number", "params": {"decimals": 1}}},
    )
    chart = view(Tile(given))
    assert lens_request(chart, HOUR)["aggs"] == {}
    assert draw_lens(chart, answer(), HOUR) == Figure("5.5", "Findings")


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (FINDINGS, "0"),
        (total("n", "f", "Sum"), "0"),
        (count("n", "Failed", only="o : 1"), "0"),
        (average("n", "f", "Mean"), "–"),
        (maximum("n", "@timestamp", "Last", shown_as="date"), "–"),
        (percentile("n", "f", "P", 95), "–"),
        (last_value("n", "f", "Last", kind="number"), "–"),
    ],
)
def test_figures_of_no_index_at_all(column: Column, shown: str) -> None:
    drawn = draw_lens(view(Tile(column)), answer(total=0), HOUR)
    assert isinstance(drawn, Figure)
    assert drawn.value == shown


def test_charts_of_nothing_say_so() -> None:
    for chart in (
        Bars(over_time(), (FINDINGS,)),
        Donut(by("f"), FINDINGS),
        Table((by("f"),), (FINDINGS,)),
    ):
        drawn = draw_lens(view(chart), answer(total=0), HOUR)
        assert drawn == Nothing("No results found")
    void = answer({"time": {"buckets": [at(0, n=1, h={"value": None})]}})
    half = maximum("h", "s", "Half")
    drawn = draw_lens(view(Lines(over_time(), (half,))), void, HOUR)
    assert drawn == Nothing("No results found")


def test_zeros_lie_at_the_foot_of_the_chart() -> None:
    rows = answer({"time": {"buckets": [at(0, n=0)]}})
    drawn = draw_lens(view(Bars(over_time(), (FINDINGS,))), rows, HOUR)
    assert isinstance(drawn, Picture)
    assert drawn.spec(600, 200)["encoding"]["y"]["scale"] == {"domain": [0, 1]}


# -- drawings ----------------------------------------------------------------------


def test_a_donut_has_the_colours_of_the_state_and_values_in_its_legend() -> None:
    group = by("elkwatch.severity", 4)
    buckets = [{"key": "high", "doc_count": 5}, {"key": "odd", "doc_count": 1}]
    drawn = draw_lens(
        view(Donut(group, FINDINGS, by_severity=True)),
        answer({"by": {"buckets": buckets}}),
        HOUR,
    )
    assert isinstance(drawn, Picture)
    told = [(key.colour, key.name, key.value) for key in drawn.legend]
    assert told == [("#e7664c", "high", "5"), ("#98a2b3", "odd", "1")]
    assert drawn.legend_beside
    assert [v["v"] for v in values_of(drawn)] == [5, 1]


def test_lines_break_where_there_is_nothing_and_lone_points_are_marked() -> None:
    lag = maximum("n", "lag", "Lag")
    points = {0: 1.0, 1: 2.0, 2: None, 3: 4.0, 4: None}
    points |= dict.fromkeys(range(5, 40), 5.0)
    buckets = [at(minute) | {"n": {"value": v}} for minute, v in points.items()]
    drawn = draw_lens(
        view(Lines(over_time(), (lag,))), answer({"time": {"buckets": buckets}}), HOUR
    )
    values = values_of(drawn)
    parts = [v["g"] for v in values[:4]]
    assert parts[0] == parts[1] != parts[2] != parts[3]
    assert [v["marked"] for v in values[:4]] == [False, False, True, False]
    assert values[0]["d"] == "2026-11-22 12:00:00  1"


def test_times_are_those_of_the_zone() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    period = replace(HOUR, zone=zone)
    chart = view(Bars(over_time(), (FINDINGS,)))
    inner = lens_request(chart, period)["aggs"]["time"]["date_histogram"]
    assert inner["time_zone"] == "+09:00"
    (value,) = values_of(
        draw_lens(chart, answer({"time": {"buckets": [at(0, n=3)]}}), period)
    )
    assert value["d"] == "2026-11-22 21:00:00  3"
    shown = datetime.fromtimestamp(value["m"] / 1000, UTC)
    assert (shown.hour, shown.second) == (21, 30)


def test_the_axis_of_time_holds_whole_bars() -> None:
    odd = replace(HOUR, start=NOON + timedelta(seconds=20))
    chart = view(Bars(over_time(), (FINDINGS,)))
    drawn = draw_lens(chart, answer({"time": {"buckets": [at(0, n=3)]}}), odd)
    assert isinstance(drawn, Picture)
    first, last = drawn.spec(600, 200)["encoding"]["x"]["scale"]["domain"]
    assert [datetime.fromtimestamp(t / 1000, UTC) for t in (first, last)] == [
        NOON,
        NOON + timedelta(minutes=61),
    ]


def test_a_heat_map_leaves_cells_of_nothing_empty() -> None:
    buckets = [at(0, n=10), at(1, n=0), at(2, n=2)]
    rows = {"by": {"buckets": [{"key": "db", "time": {"buckets": buckets}}]}}
    drawn = draw_lens(
        view(HeatMap(over_time(), by("service.name"), FINDINGS)), answer(rows), HOUR
    )
    told = [(v["y"], v["c"]) for v in values_of(drawn)]
    assert told == [("db", "#cc5642"), ("db", "#e6f1ee")]
    assert isinstance(drawn, Picture)
    assert drawn.legend[-1].name == "to 10"


def test_horizontal_bars_keep_their_order_and_say_their_number() -> None:
    buckets = [{"key": "b", "doc_count": 1200}, {"key": "a", "doc_count": 3}]
    drawn = draw_lens(
        view(Bars(by("f"), (FINDINGS,), horizontal=True)),
        answer({"by": {"buckets": buckets}}),
        HOUR,
    )
    assert [(v["y"], v["n"]) for v in values_of(drawn)] == [("b", "1,200"), ("a", "3")]


def test_long_names_are_cut_and_stay_apart() -> None:
    long = "worker-of-the-payments-service-in-frankfurt-"
    names = [long + "1", long + "2", "short", "漢" * 40]
    buckets = [{"key": name, "doc_count": 1} for name in names]
    drawn = draw_lens(
        view(Bars(by("f"), (FINDINGS,), horizontal=True)),
        answer({"by": {"buckets": buckets}}),
        HOUR,
    )
    shown = [v["y"] for v in values_of(drawn, 336)]
    assert shown == [
        "worker-of-the-paym…", "worker-of-the-paym… (2)", "short", "漢" * 10 + "…",
    ]  # fmt: skip


def test_tables_have_the_formats_of_column_and_data_view() -> None:
    seen = maximum("seen", "@timestamp", "Seen", shown_as="date")
    rows = Table((by("elkwatch.severity"),), (FINDINGS, seen))
    bucket = {"key": "high", "doc_count": 1500, "seen": {"value": at(0)["key"]}}
    drawn = draw_lens(view(rows), answer({"by": {"buckets": [bucket]}}), HOUR)
    assert isinstance(drawn, Sheet)
    assert drawn.heads == ("By", "Findings", "Seen")
    assert drawn.rows == (
        (
            Cell("high", "badge"),
            Cell("1,500", "number"),
            Cell("2026-11-22 12:00:00", "time"),
        ),
    )


def test_a_saved_search_is_a_table_with_its_time_in_front() -> None:
    board = read_boards(build_objects())[0]
    search = next(p for p in board.panels if isinstance(p, SearchView))
    fields = {"@timestamp": ["2026-11-22T12:00:00.000Z"], "event.url": ["https://k/1"],
              "elkwatch.severity": ["low"], "message": ["a", "b"]}  # fmt: skip
    hits = {"total": {"value": 31}, "hits": [{"fields": fields}]}
    drawn = draw_search(search, {"hits": hits}, HOUR)
    assert isinstance(drawn, Sheet)
    assert drawn.total == 31
    assert drawn.heads[:3] == ("Time", "severity", "class")
    assert drawn.rows[0][0] == Cell("2026-11-22 12:00:00", "time")
    assert drawn.rows[0][1] == Cell("low", "badge")
    assert drawn.rows[0][2] == Cell("–")
    assert Cell("a, b") in drawn.rows[0]
    assert drawn.rows[0][-1] == Cell("open logs", "link", "https://k/1")


def test_markdown_is_read_as_text() -> None:
    panel = TextPanel("t", Grid(0, 0, 48, 4), "**read** me")
    (board,) = read_boards([Dashboard("d", "D", "", (panel,)).saved()])
    assert board.panels == (TextView("t", panel.grid, "**read** me"),)


@pytest.mark.parametrize(
    ("value", "kind", "params", "text"),
    [
        (1234.5, "number", {"decimals": 0}, "1,234"),
        (1234.5, "number", {"decimals": 2}, "1,234.5"),
        (2, "number", {"decimals": 0, "suffix": " s"}, "2 s"),
        (0.5, "percent", {"decimals": 1}, "50.0%"),
        (1536, "bytes", {"decimals": 1}, "1.5 KB"),
        (2**62, "bytes", {"decimals": 0}, "4,096 PB"),
        (3.25, "", {}, "3.25"),
        (100, "", {}, "100"),
    ],
)
def test_numbers(value: float, kind: str, params: dict[str, Any], text: str) -> None:
    assert number_text(value, {"id": kind, "params": params}) == text


def test_formats_of_fields() -> None:
    severity = {"lookupEntries": [{"key": "4", "value": "critical"}]}
    assert (
        field_cell("4", {"id": "static_lookup", "params": severity}).text == "critical"
    )
    assert field_cell("5400000000000", {"id": "duration"}).text == "1.5 h"
    assert field_cell("0.25", {"id": "percent"}).text == "25.0%"
    assert field_cell(None, {"id": "url"}).text == "–"
