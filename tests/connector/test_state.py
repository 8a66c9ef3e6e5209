"""The in-memory stores and sinks keep the contract of the real ones."""

import pytest

from connector import (
    CursorStore,
    ElasticCursorStore,
    InMemoryCursorStore,
    InMemoryFindingSink,
    InMemoryRunMetrics,
    InMemoryStateStore,
    StateStore,
)
from tests.connector.contracts import (
    CursorStoreContract,
    FindingSinkContract,
    RunMetricsContract,
    Settle,
    StateStoreContract,
)
from tests.connector.samples import finding


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


class TestInMemoryFindingSink(FindingSinkContract):
    @pytest.fixture
    def findings(self) -> InMemoryFindingSink:
        return InMemoryFindingSink()


class TestInMemoryRunMetrics(RunMetricsContract):
    @pytest.fixture
    def metrics(self) -> InMemoryRunMetrics:
        return InMemoryRunMetrics()


def test_the_in_memory_sink_remembers_so_many_findings() -> None:
    sink = InMemoryFindingSink(remembered=2)
    made = [finding(session=name) for name in "abc"]
    sink.write(made)
    report = sink.write(reversed_ := made[::-1])
    assert [report.outcomes[f.finding_id] for f in reversed_] == [
        "exists",
        "exists",
        "created",
    ]


def test_what_is_over_can_be_forgotten() -> None:
    store = InMemoryStateStore()
    for number in range(3):
        store.create("outbox", f"r{number}", {"number": number})
    gone = store.forget("outbox", lambda stored: stored.body["number"] < 2)
    assert [stored.doc_id for stored in gone] == ["r0", "r1"]
    assert [stored.doc_id for stored in store.find("outbox", {})] == ["r2"]
    assert store.get("outbox", "r0") is None
    assert store.forget("episodes", lambda _: True) == []
