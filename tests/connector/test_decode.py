"""Documents of every odd kind become records; what is odd is counted."""

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import (
    ConfigError,
    DecodeCounts,
    Decoder,
    LogDocument,
    SessionRule,
    SourceSpec,
    UndatedDocument,
    join_key,
    needed_fields,
    split_key,
)
from connector.texts import MAX_TEXT_BYTES, clean_text, document_text
from tests.connector.samples import NOON

_TIME = "2026-11-22T12:00:00Z"


def decoder(session: SessionRule | None = None, **fields: Any) -> Decoder:
    rule = session or SessionRule(field="trace.id")
    return Decoder(SourceSpec("db", "logs-*", session=rule, **fields))


def decoded(source: dict[str, Any], **options: Any) -> LogDocument:
    return decoder(**options).decode({"@timestamp": _TIME} | source)


def odd(decoder: Decoder) -> dict[str, int]:
    """The counts that are not zero, without the plain number of documents."""
    counts = asdict(decoder.counts)
    return {n: c for n, c in counts.items() if c and n != "documents"}


def test_an_ecs_document() -> None:
    source = {
        "@timestamp": "2026-11-22T12:00:00.5Z",
        "message": "duration: 0.475 ms",
        "log": {"level": "LOG", "offset": 17},
        "service": {"name": "shop-db"},
        "host": {"name": "db-1"},
        "trace": {"id": "t1"},
    }
    made = decoder().decode(source, doc_id="d1", index="logs")
    assert made == LogDocument(
        doc_id="d1",
        index="logs",
        time=NOON.replace(microsecond=500000),
        message="duration: 0.475 ms",
        key="t1",
        severity="LOG",
        service="shop-db",
        host="db-1",
        sequence=17,
        cursor_time=NOON.replace(microsecond=500000),
    )


def test_nested_dotted_and_mixed_keys_are_the_same() -> None:
    nested = {"host": {"name": "a"}, "trace": {"id": "t"}, "log": {"level": "info"}}
    dotted = {"host.name": "a", "trace.id": "t", "log.level": "info"}
    mixed = {"host": {"ip": "::1"}, "host.name": "a", "trace.id": "t"}
    mixed |= {"log": {"level": "info"}}
    assert decoded(nested) == decoded(dotted) == decoded(mixed)


@pytest.mark.parametrize(
    "source",
    [
        {"message": "text"},
        {"message": ["text"]},
        {"body": {"text": "text"}},
        {"body.text": "text"},
        {"event": {"original": "text"}},
        {"message": None, "body": {"text": "text"}},
    ],
)
def test_where_the_text_is(source: dict[str, Any]) -> None:
    made = decoder()
    assert made.decode({"@timestamp": _TIME} | source).message == "text"
    assert odd(made) == {"no_key": 1}


def test_the_configured_message_field_comes_first() -> None:
    source = {"message": "short", "log": {"full": "long"}}
    assert decoded(source, message_field="log.full").message == "long"
    assert decoded({"message": "short"}, message_field="log.full").message == "short"


@pytest.mark.parametrize(
    ("value", "text", "count"),
    [
        (None, "", "missing_text"),
        ([], "", "missing_text"),
        (["a", "b"], "a\nb", "not_text"),
        (["a", None, 3], "a\n3", "not_text"),
        (42, "42", "not_text"),
        (1.5, "1.5", "not_text"),
        (True, "true", "not_text"),
        ({"a": 1}, '{"a":1}', "not_text"),
        ("a\0b", "a\ufffdb", "bad_unicode"),
        ("a\ud800b", "a\ufffdb", "bad_unicode"),
        ("x" * 40_000, "x" * MAX_TEXT_BYTES, "truncated"),
        ("x" * 1_000_000, "x" * MAX_TEXT_BYTES, "truncated"),
        ("日" * 20_000, "日" * (MAX_TEXT_BYTES // 3), "truncated"),
    ],
)
def test_odd_text_is_handled_and_counted(value: Any, text: str, count: str) -> None:
    made = decoder()
    assert made.decode({"@timestamp": _TIME, "message": value}).message == text
    assert odd(made) == {count: 1, "no_key": 1}


@pytest.mark.parametrize("text", ["x" * MAX_TEXT_BYTES, "日" * 10_000, "é🙂"])
def test_text_within_bounds_is_kept(text: str) -> None:
    made = decoder()
    assert made.decode({"@timestamp": _TIME, "message": text}).message == text
    assert odd(made) == {"no_key": 1}


@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=50))
def test_any_text_becomes_valid(text: str) -> None:
    made = decoded({"message": text, "host": {"name": text}, "trace": {"id": text}})
    for value in (made.message, made.host or "", made.key or ""):
        assert "\0" not in value
        assert value.encode().decode() == value
    assert len(made.message) == len(text)


@pytest.mark.parametrize("time", [None, "yesterday", {"a": 1}, True])
def test_a_document_without_time(time: Any) -> None:
    made = decoder()
    with pytest.raises(UndatedDocument, match="@timestamp"):
        made.decode({"@timestamp": time, "message": "x"})
    assert odd(made) == {"bad_time": 1}


def test_problems_do_not_stop_the_rest() -> None:
    made = decoder()
    hits: list[dict[str, Any]] = [
        {"_id": "1", "_index": "i", "_source": {"@timestamp": _TIME, "message": "a"}},
        {"_id": "2", "_index": "i", "_source": {"message": "who knows when"}},
        {"_id": "3", "_index": "i", "_source": {"@timestamp": _TIME, "message": "b"}},
        {"_source": {}},
    ]
    documents, problems = made.decode_many(hits)
    assert [document.doc_id for document in documents] == ["1", "3"]
    assert [(p.doc_id, p.index) for p in problems] == [("2", "i"), ("", "")]
    assert problems[0].document == '{"message":"who knows when"}'
    assert "time_field" in problems[0].reason
    assert made.counts == DecodeCounts(documents=4, bad_time=2, no_key=2)


def test_cursor_time_may_differ() -> None:
    later = NOON.replace(hour=13)
    source = {"@timestamp": _TIME}
    hit = {"_id": "1", "_index": "i", "_source": source, "cursor_time": later}
    [made], _ = decoder().decode_many([hit])
    assert (made.time, made.cursor_time) == (NOON, later)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("abc", "abc"),
        (["abc"], "abc"),
        (42, "42"),
        (4.5, "4.5"),
        (True, "true"),
        ("", None),
        (None, None),
        ([], None),
        ("a\0", "a\ufffd"),
    ],
)
def test_keys_by_field(value: Any, key: str | None) -> None:
    assert decoded({"trace": {"id": value}}).key == key


@pytest.mark.parametrize(
    ("pattern", "message", "key"),
    [
        (r"blk_-?\d+", "got blk_-16 from blk_17", "blk_-16"),
        (r"req=(\w+)", "start req=a7 end", "a7"),
        (r"(?:job|task) (\d+)", "task 12 of 13", "12"),
        (r"会话(\S+)", "开始会话日志7 好", "日志7"),
        (r"blk_-?\d+", "nothing here", None),
        (r"id=(\d*)", "id= none", None),
        (r"a(b)?c", "ac", None),
        (r"id=(.)", "id=\ud800", "\ufffd"),
    ],
)
def test_keys_by_pattern(pattern: str, message: str, key: str | None) -> None:
    assert decoded({"message": message}, session=SessionRule(pattern=pattern)).key == (
        key
    )


@pytest.mark.parametrize("pattern", ["(", r"(?=x)y", r"(a)\1", "[z-a]", "a\ud800"])
def test_a_bad_pattern_is_one_line(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"session\.pattern") as caught:
        decoder(session=SessionRule(pattern=pattern))
    assert "\n" not in str(caught.value)


def test_a_pattern_that_would_backtrack_is_harmless() -> None:
    rule = SessionRule(pattern=r"(a+)+$")
    assert decoded({"message": "a" * 30_000 + "!"}, session=rule).key is None


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ({"service": {"name": "shop"}, "host": {"name": "db-1"}}, "shop|db-1"),
        ({"service.name": "shop"}, "shop|"),
        ({"host": {"name": "db-1"}}, "|db-1"),
        ({"service": {"name": r"a|b\c"}, "host.name": "h"}, r"a\|b\\c|h"),
        ({}, None),
    ],
)
def test_keys_by_fields(source: dict[str, Any], key: str | None) -> None:
    fields = ("service.name", "host.name")
    given_rule = SessionRule(fields=fields, window_s=300)
    assert decoded(source, session=given_rule).key == key
    assert decoded(source, session=SessionRule()).key == key


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_window_keys_can_be_taken_apart(parts: list[str]) -> None:
    key = join_key(parts)
    if any(parts):
        assert key is not None
        assert split_key(key) == tuple(parts)
    else:
        assert key is None


@pytest.mark.parametrize(
    ("source", "sequence"),
    [
        ({"event": {"sequence": 5}, "log": {"offset": 9}}, 5),
        ({"log.offset": 9}, 9),
        ({"log": {"offset": "9"}}, 9),
        ({"log": {"offset": [9]}}, 9),
        ({"log": {"offset": 9.0}}, 9),
        ({"log": {"offset": "nine"}}, None),
        ({"log": {"offset": True}}, None),
        ({"log": {"offset": float("inf")}}, None),
        ({}, None),
    ],
)
def test_sequence(source: dict[str, Any], sequence: int | None) -> None:
    assert decoded(source).sequence == sequence


def test_a_configured_sequence_stands_alone() -> None:
    source = {"line": 3, "log": {"offset": 9}}
    assert decoded(source, sequence_field="line").sequence == 3
    assert decoded({"log": {"offset": 9}}, sequence_field="line").sequence is None


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "a", "pattern": "b"},
        {"field": "a", "fields": ("b",), "window_s": 5},
        {"fields": ("a",)},
        {"fields": ("a",), "window_s": 0},
    ],
)
def test_session_rules_that_cannot_be(rule: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="session"):
        SessionRule(**rule)


def test_which_keys_end() -> None:
    assert SessionRule(field="trace.id").ends
    assert SessionRule(pattern="x").ends
    assert not SessionRule(fields=("a",), window_s=60).ends
    assert not SessionRule().ends
    assert SessionRule().unit_s == 300
    assert SessionRule(fields=("a",), window_s=60).unit_s == 60
    assert SessionRule(field="a").unit_s is None


def test_needed_fields_are_all_that_is_looked_at() -> None:
    """A document with only these decodes as it does with everything."""
    spec = SourceSpec(
        "db",
        "x",
        message_field="m.text",
        time_field="t",
        severity_field="sev",
        service_field="svc",
        host_field="h.n",
        sequence_field="line",
        session=SessionRule(fields=("h.n", "pid"), window_s=60),
    )
    full: dict[str, Any] = {
        "m.text": "x",
        "t": _TIME,
        "sev": "E",
        "svc": "s",
        "h.n": "h",
    }
    full |= {"line": 4, "pid": 7, "noise": "n", "log.offset": 1}
    less = {name: full[name] for name in needed_fields(spec) if name in full}
    assert "noise" not in less
    assert Decoder(spec).decode(less) == Decoder(spec).decode(full)


def test_document_text_survives_anything() -> None:
    assert document_text({"a": "\ud800", "b": object()})
    assert len(document_text({"a": "日" * 100_000}).encode()) <= MAX_TEXT_BYTES
    assert clean_text("plain") == "plain"
