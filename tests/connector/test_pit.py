"""Pages stay within memory, and a page with a failed shard is no page."""

from __future__ import annotations

from typing import Any

import pytest

from connector import (
    ClientConfig,
    LogSource,
    PartialResults,
    SourceUnavailable,
    connect,
)
from connector.pit import PageSize
from tests.connector.indexed import FAR, IMPATIENT, spec
from tests.connector.replies import Reply, Request, answering

MEGABYTE = 1024 * 1024


def test_pages_grow_while_documents_are_small() -> None:
    size = PageSize(5000)
    assert size.current == 1000
    for expected in (2000, 4000, 5000, 5000):
        size.fit(size.current, size.current * 300)
        assert size.current == expected


def test_pages_shrink_at_once_when_documents_are_large() -> None:
    size = PageSize(2000, budget_bytes=32 * MEGABYTE)
    size.fit(1000, 1000 * MEGABYTE)
    assert size.current == 50
    size.fit(50, 50 * 300)
    assert size.current == 100
    size.fit(0, 0)
    assert size.current == 100


def test_pages_shrink_when_the_other_side_is_short_of_memory() -> None:
    size = PageSize(2000)
    size.shrink()
    assert size.current == 500
    for _ in range(9):
        size.shrink()
    assert size.current == 50


def test_small_maxima_are_kept() -> None:
    size = PageSize(5)
    assert size.current == 5
    size.shrink()
    assert size.current == 5
    with pytest.raises(ValueError, match="page_size"):
        PageSize(10_001)
    with pytest.raises(ValueError, match="page_size"):
        PageSize(0)


WHOLE = {"total": 2, "successful": 2, "skipped": 0, "failed": 0}
BROKEN = {
    "total": 2,
    "successful": 1,
    "failed": 1,
    "failures": [{"reason": {"type": "io_exception", "reason": "disk\nbroken"}}],
}
HIT = {
    "_id": "1",
    "_index": "logs",
    "_source": {"@timestamp": "2026-11-22T12:00:00Z", "message": "x", "session": "s"},
    "sort": [1795348800000, 0],
}


class Cluster:
    """Answers the few calls of a reading; each part can be replaced."""

    def __init__(self) -> None:
        self.opened: dict[str, Any] = {"id": "p1", "_shards": WHOLE}
        self.page: dict[str, Any] = {
            "pit_id": "p2",
            "timed_out": False,
            "_shards": WHOLE,
            "hits": {"hits": [HIT]},
        }
        self.closed: list[str] = []
        self.searches = 0

    def __call__(self, request: Request) -> Reply:
        if request.path.endswith("/_field_caps"):
            kinds = {"@timestamp": "date", "message": "text", "session": "keyword"}
            fields = {
                name: {kind: {"type": kind, "searchable": True}}
                for name, kind in kinds.items()
            }
            return Reply(200, {"indices": ["logs"], "fields": fields})
        if request.method == "DELETE":
            self.closed.append(request.body)
            return Reply(200, {"succeeded": True, "num_freed": 1})
        if request.path.endswith("/_pit"):
            return Reply(200, self.opened)
        if '"pit"' in request.body:
            self.searches += 1
            status = self.page.get("status", 200)
            return Reply(status, self.page)
        hits = {"hits": [HIT], "total": {"value": 1}}
        return Reply(200, {"_shards": WHOLE, "hits": hits, "timed_out": False})


def reading(cluster: Cluster) -> list[str]:
    with answering(cluster) as url, connect(ClientConfig((url,))) as client:
        source = LogSource(client, spec("logs"), retry=IMPATIENT)
        pages = source.pages(None, FAR)
        return [d.doc_id for page in pages for d in page.documents]


def test_the_newest_point_in_time_is_closed() -> None:
    cluster = Cluster()
    assert reading(cluster) == ["1"]
    assert cluster.closed == ['{"id":"p2"}']


@pytest.mark.parametrize("where", ["opened", "page"])
def test_a_failed_shard_in_an_answer_of_200(where: str) -> None:
    cluster = Cluster()
    getattr(cluster, where)["_shards"] = BROKEN
    with pytest.raises(PartialResults, match=r"1 of 2 shards .*disk broken") as caught:
        reading(cluster)
    assert caught.value.recoverable
    assert "\n" not in str(caught.value)


def test_a_search_that_timed_out_on_a_shard() -> None:
    cluster = Cluster()
    cluster.page["timed_out"] = True
    with pytest.raises(PartialResults, match="timed out"):
        reading(cluster)
    assert len(cluster.closed) == 1


def test_a_point_in_time_that_is_lost_again_and_again() -> None:
    cluster = Cluster()
    cluster.page = {"status": 404, "error": {"type": "search_context_missing"}}
    with pytest.raises(SourceUnavailable, match="5 times in a row") as caught:
        reading(cluster)
    assert caught.value.recoverable
    assert cluster.searches == 6
