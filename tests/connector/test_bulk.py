"""Every item of a bulk is accounted for, whatever the answer says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connector import (
    ClientConfig,
    IndexBlocked,
    PrivilegeMissing,
    RetryPolicy,
    SinkError,
    SinkUnavailable,
    connect,
)
from connector.bulk import MAX_BYTES, MAX_DOCUMENTS, BulkItem, BulkWriter
from tests.connector.replies import Reply, Request, answering

PATIENT = RetryPolicy(attempts=4, sleep=lambda _: None)

Judge = Callable[[str], dict[str, Any]]

CREATED = {"status": 201, "_index": ".ds-x-000001"}
BUSY = {
    "status": 429,
    "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"},
}
DENIED = {
    "status": 403,
    "error": {
        "type": "security_exception",
        "reason": "action [indices:admin/auto_create] is unauthorized for user [u] "
        "with effective roles [r] on indices [x], this action is granted by the index "
        "privileges [auto_configure,create_index,manage,all]",
    },
}


class Server:
    """Answers bulks item by item, and remembers which ids came in which request."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.requests: list[list[str]] = []
        self.whole: Callable[[list[str]], Reply | None] = lambda ids: None

    def __call__(self, request: Request) -> Reply:
        actions = [json.loads(line) for line in request.body.splitlines()[::2]]
        operations = [next(iter(action.items())) for action in actions]
        ids = [meta["_id"] for _, meta in operations]
        self.requests.append(ids)
        refused = self.whole(ids)
        if refused is not None:
            return refused
        items = [{name: self.judge(meta["_id"])} for name, meta in operations]
        return Reply(200, {"errors": True, "took": 1, "items": items})


@contextmanager
def writer(server: Server, retry: RetryPolicy = PATIENT) -> Iterator[BulkWriter]:
    with answering(server) as url, connect(ClientConfig((url,))) as client:
        yield BulkWriter(client, doing="writing to x", retry=retry)


def items(*ids: str) -> list[BulkItem]:
    return [BulkItem("create", "x", doc_id, {"n": 1}) for doc_id in ids]


def numbered(count: int) -> list[BulkItem]:
    return items(*(str(number) for number in range(count)))


def test_outcomes_stand_in_the_order_of_the_items() -> None:
    answers = {
        "a": CREATED,
        "b": {"status": 409, "_index": "i", "error": {"type": "conflict"}},
        "c": {
            "status": 400,
            "error": {
                "type": "document_parsing_exception",
                "reason": "failed to parse",
                "caused_by": {"type": "x", "reason": "out of range"},
            },
        },
        "d": CREATED | {"failure_store": "used"},
        "e": CREATED | {"failure_store": "not_applicable_or_unknown"},
    }
    with writer(Server(answers.__getitem__)) as bulk:
        results = bulk.write(items(*answers))
    assert [(r.item.doc_id, r.outcome) for r in results] == [
        ("a", "written"),
        ("b", "conflict"),
        ("c", "rejected"),
        ("d", "rejected"),
        ("e", "written"),
    ]
    assert results[0].index == ".ds-x-000001"
    assert results[2].reason == (
        "document_parsing_exception: failed to parse: out of range"
    )
    assert "failure store" in results[3].reason


def test_only_what_was_refused_for_now_is_sent_again() -> None:
    tries: dict[str, int] = {}

    def judge(doc_id: str) -> dict[str, Any]:
        tries[doc_id] = tries.get(doc_id, 0) + 1
        return BUSY if doc_id in {"1", "3"} and tries[doc_id] < 3 else CREATED

    server = Server(judge)
    with writer(server) as bulk:
        results = bulk.write(numbered(5))
    assert [r.outcome for r in results] == ["written"] * 5
    assert server.requests == [["0", "1", "2", "3", "4"], ["1", "3"], ["1", "3"]]


def test_batches_are_halved_while_the_other_side_is_busy() -> None:
    server = Server(lambda _: CREATED)
    refusals = iter([True, True])
    server.whole = lambda ids: (
        Reply(503, {"error": "shutting down"}) if next(refusals, False) else None
    )
    with writer(server) as bulk:
        results = bulk.write(numbered(MAX_DOCUMENTS))
    assert len(results) == MAX_DOCUMENTS
    sizes = [len(ids) for ids in server.requests]
    assert sizes == [500, 250, 125, 125, 125, 125]
    assert [r.item.doc_id for r in results] == [str(i) for i in range(MAX_DOCUMENTS)]


def test_retries_that_make_progress_go_on() -> None:
    """One item a round gets through; far more rounds than tries."""
    done: set[str] = set()

    def judge(doc_id: str) -> dict[str, Any]:
        if len(done) < len(server.requests) // 3:
            done.add(doc_id)
            return CREATED
        return BUSY

    server = Server(judge)
    with writer(server) as bulk:
        results = bulk.write(numbered(6))
    assert [r.outcome for r in results] == ["written"] * 6
    assert len(server.requests) > 3 * PATIENT.attempts


def test_without_progress_it_gives_up() -> None:
    server = Server(lambda _: BUSY)
    pauses: list[float] = []
    policy = RetryPolicy(attempts=4, first_wait_s=1, max_wait_s=2, sleep=pauses.append)
    with (
        writer(server, policy) as bulk,
        pytest.raises(SinkUnavailable, match=r"queue is full.*after 4 tries") as caught,
    ):
        bulk.write(numbered(3))
    assert caught.value.recoverable
    assert len(pauses) == 3
    assert all(0 <= pause_s <= 2 for pause_s in pauses)


def test_too_large_a_request_is_split() -> None:
    server = Server(lambda _: CREATED)
    server.whole = lambda ids: Reply(413, {}) if len(ids) > 2 else None
    with writer(server) as bulk:
        results = bulk.write(numbered(7))
    assert [r.outcome for r in results] == ["written"] * 7
    assert max(len(ids) for ids in server.requests[-3:]) <= 2


def test_a_single_item_that_is_too_large_is_rejected() -> None:
    server = Server(lambda _: CREATED)
    server.whole = lambda ids: Reply(413, {}) if "1" in ids else None
    with writer(server) as bulk:
        results = bulk.write(numbered(4))
    assert [r.outcome for r in results] == [
        "written",
        "rejected",
        "written",
        "written",
    ]


def test_requests_are_bounded_in_bytes() -> None:
    server = Server(lambda _: CREATED)
    text = "x" * (MAX_BYTES // 3)
    large = [BulkItem("create", "x", str(i), {"t": text}) for i in range(5)]
    with writer(server) as bulk:
        assert len(bulk.write(large)) == 5
    assert [len(ids) for ids in server.requests] == [2, 2, 1]


def test_a_missing_privilege_is_raised_though_the_answer_is_200() -> None:
    with (
        writer(Server(lambda _: DENIED)) as bulk,
        pytest.raises(PrivilegeMissing, match="grant the index privilege auto") as it,
    ):
        bulk.write(numbered(1))
    assert it.value.granted_by == ("auto_configure", "create_index", "manage")
    assert it.value.indices == ("x",)


def test_a_closed_index_is_raised() -> None:
    error = {"type": "cluster_block_exception", "reason": "index [x] blocked by: [F]"}
    with (
        writer(Server(lambda _: {"status": 403, "error": error})) as bulk,
        pytest.raises(IndexBlocked, match="blocked by"),
    ):
        bulk.write(numbered(1))


def test_an_index_that_may_not_be_created() -> None:
    error = {"type": "index_not_found_exception", "reason": "no such index [x]"}
    with writer(Server(lambda _: {"status": 404, "error": error})) as bulk:
        with pytest.raises(SinkError, match="elkwatch setup"):
            bulk.write(numbered(1))
        gone = BulkItem("index", "x-000001", "a", {}, version=(3, 1))
        assert bulk.write([gone])[0].outcome == "conflict"


def test_the_version_to_replace_is_sent() -> None:
    bodies: list[str] = []
    server = Server(lambda _: CREATED)

    def remember(request: Request) -> Reply:
        bodies.append(request.body)
        return server(request)

    with answering(remember) as url, connect(ClientConfig((url,))) as client:
        bulk = BulkWriter(client, doing="writing", retry=PATIENT)
        bulk.write([BulkItem("index", "i", "a", {"t": "\ud800"}, version=(7, 2))])
    action, document = bodies[0].splitlines()
    assert json.loads(action) == {
        "index": {"_index": "i", "_id": "a", "if_seq_no": 7, "if_primary_term": 2}
    }
    assert json.loads(document) == {"t": "\ud800"}
