"""A time of the shop that has gone by, and backtests of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from elasticsearch import Elasticsearch

from elkwatch.backtest import BacktestResult, Options, Period, backtest
from elkwatch.config import load_config
from model import Session
from tests.integration.shop import MINUTE, moved
from tests.integration.world import World

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
