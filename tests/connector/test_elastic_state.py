"""State documents that are read together: each answer in it is looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector import (
    ClientConfig,
    ElasticStateStore,
    PrivilegeMissing,
    RetryPolicy,
    StateUnavailable,
    Stored,
    connect,
)
from tests.connector.replies import Reply, Request, answering

RETRY = RetryPolicy(attempts=2, sleep=lambda _: None)
HELD = {"found": True, "_source": {"n": 1}, "_seq_no": 3, "_primary_term": 1}


class Server:
    """Answers `_mget` as told by id, and everything else with one reply."""

    def __init__(self, docs: dict[str, dict[str, Any]], one: Reply) -> None:
        self.docs = docs
        self.one = one
        self.paths: list[str] = []

    def __call__(self, request: Request) -> Reply:
        self.paths.append(request.path.rpartition("/")[2])
        if not request.path.endswith("_mget"):
            return self.one
        ids = json.loads(request.body)["ids"]
        return Reply(200, {"docs": [{"_id": one, **self.docs[one]} for one in ids]})


def _read(server: Server) -> dict[str, Stored]:
    with answering(server) as url, connect(ClientConfig((url,))) as client:
        store = ElasticStateStore(client, "x", retry=RETRY)
        return store.get_many("outbox", list(server.docs))


def _failed(kind: str) -> dict[str, Any]:
    return {"error": {"type": kind, "reason": "some"}}


def test_where_nothing_was_ever_written_nothing_is_asked_again() -> None:
    docs = {one: _failed("index_not_found_exception") for one in "ab"}
    server = Server(docs, Reply(500, {}))
    assert _read(server) == {}
    assert server.paths == ["_mget"]


def test_one_that_failed_is_asked_by_itself() -> None:
    docs = {
        "a": HELD,
        "b": _failed("no_shard_available_action_exception"),
        "c": {"found": False},
    }
    server = Server(docs, Reply(200, {"_id": "b", **HELD, "_seq_no": 4}))
    read = _read(server)
    assert {one: stored.seq_no for one, stored in read.items()} == {"a": 3, "b": 4}
    assert server.paths == ["_mget", "b"]


@pytest.mark.parametrize(
    ("status", "error"), [(503, StateUnavailable), (403, PrivilegeMissing)]
)
def test_and_says_what_is_wrong(status: int, error: type[Exception]) -> None:
    docs = {"a": HELD, "b": _failed("security_exception")}
    with pytest.raises(error, match="reading state outbox/b"):
        _read(Server(docs, Reply(status, {})))
