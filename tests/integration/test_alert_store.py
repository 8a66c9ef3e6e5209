"""Alerting's state in a real Elasticsearch keeps the contract of its store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from alerting import AlertStore
from connector import (
    ClientConfig,
    ElasticStateStore,
    connect,
    install,
    state_index,
)
from elkwatch.alert_store import AlertStateStore
from tests.alerting.store_contract import AlertStoreContract, Settle


@pytest.fixture
def client(engine_url: str, namespace: str) -> Iterator[Elasticsearch]:
    """The client under test, on a cluster that is set up."""
    with connect(ClientConfig((engine_url,))) as made:
        install(made, namespace)
        yield made


class TestAlertStateStore(AlertStoreContract):
    @pytest.fixture
    def store(self, client: Elasticsearch, namespace: str) -> AlertStore:
        return AlertStateStore(ElasticStateStore(client, namespace))

    @pytest.fixture
    def settle(self, es: Elasticsearch, namespace: str) -> Settle:
        def refresh() -> None:
            es.indices.refresh(index=state_index("*", namespace))

        return refresh
