"""From rows to drawings, tables and texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kibana import build_objects
from kibana.dashboard import Dashboard
from kibana.lens import Bars, Donut, HeatMap, Lines, Table, maximum, over_time
from kibana.panels import Grid, TextPanel
from kibana.preview import (
    Cell,
    Picture,
    SearchView,
    Sheet,
    TextView,
    draw_lens,
    draw_search,
    lens_request,
    read_boards,
)
from tests.kibana.preview.samples import (
    FINDINGS,
    HOUR,
    NOON,
    answer,
    at,
    by,
    values_of,
    view,
)


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
