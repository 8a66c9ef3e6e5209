"""What a backtest says, for every kind of outcome, and its JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elkwatch.backtest import BacktestResult, Period, record, told
from elkwatch.backtest.coverage import Gap, Held
from elkwatch.backtest.rehearsal import ChannelName
from elkwatch.backtest.result import ClassFigures, Day, LevelFigures, SourceFigures
from tests.connector.samples import finding

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DAY = timedelta(days=1)
MAIL = ChannelName("ops-mail", "email")


def source(**changes: Any) -> SourceFigures:
    values: dict[str, Any] = {
        "source": "shop", "index": "logs-*", "model": "models/shop",
        "model_version": "m1", "threshold": 5.0, "documents": 10_000, "unknown": 20,
        "problems": 0, "keyless_ratio": 0.0, "sessions": 900, "open_sessions": 2,
        "findings": 9, "withdrawn": 1,
        "held": Held(3 * DAY, timedelta(hours=1), (), 0),
    }  # fmt: skip
    return SourceFigures(**(values | changes))


def result(**changes: Any) -> BacktestResult:
    days = tuple(
        Day(f"2026-11-2{3 + n}", 3000, 6, 300, 3, 2, {"ops-mail": n + 1})
        for n in range(3)
    )
    kind = ClassFigures(
        "shop", "c07", "missing step", "high", "missing-step", True, "Look.", 9,
        {"2026-11-23": 9}, 6, {"ops-mail": 6}, (finding(),),
    )  # fmt: skip
    values: dict[str, Any] = {
        "period": Period(NOW - 3 * DAY, NOW), "reached": NOW,
        "step": timedelta(minutes=5), "interval": timedelta(minutes=1), "zone": "UTC",
        "sources": (source(),), "days": days, "classes": (kind,), "episodes": (),
        "levels": (LevelFigures("shop", 6.0, True, 4, 3, 6),), "channels": (MAIL,),
        "pretended": False, "kinds": {"ops-mail": {"opened": 4, "resolved": 2}},
    }  # fmt: skip
    return BacktestResult(**(values | changes))


def text(**changes: Any) -> str:
    return "\n".join(told(result(**changes)))


def test_the_last_line_says_how_often() -> None:
    assert text().splitlines()[-1] == (
        "You would have been told 2 times a day: 6 times in 3.0 days with logs "
        "(4 opened, 2 resolved), about 0 episodes; on the busiest day, 2026-11-25, "
        "3 times."
    )


def test_what_stands_before_it() -> None:
    said = text()
    for part in (
        "it looked every 5m to be quick, the service looks every 1m",
        "9 deviate (1.0 % of the sessions)",
        "0.2% of the lines match no template",
        "held logs all the time (3 d): no gap of 1 h or more",
        "6.00         4         3         6    2.0  exact",
        "#12  duration: 0.475 ms",
        "expected 71%: statement: <*>",
        "never came: statement: COMMIT",
        "what to do: Look.",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sources": (source(findings=0),)}, "told nothing: none of 900 sessions"),
        ({"kinds": {"ops-mail": {"opened": 1}}}, "told about twice a week"),
        ({"sources": (source(held=Held(timedelta(hours=2), DAY, (), 0)),)},
         "told 6 times (4 opened, 2 resolved) in the 2 h that hold logs: too little"),
        ({"pretended": True}, "No channel is configured"),
        ({"sources": (source(unknown=9000),)}, "so these figures say little"),
        ({"sources": (source(failure="source shop: gone"),)}, "A source is missing"),
        ({"reached": NOW - DAY}, "STOPPED at 2026-11-25 00:00"),
        ({"sources": (source(), source(source="web"))}, "class         source"),
        ({"sources": (source(problems=3),)}, "3 documents could not be placed"),
    ],
)  # fmt: skip
def test_every_outcome_has_its_words(changes: dict[str, Any], said: str) -> None:
    assert said in text(**changes)


def test_gaps_are_named() -> None:
    gap = Gap(NOW - 2 * DAY, NOW - DAY)
    held = Held(2 * DAY, timedelta(hours=1), (gap,), 4)
    said = text(sources=(source(held=held),))
    assert "held logs for 2 d of 3 d; none from" in said
    assert "2026-11-24 00:00 to 2026-11-25 00:00  (1 d)" in said
    assert "and in 3 shorter gaps" in said


def test_nothing_of_a_log_line_acts_on_the_terminal() -> None:
    evil = "\x1b[31m\u202egnp\nnext"
    kind = replace(
        result().classes[0],
        name=evil,
        advice=evil,
        examples=(finding(session=evil, service=evil, host=evil, missing=(evil,)),),
    )
    said = text(classes=(kind,))
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_the_record_is_json_with_all_of_it() -> None:
    made = json.loads(json.dumps(record(result())))
    assert made["messages"] == 6
    assert made["messages_a_day"] == 2
    assert made["complete"] is True
    assert made["sources"][0]["unknown_ratio"] == 0.002
    assert made["days"][0]["deviating"] == 0.01
    assert made["classes"][0]["examples"][0]["evidence"][0]["position"] == 12
    assert made["thresholds"][0]["messages_a_day"] == 2
    assert made["channels"][0]["by_kind"] == {"opened": 4, "resolved": 2}
    stopped = record(result(reached=NOW - DAY))
    assert stopped["complete"] is False
