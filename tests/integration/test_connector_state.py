"""State and cursors in a real Elasticsearch keep the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from elasticsearch import ConnectionTimeout, Elasticsearch

from connector import (
    ClientConfig,
    Cursor,
    CursorStore,
    ElasticCursorStore,
    ElasticStateStore,
    RequestRefused,
    RetryPolicy,
    SeenIds,
    StateStore,
    StateUnavailable,
    Write,
    connect,
    install,
    state_index,
)
from tests.connector.contracts import CursorStoreContract, Settle, StateStoreContract
from tests.connector.indexed import IMPATIENT
from tests.connector.samples import at, document
from tests.connector.trouble import out_of_memory


@pytest.fixture
def client(engine_url: str, namespace: str) -> Iterator[Elasticsearch]:
    """The client under test, on a cluster that is set up."""
    with connect(ClientConfig((engine_url,))) as made:
        install(made, namespace)
        yield made


@pytest.fixture
def store(client: Elasticsearch, namespace: str) -> StateStore:
    return ElasticStateStore(client, namespace)


class TestElasticStateStore(StateStoreContract):
    @pytest.fixture
    def settle(self, es: Elasticsearch, namespace: str) -> Settle:
        def refresh() -> None:
            es.indices.refresh(index=state_index("*", namespace))

        return refresh


class TestElasticStateStoreThatWaits(StateStoreContract):
    """With `wait_for_refresh` nothing else need be done for `find` to see it."""

    @pytest.fixture
    def store(self, client: Elasticsearch, namespace: str) -> StateStore:
        return ElasticStateStore(client, namespace, wait_for_refresh=True)

    @pytest.fixture
    def settle(self) -> Settle:
        return lambda: None


class TestElasticCursorStore(CursorStoreContract):
    @pytest.fixture
    def cursors(self, store: StateStore) -> CursorStore:
        return ElasticCursorStore(store)


def test_a_write_whose_answer_was_lost_is_no_conflict(
    client: Elasticsearch, namespace: str
) -> None:
    """The first attempt arrives, its answer does not."""
    flaky = client.options()
    store = ElasticStateStore(flaky, namespace, retry=IMPATIENT)
    forget = _LosesAnswers(flaky)
    created = store.create("outbox", "r1", {"state": "pending"})
    assert created is not None
    forget.next_one = True
    replaced = store.replace(created, {"state": "sent", "rows": ("a", "b")})
    assert replaced.body == {"state": "sent", "rows": ["a", "b"]}
    assert store.get("outbox", "r1") == replaced
    assert forget.lost == 2


def test_a_bulk_whose_answer_was_lost_is_no_conflict(
    client: Elasticsearch, namespace: str
) -> None:
    """All of it had arrived; what another wrote before stays a conflict."""
    flaky = client.options()
    store = ElasticStateStore(flaky, namespace, retry=IMPATIENT)
    first = ElasticStateStore(client, namespace).create("outbox", "r1", {"n": 0})
    theirs = ElasticStateStore(client, namespace).create("outbox", "r2", {"n": 0})
    forget = _LosesAnswers(flaky)
    writes = [
        Write("r1", {"n": (1, 2)}, first),
        Write("r2", {"n": 1}),
        Write("r3", {"n": 1}),
    ]
    told = store.write_many("outbox", writes)
    assert forget.lost == 1
    assert [one and one.body for one in told] == [{"n": [1, 2]}, None, {"n": 1}]
    assert told[0] == store.get("outbox", "r1")
    assert told[2] == store.get("outbox", "r3")
    assert store.get("outbox", "r2") == theirs


def test_a_refused_write_does_not_stop_the_others(
    client: Elasticsearch, namespace: str
) -> None:
    store = ElasticStateStore(client, namespace, retry=IMPATIENT)
    too_long = "x" * 600
    with pytest.raises(RequestRefused) as alone:
        store.create("outbox", too_long, {"n": 1})
    with pytest.raises(RequestRefused) as among:
        store.write_many(
            "outbox", [Write("a", {}), Write(too_long, {"n": 1}), Write("b", {})]
        )
    assert str(among.value) == str(alone.value)
    assert among.value.status == alone.value.status == 400
    assert set(store.get_many("outbox", ["a", "b", too_long])) == {"a", "b"}


def test_an_outage_says_so(es: Elasticsearch, namespace: str) -> None:
    with connect(ClientConfig(("http://127.0.0.1:1",))) as nobody:
        store = ElasticStateStore(nobody, namespace, retry=IMPATIENT)
        with pytest.raises(StateUnavailable, match="connection refused"):
            store.get("outbox", "r1")


def test_busy_for_good(
    es: Elasticsearch, client: Elasticsearch, namespace: str
) -> None:
    store = ElasticStateStore(client, namespace, retry=IMPATIENT)
    created = store.create("outbox", "r1", {"state": "pending"})
    assert created is not None
    with out_of_memory(es), pytest.raises(StateUnavailable, match="429"):
        store.replace(created, {"state": "sending", "payload": {"t": "x" * 100_000}})
    assert store.get("outbox", "r1") == created
    large = {"state": "sending", "payload": {"t": "x" * 100_000}}
    with out_of_memory(es), pytest.raises(StateUnavailable, match="429"):
        store.write_many("outbox", [Write("r1", large, created), Write("r2", large)])
    assert store.get_many("outbox", ["r1", "r2"]) == {"r1": created}


def test_a_cursor_with_a_full_set_of_seen_ids(
    client: Elasticsearch, namespace: str
) -> None:
    seen = SeenIds()
    for number in range(50_000):
        seen.add(document(str(number), time=at(number)))
    cursors = ElasticCursorStore(ElasticStateStore(client, namespace))
    saved = cursors.save(Cursor("db", "@timestamp", seen=seen.snapshot()))
    loaded = cursors.load("db")
    assert loaded == saved
    assert loaded is not None
    assert len(SeenIds.restore(loaded.seen)) == 50_000


def test_other_namespaces_are_others(client: Elasticsearch, namespace: str) -> None:
    policy = RetryPolicy(attempts=1)
    ElasticStateStore(client, namespace, retry=policy).create("outbox", "r1", {})
    other = ElasticStateStore(client, f"{namespace}b", retry=policy)
    assert other.get("outbox", "r1") is None


class _LosesAnswers:
    """Makes every second write of a client fail after it arrived."""

    def __init__(self, client: Elasticsearch) -> None:
        self.next_one = True
        self.lost = 0
        for name in ("create", "index", "bulk"):
            setattr(client, name, self._losing(getattr(client, name)))

    def _losing(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(**options: Any) -> Any:
            answer = write(**options)
            if self.next_one:
                self.next_one = False
                self.lost += 1
                raise ConnectionTimeout("the answer got lost")
            return answer

        return wrapped
