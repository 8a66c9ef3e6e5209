"""A real service is asked how it is, and its figures are the same everywhere."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.services import running, waiting_for
from tests.integration.shop import EPISODES, ODD, trouble
from tests.integration.world import World

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the service of this test is to answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        made = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("ELKWATCH__MONITORING__LISTEN", made)
    return made


def page(address: str, path: str) -> tuple[int, str]:
    """Status and text; 0 while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def samples(address: str) -> Samples:
    _, text = page(address, "/metrics")
    return {
        (s.name, frozenset(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def total(found: Samples, name: str, **labels: str) -> float:
    """The sum over all samples of this name that have these labels."""
    return sum(
        value
        for (known, having), value in found.items()
        if known == name and labels.items() <= dict(having).items()
    )


def written(world: World, action: str) -> list[Mapping[str, Any]]:
    """The run figures in the metrics stream: of rounds, or of sources."""
    stream = f"metrics-elkwatch.run-{world.namespace}"
    world.es.indices.refresh(index=stream)
    query = {"term": {"event.action": action}}
    hits = world.es.search(index=stream, query=query, size=1000)["hits"]["hits"]
    return [hit["_source"]["elkwatch"] for hit in hits]


def test_the_figures_of_a_service(world: World, address: str) -> None:
    documents = world.ship(trouble())
    with running(world) as service:
        waiting_for(lambda: page(address, "/readyz")[0] == 200, service.told_all)
        waiting_for(
            lambda: (
                total(samples(address), "elkwatch_deliveries_total", outcome="sent")
                == 2 * EPISODES
            ),
            service.told_all,
        )
        assert page(address, "/healthz")[0] == 200
        found = samples(address)
    runs, rounds = written(world, "source"), written(world, "round")
    classes: Counter[str] = Counter()
    for run in runs:
        classes.update(run["run"]["findings"]["classes"])
    assert sum(classes.values()) == sum(ODD.values())
    by_class = {
        dict(labels)["class_id"]: value
        for (name, labels), value in found.items()
        if name == "elkwatch_class_findings_total"
    }
    assert {k.replace(".", "_"): v for k, v in by_class.items()} == classes
    assert total(found, "elkwatch_documents_total", source="shop") == documents
    assert sum(run["run"]["documents"]["read"] for run in runs) == documents
    assert sum(r["run"]["notifications"]["sent"] for r in rounds) == 2 * EPISODES
    version = runs[0]["model"]["version"]
    assert total(found, "elkwatch_model_age_seconds", version=version) > 0
    for run in runs:
        assert run["run"]["model_age_s"] >= 0
        assert 0 <= run["run"]["lag_s"] < 60
        assert set(run["run"]["durations_s"]) >= {"read", "score"}
    assert all(r["run"]["memory_bytes"] > 1e6 for r in rounds)
    for stage in ("read", "score", "confirm", "classify", "write"):
        assert total(found, "elkwatch_stage_seconds_total", stage=stage) > 0
    assert 0 < total(found, "elkwatch_lag_seconds") < 60
    assert total(found, "elkwatch_leading") == 1


def test_a_service_whose_source_is_gone_is_alive_and_not_ready(
    world: World, address: str
) -> None:
    world.ship(trouble())
    world.more_sources = ({"name": "gone", "index": f"none-{world.namespace}-*"},)
    with running(world) as service:
        waiting_for(
            lambda: "no index matches" in page(address, "/readyz")[1],
            service.told_all,
        )
        status, text = page(address, "/readyz")
        assert (status, json.loads(text)["state"]) == (503, "failing")
        assert page(address, "/healthz")[0] == 200
        found = samples(address)
        assert total(found, "elkwatch_source_failures_total", source="gone") >= 1
        assert total(found, "elkwatch_rounds_total", outcome="failure") >= 1
        done = world.command("health", "--ready")
        assert done.returncode == 1
        assert "no index matches" in done.stdout
        said = world.command("doctor", "--source", "shop").stdout
        assert f"the service answers at {address}: failing" in said


def test_a_delivery_that_fails_as_a_whole_is_a_failure(world: World) -> None:
    """The outbox's index is closed: findings are written, messages are owed."""
    world.ship(trouble())
    world.run_once()
    world.es.indices.close(index=f"elkwatch-outbox-{world.namespace}")
    tick = world.run_once()
    assert tick.undelivered is not None
    assert tick.failures == [tick.undelivered]
    assert "\n" not in tick.undelivered
