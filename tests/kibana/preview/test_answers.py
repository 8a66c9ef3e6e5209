"""From answers to rows and figures."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kibana.lens import (
    Bars,
    Column,
    Donut,
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
    total,
)
from kibana.preview import Figure, Nothing, Picture, draw_lens, lens_request
from kibana.preview.answers import lens_rows
from tests.kibana.preview.samples import (
    FINDINGS,
    HOUR,
    NOON,
    answer,
    at,
    by,
    view,
    with_state,
)


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
