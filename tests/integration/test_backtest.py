"""A backtest on a real Elasticsearch: what the service would do, and no trace."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from elkwatch.backtest import told
from tests.integration.past import HOUR, past, spread, state_of
from tests.integration.shop import MINUTE, ODD, trouble
from tests.integration.world import World
from tests.model.builders import deadlocked, session, shop


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


def test_a_model_of_other_logs(world: World) -> None:
    strange = [f"reactor {word} melted" for word in ("alpha", "beta", "gamma")]
    then = datetime.now(UTC) - 5 * MINUTE
    world.ship([session(f"x{i}", strange, then) for i in range(5)])
    words = list(told(past(world)))
    assert any("does not fit: it knows no template for 100%" in line for line in words)
    assert "The model does not fit these logs, so these figures say little." in words
