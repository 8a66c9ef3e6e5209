"""Typed documents give what dictionaries give, whatever shape they were shipped in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import Decoder, SessionRule, SourceSpec, UndatedDocument
from connector.client import TolerantSerializer
from connector.columns import whole_milliseconds
from connector.hits import (
    Answer,
    DocumentType,
    answer_of,
    answers_read_by,
    document_type,
    plain_document,
)
from connector.timestamps import EPOCH, from_sort_values

SPECS = [
    SourceSpec("db", "logs", session=SessionRule(field="postgresql.log.session_id")),
    SourceSpec(
        "db", "logs", session=SessionRule(fields=("host.name", "a"), window_s=5)
    ),
    SourceSpec("db", "logs", message_field="log", host_field="log.level.host"),
    SourceSpec("db", "logs", session=SessionRule(pattern=r"s(\d+)")),
]

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(-1e9, 1e9, allow_subnormal=False),
    st.text(max_size=5),
    st.sampled_from(["s1", "2026-11-22T12:00:00Z", "1763826745"]),
)
NAMES = (
    "message @timestamp log level host name postgresql session_id log.level host.name "
    "postgresql.log log.session_id postgresql.log.session_id event event.original "
    "original body.text offset a"
)
names = st.sampled_from(NAMES.split())
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)
    ),
    max_leaves=12,
)
documents = st.dictionaries(names, values, max_size=8)


def answered(source: Any) -> bytes:
    """An answer with this one document."""
    hit = {"_index": "i", "_id": "d", "_score": None, "_source": source, "sort": [5, 0]}
    return orjson.dumps(
        {"took": 1, "timed_out": False, "_shards": {}, "hits": {"hits": [hit]}}
    )


def outcome(decoder: Decoder, source: Any) -> Any:
    try:
        return decoder.decode(source)
    except UndatedDocument as error:
        return str(error)


@settings(deadline=None, max_examples=300)
@given(documents, st.sampled_from(SPECS))
def test_typed_equals_plain(source: dict[str, Any], spec: SourceSpec) -> None:
    typed, plain = Decoder(spec), Decoder(spec)
    assert typed.document_type is not None
    read = typed.document_type.read(answered(source)).hits.hits[0]
    assert type(read.source) is typed.document_type.kind
    assert outcome(typed, read.source) == outcome(plain, source)
    assert typed.counts == plain.counts


LONG = "a long one"
ordinary = st.fixed_dictionaries(
    {
        "@timestamp": st.sampled_from(["2026-11-22T12:00:00.123456Z", "2026-11-22"]),
        "message": st.sampled_from(["s1 up", "", "caf\u00e9 s2", "nul\0", LONG]).map(
            lambda text: "x" * 9000 if text == LONG else text  # no strategy of 30 kB
        ),
    },
    optional={
        "log": st.fixed_dictionaries({}, optional={"level": leaves, "offset": leaves}),
        "host": st.fixed_dictionaries({"name": st.sampled_from(["db-1", "db-2"])}),
        "host.name": st.sampled_from(["db-3", None]),
        "postgresql": st.fixed_dictionaries(
            {"log": st.fixed_dictionaries({"session_id": st.sampled_from("abc")})}
        ),
    },
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.one_of(ordinary, ordinary, ordinary, documents), max_size=6),
    st.sampled_from(SPECS),
)
def test_a_page_at_once_equals_one_by_one(
    sources: list[dict[str, Any]], spec: SourceSpec
) -> None:
    at_once, one_by_one = Decoder(spec), Decoder(spec)
    assert at_once.document_type is not None
    read = at_once.document_type.read
    hits = [read(answered(source)).hits.hits[0] for source in sources]
    expected = one_by_one.decode_many(
        {"_id": "d", "_index": "i", "_source": source} for source in sources
    )
    found = at_once.decode_hits(hits, lambda hits: [None] * len(hits))
    assert found[0] == expected[0]
    assert [p.reason for p in found[1]] == [p.reason for p in expected[1]]
    assert at_once.counts == one_by_one.counts


def test_one_type_serves_every_round() -> None:
    paths = ["host.name", "message"]
    assert document_type(paths) is document_type(iter(paths))
    assert document_type(paths) is not document_type(["message"])


def test_only_what_is_looked_at_is_kept() -> None:
    kind = DocumentType(["host.name", "message"])
    source = {"message": "m", "host": {"name": "a", "ip": "::1"}, "user": {"id": 1}}
    read = kind.read(answered(source)).hits.hits[0].source
    assert plain_document(read) == {"message": "m", "host": {"name": "a"}}
    assert plain_document({"a": 1}) == {"a": 1}


def test_the_serializer_reads_for_whom_it_is_asked() -> None:
    serializer, kind = TolerantSerializer(), DocumentType(["message"])
    data = answered({"message": "m"})
    with answers_read_by(kind.read):
        answer = serializer.loads(data)
    assert isinstance(answer, Answer)
    assert answer_of(answer) is answer
    plain = serializer.loads(data)
    assert isinstance(plain, dict)
    found = answer_of(plain).hits.hits[0]
    assert (found.id, found.index, found.sort) == ("d", "i", [5, 0])
    assert found.source == {"message": "m"}


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"type": "x"}, "status": 404},
        {"hits": {"hits": 5}, "timed_out": False, "_shards": {}},
    ],
)
def test_what_is_no_answer_is_read_as_usual(body: dict[str, Any]) -> None:
    with answers_read_by(DocumentType(["message"]).read):
        assert TolerantSerializer().loads(json.dumps(body).encode()) == body


def test_a_lone_surrogate_costs_no_page() -> None:
    data = answered({"message": "SURROGATE"}).replace(b"SURROGATE", b"a\\ud800b")
    with answers_read_by(DocumentType(["message"]).read):
        answer = answer_of(TolerantSerializer().loads(data))
    assert answer.hits.hits[0].source == {"message": "a\ud800b"}


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb"])
def test_a_name_that_cannot_be_looked_for_is_read_plain(name: str) -> None:
    decoder = Decoder(replace(SPECS[0], message_field=name))
    assert decoder.document_type is None
    document = {"@timestamp": "2026-11-26T10:00:00Z", name: "it works"}
    assert decoder.decode(document).message == "it works"


WHOLE = "2026-11-26T10:00:00.123"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([f"{WHOLE}Z", "1999-01-02T03:04:05.678Z"], True),
        ([f"{WHOLE}+00:00"], True),
        ([f"{WHOLE}Z", f"{WHOLE}+00:00"], False),
        ([f"{WHOLE}+02:00"], False),
        ([f"{WHOLE}+00:0"], False),
        (["2026-11-26T10:00:00.1239"], False),
        (["2026-11-26T10:00:00,123Z"], False),
        ([f"{WHOLE}Z", 1795348800000], False),
        ([f"{WHOLE}Z", None], False),
        (["2026-11-26T10:00:00Z"], False),
        ([], False),
    ],
)
def test_texts_that_say_no_more_than_a_sort_value(
    column: list[Any], expected: bool
) -> None:
    assert whole_milliseconds(column) is expected


@given(st.lists(st.integers(0, 4_000_000_000_000), min_size=1, max_size=9))
def test_times_by_which_a_page_was_sorted_are_not_read_again(
    milliseconds: list[int],
) -> None:
    """Read or taken over: the same records."""
    decoder = Decoder(SPECS[0])
    assert decoder.document_type is not None
    places = from_sort_values(nanos=False)
    sources = [
        {"@timestamp": time.isoformat(timespec="milliseconds"), "message": "m"}
        for time in places(milliseconds)
    ]
    hits = [decoder.document_type.read(answered(s)).hits.hits[0] for s in sources]
    ways = [
        decoder.decode_hits(hits, lambda _: places(milliseconds), by_time=by_time)
        for by_time in (True, False)
    ]
    assert ways[0] == ways[1]
    moved = decoder.decode_hits(hits, lambda hits: [EPOCH] * len(hits), by_time=False)
    assert [d.time for d in moved[0]] == places(milliseconds)


def test_a_time_that_was_not_indexed_is_read_of_the_document() -> None:
    """Sorted last, where an index does not map the field; and yet it has a time."""
    decoder = Decoder(SPECS[0])
    assert decoder.document_type is not None
    source = {"@timestamp": f"{WHOLE}Z", "message": "m"}
    hits = [decoder.document_type.read(answered(source)).hits.hits[0]]
    places = from_sort_values(nanos=False)
    (document,), _ = decoder.decode_hits(
        hits, lambda _: places([2**63 - 1]), by_time=True
    )
    assert document.time.isoformat() == f"{WHOLE}000+00:00"
