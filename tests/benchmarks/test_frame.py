"""The frame of benchmarks: what a ratio is, and what a comparison says."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import compare as comparison
from benchmarks.frame import Case, Row, compare, read_rows, results, table, write

ROW = Row(
    name="a",
    unit="lines",
    anchor="drain3",
    anchor_per_s=10.0,
    ours_per_s=250.0,
    ratio=25.0,
    ratios=(24.0, 25.0, 26.0),
    floor=20,
    goal=30,
    clock="cpu",
)


def busy(steps: int, called: list[str], who: str) -> Callable[[], Callable[[], object]]:
    def prepare() -> Callable[[], object]:
        called.append(who)
        return lambda: sum(range(steps))

    return prepare


def test_runs_alternate_and_the_first_of_each_is_thrown_away() -> None:
    called: list[str] = []
    case = Case("a", "steps", 10, "slow", floor=1.0, goal=2.0)
    row = compare(
        case, anchor=busy(20_000, called, "anchor"), ours=busy(10, called, "ours")
    )
    assert called == ["anchor", "ours"] * 6
    assert len(row.ratios) == 5
    assert row.ratio == sorted(row.ratios)[2] > 2


def test_fewer_than_five_runs_are_refused() -> None:
    case = Case("a", "steps", 10, "slow", floor=1.0, goal=2.0, runs=4)
    with pytest.raises(ValueError, match="too few"):
        compare(case, anchor=busy(1, [], ""), ours=busy(1, [], ""))


@pytest.mark.parametrize(("ratio", "met"), [(19.9, "no"), (20, "floor"), (30, "goal")])
def test_a_row_says_what_was_met(ratio: float, met: str) -> None:
    row = replace(ROW, ratio=ratio)
    assert row.met == met
    assert table([row]).splitlines()[1].split()[-1] == met


def test_results_say_on_what_they_depend_and_read_back(tmp_path: Path) -> None:
    write(results([ROW]), tmp_path / "r.json")
    body = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert {"commit", "machine", "versions", "taken_at"} < set(body)
    assert body["versions"]["drain3"]
    assert read_rows(body) == [ROW]


@pytest.mark.parametrize(
    ("new", "word", "fell"),
    [
        ([ROW], "same", False),
        ([replace(ROW, ratio=20.0)], "fell", True),
        ([replace(ROW, ratio=30.0)], "rose", False),
        ([], "gone", True),
        ([ROW, replace(ROW, name="b")], "new", False),
    ],
)
def test_a_comparison_tells_what_fell(new: list[Row], word: str, fell: bool) -> None:
    lines, bad = comparison.differences([ROW], new, 0.1)
    assert word in lines[-1]
    assert bad is fell
