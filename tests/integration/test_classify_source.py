"""`elkwatch classify --from-es` on a real engine: what several workers find is what
one finds, and what is found in the same documents in a file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import helpers

from connector import EngineUnreachable, KeyRange
from elkwatch.cli.shell import run
from elkwatch.source_parts import PastPeriod, SourcePart, judge_part
from elkwatch.workers import Workers
from model import Session
from tests.elkwatch.bad_input import documents
from tests.integration.shop import MINUTE, moved, recent, trouble
from tests.integration.world import World
from tests.model.builders import shop

pytestmark = pytest.mark.engine

Classify = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def classify(world: World) -> Classify:
    """Runs the command with the configuration; gives the lines of its result."""

    def ran(*arguments: str) -> list[dict[str, Any]]:
        out = world.folder / "verdicts.ndjson"
        model = ("--model", str(world.bundle), "--device", "cpu")
        config = ("--config", str(world.config()))
        assert run(["classify", *arguments, *model, "--out", str(out), *config]) == 0
        return [json.loads(text) for text in out.read_text("utf-8").splitlines()]

    return ran


def gone(world: World) -> Path:
    """Its configuration, but nothing listens where it looks for the engine."""
    path = world.config()
    text = path.read_text("utf-8").replace(world.url, "http://127.0.0.1:9")
    path.write_text(text, "utf-8")
    return path


def ship_and_write(world: World, sessions: list[Session]) -> Path:
    """The documents into the stream, every 17th without a key, and into a file."""
    lines = sorted(documents(sessions), key=lambda each: str(each["@timestamp"]))
    for number, each in enumerate(lines):
        each |= {"service": {"name": "shop"}, "host": {"name": "web-1"}}
        if number % 17 == 0:
            del each["session"]
    helpers.bulk(
        world.es,
        [{"_op_type": "create", "_index": world.index, **each} for each in lines],
    )
    world.es.indices.refresh(index=world.index)
    path = world.folder / "logs.ndjson"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines), "utf-8")
    return path


def test_two_workers_find_what_one_finds_and_what_a_file_gives(
    world: World, classify: Classify, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = [*recent(shop(80, seed=9), 8 * MINUTE), *trouble()]
    random.Random(1).shuffle(sessions)
    path = ship_and_write(world, sessions)
    past = ("--from-es", "shop", "--from", "now-1h")
    alone = classify(*past)
    assert "key ranges" not in capsys.readouterr().err
    shared = classify(*past, "--workers", "2")
    assert "source shop: 5 of 5 key ranges, " in capsys.readouterr().err
    assert shared == alone
    assert [each["start"] for each in alone] == sorted(each["start"] for each in alone)
    assert sum(each["anomaly"] for each in alone) >= 5
    file = classify(str(path), "--source", "shop")

    def by_key(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(lines, key=lambda each: (each["session"], each["start"]))

    assert by_key(alone) == by_key(file)
    assert any(each["session"].startswith("-|shop|web-1") for each in alone)
    assert world.findings() == []


def test_sessions_across_the_ends_of_the_period_stay_whole(
    world: World, classify: Classify
) -> None:
    """One ends before, one lasts into it, one begins in it and lasts beyond."""
    before, into, beyond, after = shop(4, seed=2)
    ends = recent([before], 50 * MINUTE)[0].end
    shipped = [
        moved(before, ends),
        _stretched(into, ends + 10 * MINUTE, 10 * MINUTE),
        _stretched(beyond, ends + 25 * MINUTE, 10 * MINUTE),
        moved(after, ends + 30 * MINUTE),
    ]
    world.ship(shipped)
    start, end = ends + 5 * MINUTE, ends + 20 * MINUTE
    period = ("--from", start.isoformat(), "--to", end.isoformat())
    found = classify("--from-es", "shop", *period)
    told = {each["session"]: each["events"] for each in found}
    assert told == {s.key: len(s.events) for s in shipped[1:3]}


def test_what_cannot_be_shared_out_is_told_and_done_by_one(
    world: World, classify: Classify, capsys: pytest.CaptureFixture[str]
) -> None:
    world.source = {"session": {"pattern": "order (\\d+)"}}
    world.ship(recent(shop(20, seed=4)))
    found = classify("--from-es", "shop", "--from", "now-1h", "--workers", "2")
    assert found
    told = capsys.readouterr().err
    assert "stand in the message, not in a field; one worker does it all" in told


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("--from-es", "none"), 2, "none"),
        (("--from-es", "shop", "--from", "x"), 2, "--from x"),
        (("--from-es", "shop", "--window", "5m"), 2, "--window is for files"),
        (("--from-es", "shop", "--source", "shop"), 2, "--source is for files"),
        (("logs", "--to", "now"), 2, "--to goes with --from-es"),
        (("logs", "--from-es", "shop"), 2, "give FILE..., or --from-es SOURCE"),
        (
            ("--from-es", "shop", "--to", "2001-01-02", "--from", "2001-01-01"),
            1,
            "no d",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    world: World,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    world.ship(recent(shop(3)))
    model = ("--model", str(world.bundle), "--out", str(world.folder / "v"))
    assert run(["classify", *argv, *model, "--config", str(world.config())]) == code
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert [path.name for path in world.folder.iterdir()] == ["elkwatch.yml"]


def test_an_engine_out_of_reach_is_told_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not for the feedback, too, that it might have held."""
    path = gone(world)
    model = ("--model", str(world.bundle), "--out", str(world.folder / "v"))
    line = ["classify", "--from-es", "shop", *model, "--config", str(path)]
    assert run(line) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "connection refused" in told[0]


def test_what_a_source_lacks_is_told_before_any_worker_begins(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.source = {"session": {"field": "nowhere.id"}}
    world.ship(recent(shop(3)))
    model = ("--model", str(world.bundle), "--out", str(world.folder / "v"))
    line = ["classify", "--from-es", "shop", *model, "--workers", "2"]
    assert run([*line, "--config", str(world.config())]) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "no field nowhere.id" in told[0]


def test_what_stops_a_worker_comes_through_whole(world: World) -> None:
    """Its engine is gone, and nothing listens at that port."""
    path = gone(world)
    now = datetime.now(UTC)
    period = PastPeriod(path, "shop", None, now, timedelta(hours=1))
    part = SourcePart(period, KeyRange(), world.folder)
    with (
        Workers(2, _no_model) as workers,
        pytest.raises(EngineUnreachable, match=r"127\.0\.0\.1:9"),
    ):
        workers.map(judge_part, [part])


def _no_model() -> Any:
    return None


def _stretched(session: Session, end: datetime, length: timedelta) -> Session:
    """The session, from so long before its end on, at even steps."""
    step = length / (len(session.events) - 1)
    first = end - length
    events = tuple(
        replace(event, time=first + number * step)
        for number, event in enumerate(session.events)
    )
    return replace(session, events=events)
