"""Feedback on a real Elasticsearch: it changes the very next run, and is reversible."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from connector import ElasticStateStore
from elkwatch.feedback import FeedbackBook
from elkwatch.rounds import Tick
from model import Session
from tests.integration.shop import recent
from tests.integration.world import World
from tests.model.builders import deadlocked, looping, shop

pytestmark = pytest.mark.engine


def test_a_false_alarm_is_silent_in_the_very_next_run_and_comes_back(
    world: World,
) -> None:
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    world.run_once()
    (finding,) = world.findings()
    told = len(world.mail.received)
    assert told == 1
    done = world.command(
        "feedback", "add", finding["event"]["id"], "--false-alarm",
        "--reason", "a drill\x1b[2J\n<script>", "--by", "ada",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    feedback_id = done.stdout.partition(":")[0]

    world.ship(_dead("second"))
    progress = _only(world.run_once())
    # The first one was read again within the overlap, and so it is withdrawn.
    assert (progress.created, progress.suppressed) == (0, 2)
    assert _finding(world, "first")["elkwatch"]["status"] == "suppressed"
    assert not any("second" in mail.text for mail in world.mail.received)
    second = _finding(world, "second")
    assert second["elkwatch"]["status"] == "suppressed"
    assert second["event"]["kind"] == "event"
    assert second["elkwatch"]["feedback"] == {
        "id": feedback_id,
        "verdict": "false-alarm",
        "who": "ada",
        "reason": "a drill\\x1b[2J <script>",
    }
    assert _figures(world)[-1]["findings"]["suppressed"] == 2

    (row,) = json.loads(world.command("feedback", "list", "--json").stdout)
    assert (row["feedback"], row["applied"]) == (feedback_id, 2)
    assert world.command("feedback", "remove", feedback_id).returncode == 0
    world.ship(_dead("third"))
    assert _only(world.run_once()).created == 1
    assert _finding(world, "third")["elkwatch"].get("feedback") is None


def test_a_session_that_goes_on_is_no_alarm_before_it_shows_what_it_is(
    world: World,
) -> None:
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    world.run_once()
    told = len(world.hook.received)
    assert world.command_here("feedback", "add", "first", "--false-alarm") == 0
    world.ship(recent([deadlocked("second", random.Random(3))], timedelta(seconds=5)))
    world.run_once()
    assert _finding(world, "second")["elkwatch"]["status"] == "tentative"
    world.clock.ahead = timedelta(minutes=1)
    world.run_once()
    assert _finding(world, "second")["elkwatch"]["status"] == "suppressed"
    later = [call.body["type"] for call in world.hook.received[told:]]
    assert later == ["episode.resolved"]


def test_what_was_written_before_is_brought_up_to_it_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = [*_dead("first"), *_dead("second"), *_looping("loop")]
    world.ship([*recent(shop(20, seed=50)), *odd])
    world.run_once()
    told, ids = len(world.hook.received), _ids(world)
    assert world.command_here("feedback", "add", "first", "--false-alarm") == 0
    assert world.command_here("feedback", "add", "loop", "--right") == 0

    def apply(*more: str) -> dict[str, Any]:
        capsys.readouterr()
        assert world.command_here("feedback", "apply", "--json", *more) == 0
        figures: dict[str, Any] = json.loads(capsys.readouterr().out)
        return figures

    expected = {"covered": 3, "suppressed": 2, "right": 1}
    before = world.findings()
    assert apply("--dry-run").items() >= expected.items()
    assert world.findings() == before
    done = apply()
    assert done.items() >= {**expected, "episodes_ended": 1}.items()
    assert _ids(world) == ids
    second, loop = _finding(world, "second"), _finding(world, "loop")
    assert second["elkwatch"]["status"] == "suppressed"
    assert second["event"]["kind"] == "event"
    assert (second["elkwatch"]["revision"], loop["elkwatch"]["revision"]) == (1, 1)
    assert loop["elkwatch"]["feedback"]["verdict"] == "right"

    again = {"covered": 3, "as_they_were": 3, "episodes_ended": 0}
    assert apply().items() >= again.items()
    progress = _only(world.run_once())
    assert (progress.created, progress.amended, progress.suppressed) == (0, 0, 0)
    later = [call.body["type"] for call in world.hook.received[told:]]
    assert later == ["episode.resolved"]


def test_files_of_a_source_are_judged_with_its_feedback(world: World) -> None:
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    world.run_once()
    told = world.command("feedback", "add", "first", "--false-alarm", "--by", "ada")
    feedback_id = told.stdout.partition(":")[0]
    logs = world.folder / "logs.ndjson"
    odd = [*_dead("again"), looping("loop", random.Random(4))]
    logs.write_text("\n".join(_lines(odd)), "utf-8")

    def verdicts(*more: str) -> dict[str, Any]:
        line = ("classify", str(logs), "--source", "shop", "--out", "-", *more)
        done = world.command(*line, "--model", str(world.bundle))
        assert done.returncode == 0, done.stderr
        found = map(json.loads, done.stdout.splitlines())
        return {one["session"]: one for one in found}

    found = verdicts()
    assert found["again"]["suppressed"]
    assert found["again"]["anomaly"], "its score is what it was"
    assert found["again"]["feedback"]["id"] == feedback_id
    assert "feedback" not in found["loop"]
    assert "feedback" not in verdicts("--no-feedback")["again"]


def _lines(sessions: list[Session]) -> Iterator[str]:
    for one in sessions:
        for event in one.events:
            yield json.dumps(
                {
                    "@timestamp": event.time.isoformat(),
                    "message": event.message,
                    "session": {"id": one.key},
                    "service": {"name": "shop"},
                }
            )


def test_another_kind_carries_its_own_advice(world: World) -> None:
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    world.run_once()
    done = world.command(
        "feedback", "add", "first", "--kind", "postgresql-lock-timeout"
    )
    assert done.returncode == 0, done.stderr
    world.ship(_dead("second"))
    world.run_once()
    second = _finding(world, "second")
    assert second["rule"]["id"] == "postgresql-lock-timeout"
    assert "Find the blocker" in second["rule"]["description"]
    assert second["elkwatch"]["feedback"]["class_before"] != second["rule"]["id"]
    assert any("Find the blocker" in mail.text for mail in world.mail.received)


def test_other_deviations_alert_as_before(world: World) -> None:
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    world.run_once()
    world.command("feedback", "add", "first", "--false-alarm")
    world.ship(_looping("loop"))
    assert _only(world.run_once()).created == 1


def test_feedback_ends_when_it_was_to(world: World) -> None:
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    world.run_once()
    world.command("feedback", "add", "first", "--false-alarm", "--until", "1h")
    world.clock.ahead = timedelta(minutes=61)
    world.source = {"start": "now-3h"}
    world.ship(_dead("second"))
    assert _only(world.run_once()).created == 1


def test_what_cannot_count_is_told_in_one_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ship([*recent(shop(20, seed=50)), *_dead("first")])
    world.run_once()

    def told(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = world.command_here("feedback", *words)
        return code, capsys.readouterr().err

    cases = {
        ("add", "nobody", "--false-alarm"): (1, "no finding has the id or"),
        ("add", "first", "--right", "--source", "web"): (1, "no finding of source"),
        ("add", "first", "--kind", "dedlock"): (1, "neither the model nor"),
        ("add", "first", "--right", "--until", "2020-01-01"): (2, "is over"),
        ("add", "first", "--right", "--until", "soon"): (2, "write a length"),
        ("add", "first", "--kind", "normal"): (1, "--false-alarm"),
        ("add", "first"): (2, "give one of"),
        ("remove", "f00000000000"): (1, "no feedback f00000000000"),
        ("apply", "--source", "web"): (2, "no source is called 'web'"),
        ("apply", "--since", "soon"): (2, "--since"),
        ("apply", "--since", "0s"): (2, "longer than zero"),
    }
    for words, (code, line) in cases.items():
        found = told(*words)
        assert found[0] == code, (words, found)
        assert line in found[1], (words, found)
        assert found[1].count("\n") == 1, (words, found)
    assert told("add", "first", "--right") == (0, "")
    against = told("add", "first", "--false-alarm")
    assert against[0] == 1
    assert "says of the same findings: right; take that back" in against[1]
    assert told("add", "first", "--right") == (0, ""), "twice the same is one"
    (one,) = FeedbackBook(_state(world)).every()
    assert told("remove", one.feedback_id) == (0, "")
    again = told("remove", one.feedback_id)
    assert again[0] == 1
    assert f"feedback {one.feedback_id} was removed at" in again[1]
    assert world.command_here("feedback", "apply") == 0
    assert "0 findings are spoken of" in capsys.readouterr().out


def _state(world: World) -> ElasticStateStore:
    return ElasticStateStore(world.es, world.namespace)


def _dead(key: str) -> list[Any]:
    """A session with an error line that training never saw, as it just ended."""
    return recent([deadlocked(key, random.Random(3))], timedelta(seconds=40))


def _looping(key: str) -> list[Any]:
    """A session that does one thing over and over."""
    return recent([looping(key, random.Random(4))], timedelta(seconds=40))


def _ids(world: World) -> list[str]:
    return sorted(finding["event"]["id"] for finding in world.findings())


def _finding(world: World, key: str) -> Mapping[str, Any]:
    return next(f for f in world.findings() if f["elkwatch"]["session"]["id"] == key)


def _only(tick: Tick) -> Any:
    (outcome,) = tick.sources
    assert outcome.failure is None
    return outcome.progress


def _figures(world: World) -> list[Mapping[str, Any]]:
    stream = f"metrics-elkwatch.run-{world.namespace}"
    world.es.indices.refresh(index=stream)
    answer = world.es.search(
        index=stream,
        query={"term": {"event.action": "source"}},
        sort=[{"@timestamp": "asc"}],
        size=100,
    )
    return [hit["_source"]["elkwatch"]["run"] for hit in answer["hits"]["hits"]]
