"""A backtest beside the service itself on the same logs: they tell the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from elasticsearch import helpers

from elkwatch.backtest import Period, told
from elkwatch.backtest.parts import SteppedClock
from elkwatch.cli.options import FileOptions
from elkwatch.compose import compose
from elkwatch.config import StartPoint, load_config
from elkwatch.demo.logs import SESSION_FIELD, demo_file, shifted
from elkwatch.log_files import read_sessions
from elkwatch.service import Service
from model import Session, load_bundle, save_bundle, train
from tests.integration.past import HOUR, past, spread
from tests.integration.shop import MINUTE, moved
from tests.integration.world import World
from tests.model.builders import cut_off, deadlocked, looping, shop
from tests.model.conftest import CONFIG


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
