"""The same against a real Kibana, where there is one.

    KIBANA_URL=https://kibana:5601 KIBANA_API_KEY=… pytest -k kibana_live

Two spaces are made for it, and removed with all that is in them. KIBANA_USERNAME and
KIBANA_PASSWORD, or KIBANA_CA_CERTS, where needed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector import InMemoryStateStore
from elkwatch.installed_objects import ElasticInstallStore
from kibana import (
    BuildWishes,
    EditsFound,
    Key,
    KibanaClient,
    KibanaConfig,
    SavedObject,
    SourceView,
    build_objects,
    install,
    ndjson,
    uninstall,
)
from kibana.wire import Wire

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ALL = build_objects(BuildWishes(sources=(SourceView("live", "logs-live-*"),)))
OVERVIEW = Key("dashboard", "elkwatch-overview")


@pytest.fixture
def config() -> KibanaConfig:
    url = os.environ.get("KIBANA_URL")
    if not url:
        pytest.skip("no Kibana to test with: set KIBANA_URL (and KIBANA_API_KEY)")
    return KibanaConfig(
        url,
        api_key=os.environ.get("KIBANA_API_KEY"),
        username=os.environ.get("KIBANA_USERNAME"),
        password=os.environ.get("KIBANA_PASSWORD"),
        ca_certs=os.environ.get("KIBANA_CA_CERTS"),
    )


@pytest.fixture
def spaces(config: KibanaConfig) -> Iterator[tuple[KibanaClient, KibanaClient]]:
    """Clients of two spaces of the test's own."""
    with ExitStack() as stack:
        names = [stack.enter_context(_space(config)) for _ in range(2)]
        first, second = (KibanaClient(replace(config, space=name)) for name in names)
        yield first, second


@contextmanager
def _space(config: KibanaConfig) -> Iterator[str]:
    wire = Wire(config)
    name = f"elkwatch-test-{secrets.token_hex(6)}"
    body = {"id": name, "name": name}
    wire.send("POST", "/api/spaces/space", "making a space", json=body)
    try:
        yield name
    finally:
        path = f"/api/spaces/space/{name}"
        wire.send("DELETE", path, "removing the space", accepts=frozenset({204}))


def _titled(title: str) -> tuple[SavedObject, ...]:
    return tuple(
        replace(one, attributes={**one.attributes, "title": title})
        if one.id == OVERVIEW.id
        else one
        for one in ALL
    )


def test_install_update_edit_and_uninstall_in_two_spaces(
    spaces: tuple[KibanaClient, KibanaClient],
) -> None:
    store = ElasticInstallStore(InMemoryStateStore())
    for client in spaces:
        steps = install(client, ALL, store, NOW)
        assert {step.change for step in steps} == {"create"}
        again = install(client, ALL, store, NOW)
        assert {step.change for step in again} == {"unchanged"}
        newer = install(client, _titled("elkwatch: newer"), store, NOW)
        assert [s.key for s in newer if s.change == "update"] == [OVERVIEW]
        _edit(client, store, "somebody's own")
        with pytest.raises(EditsFound, match="edited here: title"):
            install(client, ALL, store, NOW)
        install(client, ALL, store, NOW, on_edits="overwrite")
    for client in spaces:
        record = store.load(client.space)
        assert record is not None
        places = [one.place for one in record.objects]
        assert len(client.export(places)) == len(ALL)
        removed = uninstall(client, store, NOW, ours=ALL)
        assert {removal.outcome for removal in removed} == {"removed"}
        assert client.export(places) == {}


def _edit(client: KibanaClient, store: ElasticInstallStore, title: str) -> None:
    """Somebody saves the overview under another title."""
    record = store.load(client.space)
    assert record is not None
    (ours,) = (one for one in _titled(title) if one.id == OVERVIEW.id)
    references = tuple(
        replace(r, id=record.where(Key(r.type, r.id))) for r in ours.references
    )
    there = replace(ours, id=record.where(OVERVIEW), references=references)
    assert client.import_file(ndjson([there]), overwrite=True).success
