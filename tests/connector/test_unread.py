"""Pages are asked for before those that came are read; each document comes once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector import ClientConfig, connect
from connector.filtering import Filtering
from connector.hits import DocumentType
from connector.pit import PageSize, PitReader, Search
from connector.unread import Unread, unread
from tests.connector.indexed import IMPATIENT
from tests.connector.replies import Reply, Request, answering

WHOLE = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
MISLEADING = {"matched": {"sort": [9, 9]}}


def hit(number: int, message: str = "m", **more: Any) -> dict[str, Any]:
    source = {"@timestamp": number, "message": message}
    return {
        "_id": str(number),
        "_index": "logs",
        "_source": source,
        "sort": [number, 0],
        **more,
    }


def body_of(hits: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "pit_id": "p2",
        "timed_out": False,
        "_shards": WHOLE,
        "hits": {"hits": hits},
    }


def came(hits: list[dict[str, Any]]) -> Unread:
    found = unread(json.dumps(body_of(hits), separators=(",", ":")).encode())
    assert found is not None
    return found


def test_only_answers_over_a_point_in_time_are_left_unread() -> None:
    assert came([hit(1)]).pit_id == "p2"
    for other in ({"error": {"type": "x"}, "status": 404}, {"took": 1, "hits": {}}):
        assert unread(json.dumps(other, separators=(",", ":")).encode()) is None


@pytest.mark.parametrize("text", ["m", '"sort":[7,7]', '{"sort":[7,7],', "\u20ac\\"])
def test_where_the_last_hit_stands(text: str) -> None:
    two = came([hit(1, text), hit(2, text)])
    assert two.last_sort() == [2, 0]
    assert two.documents == 2


def test_what_cannot_be_told_is_not_told() -> None:
    assert came([]).last_sort() is None
    cut = unread(b'{"pit_id":"p2","hits":{"hits":[{"sort":[1,')
    assert cut is not None
    assert cut.last_sort() is None
    assert Unread(b'{"sort":[oops]}', "p").last_sort() is None


def test_it_is_read_typed_or_else_as_usual() -> None:
    typed = DocumentType(["message"])
    source = came([hit(1, "hello")]).read(typed.read).hits.hits[0].source
    assert isinstance(source, typed.kind)
    data = json.dumps(body_of([hit(1, "SURROGATE")]), separators=(",", ":"))
    odd = unread(data.replace("SURROGATE", "a\\ud800b").encode())
    assert odd is not None
    for reader in (typed.read, None):
        answer = odd.read(reader)
        assert answer.hits.hits[0].source["message"] == "a\ud800b"
        assert answer.pit_id == "p2"


class Pages:
    """Documents 1 … `count`, by search_after; notes after what it was asked."""

    def __init__(self, count: int, more: dict[str, Any]) -> None:
        self._hits = [hit(number, **more) for number in range(1, count + 1)]
        self.asked: list[Any] = []
        self.whole: list[bool] = []

    def __call__(self, request: Request) -> Reply:
        if request.method == "DELETE":
            return Reply(200, {"succeeded": True, "num_freed": 1})
        if request.path.endswith("/_pit"):
            return Reply(200, {"id": "p1", "_shards": WHOLE})
        wanted = json.loads(request.body)
        after = wanted.get("search_after")
        self.asked.append(after)
        self.whole.append("_source" not in wanted)
        rest = [h for h in self._hits if after is None or h["sort"] > after]
        page = rest[: wanted["size"]]
        if "_source" in wanted:
            fields = wanted["_source"]["includes"]
            page = [h | {"_source": {f: h["_source"][f] for f in fields}} for h in page]
        return Reply(200, body_of(page))


def read(
    pages: Pages, *, ahead: bool, filtering: Filtering | None = None, size: int = 2
) -> list[str]:
    search = Search("logs", list, "@timestamp", False, ("message",))
    with answering(pages) as url, connect(ClientConfig((url,))) as client:
        reader = PitReader(
            client,
            search,
            size=PageSize(size),
            retry=IMPATIENT,
            doing="source logs",
            typed=DocumentType(["message"]),
            filtering=filtering,
            ahead=ahead,
        )
        return [found.id for hits in reader for found in hits]


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("more", [{}, MISLEADING])
@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_every_document_comes_once(
    count: int, more: dict[str, Any], ahead: bool
) -> None:
    assert read(Pages(count, more), ahead=ahead) == [str(i + 1) for i in range(count)]


def test_a_single_page_is_asked_for_once() -> None:
    one = Pages(1, {})
    read(one, ahead=True)
    assert one.asked == [None]
    several = Pages(5, {})
    read(several, ahead=True)
    assert several.asked[:3] == [None, [2, 0], [4, 0]]
    assert len(several.asked) <= 4


def test_a_page_foreseen_at_another_place_is_not_taken() -> None:
    pages = Pages(5, MISLEADING)
    assert read(pages, ahead=True) == ["1", "2", "3", "4", "5"]
    assert [9, 9] in pages.asked


def test_both_ways_are_tried_and_the_documents_are_the_same() -> None:
    pages = Pages(30, {})
    filtering = Filtering()
    found = read(pages, ahead=True, filtering=filtering)
    assert found == [str(number + 1) for number in range(30)]
    assert filtering.decided
    assert pages.whole[:8] == [False, True, True, False, True, False, True, False]
    assert len(set(pages.whole[8:])) == 1
    read(Pages(30, {}), ahead=False, filtering=Filtering())


def test_nothing_is_tried_where_documents_are_read_one_by_one() -> None:
    pages = Pages(30, {})
    read(pages, ahead=False, filtering=Filtering())
    assert not any(pages.whole)


def test_large_documents_are_filtered_by_the_engine() -> None:
    pages = Pages(30, {"ignored": "x" * 5000})
    filtering = Filtering()
    read(pages, ahead=True, filtering=filtering)
    assert not filtering.allowed
    assert pages.whole[:2] == [False, True]
    assert not any(pages.whole[2:])


def test_what_is_read_as_usual_of_a_whole_document_is_narrowed() -> None:
    """A lone surrogate: no typed reading, and yet nothing else goes any further."""
    hits = [hit(number, "SURROGATE") for number in range(1, 31)]
    for each in hits:
        each["_source"]["password"] = "hunter2"

    def answer(request: Request) -> Reply:
        reply = pages(request)
        text = json.dumps(reply.body, separators=(",", ":"))
        return Reply(200, json.loads(text.replace("SURROGATE", "a\\ud800b")))

    pages = Pages(0, {})
    pages._hits = hits
    search = Search("logs", list, "@timestamp", False, ("message",))
    filtering = Filtering()
    with answering(answer) as url, connect(ClientConfig((url,))) as client:
        reader = PitReader(
            client,
            search,
            size=PageSize(2),
            retry=IMPATIENT,
            doing="source logs",
            typed=DocumentType(["message"]),
            filtering=filtering,
            ahead=True,
        )
        found = [each.source for some in reader for each in some]
    assert any(pages.whole)
    assert len(found) == 30
    assert found == [{"message": "a\ud800b"}] * 30
