"""A backtest on a real Elasticsearch: what the service would do, and no trace."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch, helpers

from elkwatch.backtest import BacktestResult, Options, Period, backtest, told
from elkwatch.backtest.parts import SteppedClock
from elkwatch.cli.options import FileOptions
from elkwatch.compose import compose
from elkwatch.config import StartPoint, load_config
from elkwatch.demo.logs import SESSION_FIELD, demo_file, shifted
from elkwatch.demo.sinks import MailSink, WebhookSink
from elkwatch.engine import SecurityOptions, User
from elkwatch.log_files import read_sessions
from elkwatch.service import Service
from model import Session, load_bundle, save_bundle, train
from tests.integration.conftest import SecuredEngine
from tests.integration.shop import MINUTE, ODD, moved, trouble
from tests.integration.world import RUN, SECRET, World
from tests.model.builders import cut_off, deadlocked, looping, session, shop
from tests.model.conftest import CONFIG

HOUR = 60 * MINUTE


def spread(sessions: list[Session], start: datetime, every: timedelta) -> list[Session]:
    """The sessions, one after the other."""
    return [moved(s, start + i * every) for i, s in enumerate(sessions)]


def past(world: World, hours: int = 1, **changes: Any) -> BacktestResult:
    """A backtest of the last hours in this process."""
    now = datetime.now(UTC)
    config = load_config(world.config(), {})
    options = Options(Period(now - hours * HOUR, now), step=MINUTE, device="cpu")
    return backtest(config, replace(options, **changes))


def state_of(es: Elasticsearch) -> Mapping[str, Any]:
    """Every index with its number of documents and writes."""
    names = es.indices.resolve_index(name="*", expand_wildcards="all")["indices"]
    open_ones = ["open", "hidden"]
    stats = es.indices.stats(
        index="*", metric="docs,indexing", expand_wildcards=open_ones
    )
    written = {
        name: (own["primaries"]["docs"], own["primaries"]["indexing"]["index_total"])
        for name, own in stats["indices"].items()
    }
    return {"names": sorted(index["name"] for index in names), "written": written}


def test_it_finds_what_the_service_would_and_leaves_no_trace(world: World) -> None:
    shipped = world.ship(trouble())
    before = state_of(world.es)
    result = past(world)
    assert state_of(world.es) == before
    assert world.mail.received == []
    assert world.hook.received == []
    (source,) = result.sources
    assert (source.documents, source.sessions) == (shipped, 35)
    assert source.findings == sum(ODD.values())
    assert source.findings == sum(ODD.values())
    assert {c.name: c.findings for c in result.classes} == {
        "PostgreSQL deadlock": 3,
        "unexpected repetition: query executed in <NUM>": 2,
    }
    assert result.kinds == {"mail": {"opened": 2}, "hook": {"opened": 2}}
    words = "\n".join(told(result))
    for said in ("deadlock detected", "never came", "Make all code", "told twice"):
        assert said in words


def test_what_people_called_false_alarms_is_not_counted(world: World) -> None:
    world.ship(trouble())
    world.run_once()
    assert world.command_here("feedback", "add", "dead-0", "--false-alarm") == 0
    result = past(world)
    assert [c.name for c in result.classes] == [
        "unexpected repetition: query executed in <NUM>"
    ]
    assert result.kinds == {"mail": {"opened": 1}, "hook": {"opened": 1}}


def lived(world: World, period: Period, step: timedelta) -> list[Mapping[str, Any]]:
    """The service itself on the same ticks, into Elasticsearch and the sinks."""
    config = load_config(world.config(), {})
    source = config.sources[0].model_copy(update={"start": StartPoint(at=period.start)})
    clock = SteppedClock(period.start)
    parts = compose(config.model_copy(update={"sources": (source,)}), clock)
    service = Service(parts, clock)
    try:
        for now in period.ticks(step):
            clock.time = now
            tick = service.turn()
            assert tick is not None
            assert tick.failures == []
        world.es.indices.refresh(index=f"*{world.namespace}*")
        return [
            {
                "id": e.episode_id,
                "class": e.class_name,
                "state": e.state,
                "findings": e.findings,
                "messages": e.sequence,
                "last": e.last_seen,
            }
            for e in parts.alerts.tracker.episodes()
        ]
    finally:
        service.resign()
        parts.client.close()


def day_of_trouble(start: datetime) -> list[Session]:
    """Usual sessions and three bouts of trouble, the last of two kinds."""
    rng = random.Random(5)
    calm = spread(shop(90, seed=31), start, MINUTE)
    return [
        *calm,
        *spread(
            [deadlocked(f"d{i}", rng) for i in range(3)], start + 6 * MINUTE, MINUTE
        ),
        *spread(
            [deadlocked(f"e{i}", rng) for i in range(2)], start + 50 * MINUTE, MINUTE
        ),
        *spread([looping(f"l{i}", rng) for i in range(2)], start + 52 * MINUTE, MINUTE),
        moved(cut_off("cut", rng), start + 70 * MINUTE),
    ]


def test_it_tells_what_the_service_itself_tells(world: World) -> None:
    start = datetime.now(UTC) - 2 * HOUR
    world.ship(day_of_trouble(start))
    period, step = Period(start, start + 100 * MINUTE), 4 * MINUTE
    result = past(world, period=period, step=step)
    episodes = lived(world, period, step)
    found = {
        (f["event"]["id"], f["rule"]["id"], f["elkwatch"]["score"])
        for f in world.findings()
        if f["elkwatch"]["status"] == "open"
    }
    assert len(found) == result.findings == 8
    examples = {
        (f.finding_id, f.class_id, f.score) for c in result.classes for f in c.examples
    }
    assert len(examples) >= 6
    assert examples <= found
    by_class = Counter(f["rule"]["name"] for f in world.findings())
    assert {c.name: c.findings for c in result.classes if c.findings} == by_class
    assert len(episodes) >= 4
    assert sorted(episodes, key=_by_id) == sorted(
        (
            {
                "id": e.episode_id,
                "class": e.class_name,
                "state": e.state,
                "findings": e.findings,
                "messages": e.messages,
                "last": e.last_seen,
            }
            for e in result.episodes
        ),
        key=_by_id,
    )
    told_of = {name: sum(kinds.values()) for name, kinds in result.kinds.items()}
    assert len(world.mail.received) == told_of["mail"] > 6
    # The receiver refuses signatures of two hours ago, so its rows are counted instead.
    answer = world.es.search(
        index=f"elkwatch-outbox-{world.namespace}", size=100, ignore_unavailable=True
    )
    owed = Counter(hit["_source"]["channel"] for hit in answer["hits"]["hits"])
    assert owed == told_of


def _by_id(episode: Mapping[str, Any]) -> str:
    return str(episode["id"])


def test_a_service_that_was_silent_is_counted_as_the_service_tells_it(
    world: World,
) -> None:
    """Whatever the threshold: silence has none."""
    world.source = {"silence": {"after": "10m"}}
    start = datetime.now(UTC) - 2 * HOUR
    world.ship(spread(shop(60, seed=40), start, MINUTE))
    pay = spread(shop(60, seed=41), start, MINUTE)
    world.ship([*pay[:20], *pay[45:]], "pay")
    period, step = Period(start, start + 58 * MINUTE), 2 * MINUTE
    result = past(world, period=period, step=step, thresholds=(2.0, 50.0))
    (episode,) = lived(world, period, step)
    (finding,) = world.findings()
    (kind,) = result.classes
    (example,) = kind.examples
    assert (kind.class_id, kind.findings) == ("flatline", 1)
    assert example.finding_id == finding["event"]["id"]
    ended = datetime.fromisoformat(finding["event"]["end"])
    assert abs(example.end - ended) < timedelta(milliseconds=1)
    assert [(e.episode_id, e.messages) for e in result.episodes] == [
        (episode["id"], episode["messages"])
    ]
    (source,) = result.sources
    assert (source.findings, source.of_services) == (1, 1)
    assert [level.findings for level in result.levels] == [1, 1]
    words = "\n".join(told(result))
    assert "0 deviate (0.0 % of the sessions)" in words
    assert "1 findings of services that were silent" in words
    assert "pay was silent for " in words


def test_reading_the_sources_is_all_it_needs(
    secured_engine: SecuredEngine, namespace: str, tmp_path: Path, bundle: Path
) -> None:
    """No `monitor`, no setup, and no privilege on anything of elkwatch."""
    reader = {"indices": [{"names": ["logs-shop-*"], "privileges": ["read"]}]}
    engine = secured_engine(
        SecurityOptions(
            users=(
                User("admin", "admin-password", ("superuser",)),
                User("reader", "reader-password", ("only_read",)),
            ),
            roles={"only_read": reader},
        )
    )
    admin = ("admin", "admin-password")
    with (
        Elasticsearch(engine.url, basic_auth=admin, request_timeout=60) as es,
        MailSink() as mail,
        WebhookSink(SECRET) as hook,
    ):
        world = World(es, engine.url, namespace, tmp_path, bundle, mail, hook)
        world.prepare(installed=False)
        world.ship(trouble())
        world.credentials = {"username": "reader", "password": "reader-password"}
        before = state_of(es)
        done = world.command("backtest", "--days", "1", "--every", "15m", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["findings"] == sum(ODD.values())
        assert state_of(es) == before
        assert mail.received == []
        assert hook.received == []
        assert hook.rejected == []


def test_a_gap_is_named_and_no_rate_made_of_it(world: World) -> None:
    now = datetime.now(UTC)
    early = spread(shop(20, seed=70), now - 50 * HOUR, MINUTE)
    late = spread(shop(20, seed=71), now - 2 * HOUR, MINUTE)
    world.ship([*early, *late])
    result = past(world, 72, step=15 * MINUTE)
    (source,) = result.sources
    assert source.sessions == 40
    assert source.held.gaps_in_all == 3
    assert timedelta(minutes=30) < source.held.lasted < timedelta(minutes=50)
    longest = max(source.held.gaps, key=lambda gap: gap.length)
    assert abs(longest.length - (47 * HOUR + 40 * MINUTE)) < 2 * MINUTE
    assert result.days_held is None
    words = list(told(result))
    assert any("(1 d 23 h)" in line for line in words)
    assert words[-1] == (
        "You would have been told nothing: none of 40 sessions deviates."
    )


def test_the_mapping_changes_within_the_period(world: World) -> None:
    """The session field is a keyword at first, then text, then not there at all."""
    now = datetime.now(UTC)
    rng = random.Random(6)
    bouts = [[*shop(5, seed=n), deadlocked(f"dead-{n}", rng)] for n in range(3)]
    mappings: list[dict[str, Any]] = [
        {"session": {"properties": {"id": {"type": "keyword"}}}},
        {"session": {"properties": {"id": {"type": "text"}}}},
        {},
    ]
    names = [f"logs-shop-{world.namespace}-{n}" for n in range(3)]
    for name, mapping, bout, hours in zip(
        names, mappings, bouts, (5, 3, 1), strict=True
    ):
        world.es.indices.create(
            index=name,
            mappings={"dynamic": bool(mapping), "properties": mapping | _TEXT},
        )
        for one in spread(bout, now - hours * HOUR, MINUTE):
            for event in one.events:
                document = {
                    "@timestamp": event.time.isoformat(),
                    "message": event.message,
                    "service": {"name": "shop"},
                    "host": {"name": "web-1"},
                }
                if mapping:
                    document["session"] = {"id": event.key}
                world.es.index(index=name, document=document)
    world.es.indices.refresh(index=",".join(names))
    world.source = {"index": f"logs-shop-{world.namespace}-*"}
    result = past(world, 6, step=5 * MINUTE)
    (source,) = result.sources
    examples = {f.session for c in result.classes for f in c.examples}
    assert {"dead-0", "dead-1"} <= examples
    assert 0.2 < source.keyless_ratio < 0.5
    assert any("not mapped in every index" in line for line in source.warnings)
    assert any("have no session key" in line for line in told(result))


_TEXT = {
    "@timestamp": {"type": "date"},
    "message": {"type": "text"},
    "service": {"properties": {"name": {"type": "keyword"}}},
    "host": {"properties": {"name": {"type": "keyword"}}},
}


def test_one_of_two_sources_cannot_be_read(world: World) -> None:
    world.more_sources = [{"name": "gone", "index": f"nowhere-{world.namespace}"}]
    world.ship(trouble())
    done = world.command("backtest", "--from", "now-1h", "--every", "1m")
    assert done.returncode == 1
    assert "NOT READ to the end: source gone: no index matches" in done.stdout
    last = done.stdout.splitlines()[-2:]
    assert last[0].startswith("A source is missing in this: source gone")
    assert last[1].startswith("You would have been told ")


def test_a_model_of_other_logs(world: World) -> None:
    strange = [f"reactor {word} melted" for word in ("alpha", "beta", "gamma")]
    then = datetime.now(UTC) - 5 * MINUTE
    world.ship([session(f"x{i}", strange, then) for i in range(5)])
    words = list(told(past(world)))
    assert any("does not fit: it knows no template for 100%" in line for line in words)
    assert "The model does not fit these logs, so these figures say little." in words


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--days 7"),
        (("--days", "0"), 2, "1<=x<=366"),
        (("--days", "-3"), 2, "1<=x<=366"),
        (("--days", "100000"), 2, "1<=x<=366"),
        (("--days", "1", "--from", "now-1h"), 2, "not both"),
        (("--from", "now-1h", "--to", "now-2h"), 2, "is not before"),
        (("--from", "1900-01-01"), 2, "more than 366 days"),
        (("--from", "earliest"), 2, "name a time"),
        (("--days", "1", "--to", "2999-01-01"), 2, "in the future"),
        (("--days", "1", "--source", "nobody"), 2, "nobody"),
        (("--days", "1", "--model", "/nowhere"), 1, "/nowhere"),
        (("--days", "1"), 1, "no source holds a line between"),
        (("--days", "1", "--source", "bare"), 2, "elkwatch train"),
    ],
)
def test_what_cannot_work_is_told_in_one_line(
    world: World, arguments: tuple[str, ...], code: int, said: str
) -> None:
    world.ship(trouble()[:1])
    bare = {"name": "bare", "index": world.index, "model": None}
    if "bare" in arguments:
        world.more_sources = [bare]
    if arguments == ("--days", "1"):
        arguments = ("--from", "now-4h", "--to", "now-2h", "--every", "1h")
    done = world.command("backtest", *arguments)
    assert done.returncode == code
    lines = done.stderr.splitlines()
    assert said in lines[-1]
    assert sum(line.startswith("elkwatch: ") for line in lines) == 1
    assert done.stdout == ""


def test_ctrl_c_tells_what_was_found_by_then(world: World) -> None:
    world.ship(trouble())
    line = [sys.executable, "-c", RUN, "backtest", "--from", "now-30m", "--every", "1s"]
    with subprocess.Popen(
        [*line, "--config", str(world.config())],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        assert "backtest: " in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        told_by_then, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "STOPPED at" in told_by_then
    assert "You would have been told" in told_by_then.splitlines()[-1]


def test_other_thresholds_are_what_the_service_would_do_with_them(
    world: World,
) -> None:
    """Each level against a backtest whose model has that very threshold."""
    start = datetime.now(UTC) - 2 * HOUR
    world.ship(day_of_trouble(start))
    period = Period(start, start + 100 * MINUTE)
    wanted = (0.5, 1.5, 2.0, 2.5)
    result = past(world, period=period, step=4 * MINUTE, thresholds=wanted)
    assert [level.threshold for level in result.levels] == list(wanted)
    assert [level.exact for level in result.levels] == [False, True, True, True]
    counts = [level.findings for level in result.levels]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] >= result.findings > counts[-1]
    low = past(_with_threshold(world, 0.5), period=period, step=4 * MINUTE)
    assert abs(counts[0] - low.findings) <= 1
    assert abs(result.levels[0].messages - low.messages) <= 2
    scores = [f.score for c in result.classes for f in c.examples if c.findings <= 3]
    for level in result.levels[1:]:
        assert level.findings >= sum(score > level.threshold for score in scores)


def _with_threshold(world: World, threshold: float) -> World:
    """The same world, its model with another threshold."""
    model = load_bundle(world.bundle)
    calibration = replace(model.calibration, threshold=threshold)
    folder = world.folder / "other"
    save_bundle(replace(model, calibration=calibration), folder, now=datetime.now(UTC))
    return replace(world, bundle=folder)


@pytest.mark.slow
def test_over_the_demos_logs_it_tells_what_a_real_run_tells(world: World) -> None:
    """Real PostgreSQL logs: tick by tick in memory, and one run into the streams."""
    options = FileOptions(session_fields=(SESSION_FIELD,))
    model = train(read_sessions([str(demo_file("normal"))], options), CONFIG)
    world = replace(world, bundle=world.folder / "pg")
    save_bundle(model, world.bundle, now=datetime.now(UTC))
    index = f"logs-pg-{world.namespace}"
    documents = shifted(datetime.now(UTC), 3 * MINUTE)
    actions = ({"_op_type": "create", "_index": index, **d} for d in documents)
    helpers.bulk(world.es, actions, chunk_size=2000, refresh=True)
    world.source = {
        "index": index,
        "session": {"field": SESSION_FIELD},
        "sequence_field": "postgresql.log.session_line_number",
    }
    now = datetime.now(UTC)
    period = Period(now - 8 * MINUTE, now)
    result = past(world, period=period, step=MINUTE / 2)
    assert world.findings() == []
    world.run_once()
    real = [f for f in world.findings() if f["elkwatch"]["status"] == "open"]
    assert len(real) == result.findings > 20
    assert Counter(f["rule"]["name"] for f in real) == Counter(
        {c.name: c.findings for c in result.classes if c.findings}
    )
    scores = {f["event"]["id"]: f["elkwatch"]["score"] for f in real}
    for kind in result.classes:
        for found in kind.examples:
            assert found.score == pytest.approx(scores[found.finding_id])
    owed = world.es.search(index=f"elkwatch-episodes-{world.namespace}", size=500)
    assert Counter(
        (e["_source"]["class_id"], e["_source"]["findings"])
        for e in owed["hits"]["hits"]
        if e["_source"]["findings"]
    ) == Counter((e.class_id, e.findings) for e in result.episodes if e.findings)
