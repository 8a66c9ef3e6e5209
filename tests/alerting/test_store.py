"""The in-memory store passes the contract, and refuses what could not be stored."""

from __future__ import annotations

import pytest

from alerting import AlertStore, InMemoryAlertStore
from tests.alerting.store_contract import AlertStoreContract, Settle


class TestInMemory(AlertStoreContract):
    @pytest.fixture
    def store(self) -> AlertStore:
        return InMemoryAlertStore()

    @pytest.fixture
    def settle(self) -> Settle:
        return lambda: None


def test_bodies_are_copies() -> None:
    store = InMemoryAlertStore()
    ids = ["a"]
    store.create("episodes", "e1", {"finding_ids": ids})
    ids.append("b")
    held = store.get("episodes", "e1")
    assert held is not None
    assert held.body == {"finding_ids": ["a"]}


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        InMemoryAlertStore().create("episodes", "e1", {"x": value})
