"""The doctor and Kibana: a stub of its documented API over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from elkwatch.config import load_config
from elkwatch.doctor import Line
from elkwatch.kibana_objects import kibana_objects
from elkwatch.kibana_place import install_store, open_kibana
from kibana import install
from tests.integration.test_doctor import bad, examined
from tests.integration.world import World
from tests.kibana.stub import KEY, STATUS, StubKibana, Trouble


@pytest.fixture
def stub() -> Iterator[StubKibana]:
    with StubKibana() as made:
        yield made


def told(world: World, stub: StubKibana, **more: Any) -> dict[str, list[Line]]:
    section = {"url": stub.url, "api_key": KEY, **more}
    wished = {name: value for name, value in section.items() if value is not None}
    return examined(world, kibana=wished)


def test_dashboards_are_missing_there_edited_and_old(
    world: World, stub: StubKibana
) -> None:
    found = told(world, stub)
    assert found["kibana"][0].status == "ok"
    assert "run `elkwatch dashboards install`" in bad(found)["dashboards"]
    config = load_config(world.folder / "examined.yml", {})
    store = install_store(world.es, world.namespace)
    install(open_kibana(config), kibana_objects(config), store, world.clock.now())
    before = len(stub.paths("POST"))
    found = told(world, stub)
    assert "all as they should be" in found["dashboards"][0].what
    stub.store.edit(("dashboard", "elkwatch-overview"), title="Mine")
    found = told(world, stub)
    assert "1 of them edited by people" in found["dashboards"][0].what
    asked = stub.paths("POST")[before:]
    assert {path.rpartition("/")[2] for path in asked} <= {"_export"}


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        ({"api_key": "d3Jvbmc6a2V5LWtleQ=="}, "kibana.api_key"),
        ({"space": "nowhere"}, "nowhere"),
    ],
)
def test_a_kibana_that_will_not(
    world: World, stub: StubKibana, more: dict[str, Any], advice: str
) -> None:
    found = told(world, stub, **more)
    (line,) = found["kibana"]
    assert (line.status, advice in str(line)) == ("fail", True)
    assert found["dashboards"][0].status == "skipped"
    assert "d3Jvbmc6a2V5LWtleQ==" not in str(line)


def test_a_kibana_that_starts_and_one_that_is_down(
    world: World, stub: StubKibana
) -> None:
    stub.trouble[STATUS] = Trouble(503, '{"message": "not ready yet"}')
    assert told(world, stub)["kibana"][0].status == "fail"
    stub.trouble.clear()
    stub.level = "degraded"
    assert told(world, stub)["kibana"][0].status == "warn"
    found = told(world, stub, url="http://127.0.0.1:9")
    assert (found["kibana"][0].status, found["lease"][0].status) == ("fail", "ok")


def test_for_links_alone_it_need_only_answer(world: World, stub: StubKibana) -> None:
    found = told(world, stub, api_key=None)
    assert found["kibana"][0].status == "ok"
    assert "dashboards" not in found
    found = told(world, stub, api_key=None, url="http://127.0.0.1:9")
    assert found["kibana"][0].status == "fail"


def test_no_kibana_is_fine(world: World) -> None:
    assert "not configured" in examined(world)["kibana"][0].what
