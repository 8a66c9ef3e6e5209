"""Key ranges on a real Elasticsearch: each document in exactly one, sessions whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connector import ClientConfig, LogSource, SessionRule, connect, key_ranges
from tests.connector.indexed import FAR, MAPPINGS, line, put, spec

KEYWORD_BELOW_TEXT = {
    "properties": {
        "session": {
            "type": "text",
            "fields": {"keyword": {"type": "keyword", "ignore_above": 20}},
        }
    }
}


@pytest.fixture
def client(engine_url: str) -> Iterator[Elasticsearch]:
    """The client under test."""
    with connect(ClientConfig((engine_url,))) as made:
        yield made


def parts(source: LogSource, count: int) -> list[list[tuple[str, str | None]]]:
    """Id and key of the documents in each range."""
    return [
        [
            (f"{document.index}/{document.doc_id}", document.key)
            for page in source.pages_of(within, None, FAR)
            for document in page.documents
        ]
        for within in source.key_ranges(count, None, FAR).ranges
    ]


def check_once_and_whole(
    found: list[list[tuple[str, str | None]]], documents: int
) -> None:
    """Every document is in one range, every key in one range."""
    ids = Counter(doc_id for part in found for doc_id, _ in part)
    assert len(ids) == documents
    assert set(ids.values()) == {1}
    places = Counter(key for part in found for key in {key for _, key in part})
    assert set(places.values()) == {1}


@pytest.mark.parametrize("mapping", [MAPPINGS, KEYWORD_BELOW_TEXT])
def test_each_document_is_in_one_range_and_each_session_whole(
    es: Elasticsearch, client: Elasticsearch, prefix: str, mapping: dict[str, Any]
) -> None:
    """Odd keys: none, empty, a list, one too long for the keyword, and of two bytes."""
    lines = [line(i, session=f"s-{i % 97:02d}") for i in range(600)]
    lines += [line(i, session=None) for i in range(40)]
    lines += [line(i, session="") for i in range(10)]
    lines += [line(i, session=["a-list", f"s-{i + 80}"]) for i in range(10)]
    lines += [line(i, session=key) for i in range(9) for key in ("x" * 40, "日志", "Z")]
    put(es, f"{prefix}a", lines, mapping)
    keyless = {key: value for key, value in line(1).items() if key != "session"}
    put(es, f"{prefix}b", [keyless] * 5, {"properties": {}})
    source = LogSource(client, spec(f"{prefix}*"), page_size=100)
    found = parts(source, 4)
    assert len(found) == 5
    check_once_and_whole(found, len(lines) + 5)
    assert None in {key for _, key in found[0]}
    sizes = [len(part) for part in found[1:]]
    assert max(sizes) < 1.2 * min(sizes)


@pytest.mark.parametrize(
    ("keys", "ranges"),
    [(["big"] * 300 + ["a", "z"], 3), (["only"] * 50, 1), ([], 1)],
    ids=["one large", "one", "none"],
)
def test_skewed_keys_make_fewer_ranges(
    es: Elasticsearch,
    client: Elasticsearch,
    prefix: str,
    keys: list[str],
    ranges: int,
) -> None:
    lines = [line(i, session=key) for i, key in enumerate(keys)]
    lines += [line(i, session=None) for i in range(20)]
    put(es, f"{prefix}a", lines, MAPPINGS)
    found = parts(LogSource(client, spec(f"{prefix}a")), 4)
    assert len(found) == 1 + ranges
    assert len(found[0]) == 20
    check_once_and_whole(found, len(lines))


def test_keys_beyond_the_pages_go_into_the_last_range(
    es: Elasticsearch,
    client: Elasticsearch,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_ranges, "KEYS_A_PAGE", 7)
    lines = [line(i, session=f"s-{i % 50:02d}") for i in range(200)]
    put(es, f"{prefix}a", lines, MAPPINGS)
    source = LogSource(client, spec(f"{prefix}a"))
    whole = source.key_ranges(4, None, FAR)
    assert whole.note is None
    assert [within.first for within in whole.ranges[2:]] == ["s-13", "s-25", "s-38"]
    monkeypatch.setattr(key_ranges, "PAGES_MAX", 4)
    found = source.key_ranges(4, None, FAR)
    assert [within.first for within in found.ranges[2:]] == ["s-13", "s-25"]
    assert found.note == "more than 28 keys: the last range is longer"
    check_once_and_whole(parts(source, 4), 200)


@pytest.mark.parametrize(
    ("session", "mapped", "note"),
    [
        (SessionRule(pattern="s[0-9]"), "keyword", "session keys stand in the message"),
        (SessionRule(), "keyword", "sessions are windows of several fields"),
        (SessionRule(field="session"), "text", "session is mapped as text, no keyword"),
        (SessionRule(field="session"), "long", "session is mapped as long, no keyword"),
    ],
)
def test_without_a_keyword_there_is_one_range_and_it_says_why(
    es: Elasticsearch,
    client: Elasticsearch,
    prefix: str,
    session: SessionRule,
    mapped: str,
    note: str,
) -> None:
    lines = [line(i, session=str(i)) for i in range(9)]
    mapping = {"properties": {"session": {"type": mapped}}}
    put(es, f"{prefix}a", lines, mapping)
    source = LogSource(client, spec(f"{prefix}a", session=session))
    found = source.key_ranges(4, None, FAR)
    assert found.note is not None
    assert found.note.startswith(note)
    assert [len(part) for part in parts(source, 4)] == [9]
