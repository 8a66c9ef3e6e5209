"""The in-memory state and cursor stores keep the contract."""

import pytest

from connector import (
    CursorStore,
    ElasticCursorStore,
    InMemoryCursorStore,
    InMemoryStateStore,
    StateStore,
)
from tests.connector.contracts import CursorStoreContract, Settle, StateStoreContract


class TestInMemoryStateStore(StateStoreContract):
    @pytest.fixture
    def store(self) -> StateStore:
        return InMemoryStateStore()

    @pytest.fixture
    def settle(self) -> Settle:
        return lambda: None


class TestInMemoryCursorStore(CursorStoreContract):
    @pytest.fixture
    def cursors(self) -> CursorStore:
        return InMemoryCursorStore()


class TestCursorsOverAnyStateStore(CursorStoreContract):
    @pytest.fixture
    def cursors(self) -> CursorStore:
        return ElasticCursorStore(InMemoryStateStore())
