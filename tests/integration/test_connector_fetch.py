"""Whole sessions and windows again, for every way a key can be mapped."""

from __future__ import annotations

from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connector import KeyRequest, LogSource, SessionRule, WindowRequest
from tests.connector.indexed import FAR, ids, line, put, read, spec
from tests.connector.samples import at

_DAY = (at(-43_000), at(43_000))


def request(key: str, **more: Any) -> KeyRequest:
    return KeyRequest(key, *_DAY, **more)


def session_mapped(as_: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"message": {"type": "text"}, "session": as_}}


_KEYWORD = {"type": "keyword"}
_TEXT = {"type": "text"}
_TEXT_AND_KEYWORD = {
    "type": "text",
    "fields": {"keyword": {"type": "keyword", "ignore_above": 256}},
}


class TestKeysByField:
    @pytest.mark.parametrize("mapping", [_KEYWORD, _TEXT_AND_KEYWORD, _TEXT])
    def test_whole_sessions_and_no_neighbours(
        self,
        es: Elasticsearch,
        client: Elasticsearch,
        prefix: str,
        mapping: dict[str, Any],
    ) -> None:
        """Keys that an analyzer takes for alike are told apart."""
        keys = ["6b03-a.1", "6b03 a.1", "6b03-a.1 x", "6B03-A.1", "日志-7"]
        lines = [line(i, session=keys[i % 5]) for i in range(50)]
        put(es, f"{prefix}a", lines, session_mapped(mapping))
        source = LogSource(client, spec(f"{prefix}a"), page_size=4)
        found = source.fetch_keys([request(key) for key in keys], FAR)
        assert {
            key: len(documents) for key, documents in found.items()
        } == dict.fromkeys(keys, 10)
        assert ids(found["6b03-a.1"]) == [f"{i:05d}" for i in range(0, 50, 5)]
        assert found.cut == frozenset()

    def test_text_here_and_keyword_there(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        for name, mapping in (
            ("a", _KEYWORD),
            ("b", _TEXT),
            ("c", _TEXT_AND_KEYWORD),
        ):
            lines = [line(0, session="s-1"), line(1, session="s-2")]
            put(es, f"{prefix}{name}", lines, session_mapped(mapping))
        source = LogSource(client, spec(f"{prefix}*"))
        found = source.fetch_keys([request("s-1")], FAR)
        assert [d.index for d in found["s-1"]] == [f"{prefix}{n}" for n in "abc"]

    @pytest.mark.parametrize(
        ("mapping", "value", "key"),
        [
            ({"type": "long"}, 42, "42"),
            ({"type": "ip"}, "10.0.0.1", "10.0.0.1"),
            ({"type": "boolean"}, True, "true"),
        ],
    )
    def test_keys_that_are_no_text(
        self,
        es: Elasticsearch,
        client: Elasticsearch,
        prefix: str,
        mapping: dict[str, Any],
        value: Any,
        key: str,
    ) -> None:
        put(es, f"{prefix}a", [line(0, session=value)], session_mapped(mapping))
        source = LogSource(client, spec(f"{prefix}a"))
        assert len(source.fetch_keys([request(key)], FAR)[key]) == 1

    def test_a_key_inside_a_flattened_object(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        mapping = {"properties": {"labels": {"type": "flattened"}}}
        lines = [line(i, labels={"sid": f"s{i % 2}"}) for i in range(4)]
        put(es, f"{prefix}a", lines, mapping)
        rule = SessionRule(field="labels.sid")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        assert len(source.fetch_keys([request("s1")], FAR)["s1"]) == 2

    def test_a_key_too_long_for_its_keyword(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        key = "k" * 100 + " " + "v" * 300
        lines = [line(0, session=key), line(1, session="short")]
        put(es, f"{prefix}a", lines, session_mapped(_TEXT_AND_KEYWORD))
        source = LogSource(client, spec(f"{prefix}a"))
        found = source.fetch_keys([request(key), request("short")], FAR)
        assert (ids(found[key]), ids(found["short"])) == (["00000"], ["00001"])

    def test_what_no_query_finds_is_read_where_the_caller_has_seen_it(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """`ignore_above` leaves the key out of the index altogether."""
        mapping = session_mapped({"type": "keyword", "ignore_above": 4})
        put(es, f"{prefix}a", [line(i, session="longer") for i in range(3)], mapping)
        source = LogSource(client, spec(f"{prefix}a"))
        assert source.fetch_keys([request("longer")], FAR)["longer"] == ()
        seen = source.fetch_keys([request("longer", at_least=1)], FAR)
        assert len(seen["longer"]) == 3

    def test_the_order_is_time_sequence_id(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        lines = [line(0, nr=3), line(0, nr=1), line(0, nr=1), line(-1, nr=9)]
        put(es, f"{prefix}a", [*lines, line(0)])
        source = LogSource(client, spec(f"{prefix}a", sequence_field="nr"))
        found = source.fetch_keys([request("s1")], FAR)["s1"]
        assert ids(found) == ["00003", "00004", "00001", "00002", "00000"]

    def test_only_what_is_in_the_range_and_before_until(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        stamps = ["12:00:01.000", "12:00:01.0004", "12:00:01.0006", "12:00:02.000"]
        lines = [line(0, **{"@timestamp": f"2026-11-22T{s}Z"}) for s in stamps]
        put(es, f"{prefix}a", lines)
        source = LogSource(client, spec(f"{prefix}a"))
        exact = KeyRequest("s1", at(1), at(1.0005))
        assert ids(source.fetch_keys([exact], FAR)["s1"]) == ["00000", "00001"]
        to_the_end = KeyRequest("s1", at(1), at(2))
        assert len(source.fetch_keys([to_the_end], FAR)["s1"]) == 4
        assert len(source.fetch_keys([to_the_end], at(2))["s1"]) == 3
        assert len(source.fetch_keys([to_the_end])["s1"]) == 4

    def test_until_goes_by_the_time_of_ingestion(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """What came late is part of the session once the pages have brought it."""
        mapping = {"properties": {"event.ingested": {"type": "date"}}}
        lines = [line(i, event={"ingested": at(10 * i).isoformat()}) for i in range(5)]
        put(es, f"{prefix}a", lines, mapping)
        source = LogSource(client, spec(f"{prefix}a"))
        found = source.fetch_keys([request("s1")], at(25))["s1"]
        assert [(d.time, d.cursor_time) for d in found] == [
            (at(i), at(10 * i)) for i in range(3)
        ]

    def test_more_events_than_the_bound(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """The earliest are kept and it is told; others are not disturbed."""
        lines = [line(i, session="huge") for i in range(100)]
        lines += [line(i, session="just") for i in range(10)]
        put(es, f"{prefix}a", lines)
        source = LogSource(client, spec(f"{prefix}a"), page_size=7, max_events=10)
        found = source.fetch_keys([request("huge"), request("just")], FAR)
        assert [d.time for d in found["huge"]] == [at(i) for i in range(10)]
        assert len(found["just"]) == 10
        assert found.cut == {"huge"}

    def test_many_keys_and_keys_that_are_not_there(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(i, session=f"s{i % 700}") for i in range(1400)])
        source = LogSource(client, spec(f"{prefix}a"))
        found = source.fetch_keys([request(f"s{i}") for i in range(710)], FAR)
        assert [len(found[f"s{i}"]) for i in range(710)] == [2] * 700 + [0] * 10

    def test_one_key_asked_for_twice(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(i) for i in range(10)])
        source = LogSource(client, spec(f"{prefix}a"))
        requests = [KeyRequest("s1", at(0), at(2)), KeyRequest("s1", at(5), at(7))]
        assert len(source.fetch_keys(requests, FAR)["s1"]) == 8

    def test_fetching_again_counts_nothing_twice(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(i) for i in range(5)])
        source = LogSource(client, spec(f"{prefix}a"))
        read(source)
        source.fetch_keys([request("s1")], FAR)
        assert source.counts.documents == 5


class TestKeysByPattern:
    @pytest.mark.parametrize(
        "mapping", [_TEXT, _KEYWORD, {"type": "text", "index": False}]
    )
    def test_by_phrase_by_wildcard_or_by_reading(
        self,
        es: Elasticsearch,
        client: Elasticsearch,
        prefix: str,
        mapping: dict[str, Any],
    ) -> None:
        blocks = ["blk_-16", "blk_16", "blk_-160"]
        lines = [
            line(i, message=f"Receiving block {blocks[i % 3]} src: /10.0.0.{i}:50*10")
            for i in range(30)
        ]
        put(es, f"{prefix}a", lines, {"properties": {"message": mapping}})
        rule = SessionRule(pattern=r"blk_-?\d+")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        found = source.fetch_keys([request(block) for block in blocks], FAR)
        for number, block in enumerate(blocks):
            assert ids(found[block]) == [f"{i:05d}" for i in range(number, 30, 3)]

    def test_a_key_within_a_token_is_found_by_reading(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """The analyzer keeps job_201 whole, so 201 alone is not found."""
        lines = [line(i, message=f"job_{200 + i % 3} step {i}") for i in range(9)]
        put(es, f"{prefix}a", lines)
        rule = SessionRule(pattern=r"job_(\d+)")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        seen = source.fetch_keys([request("201", at_least=2)], FAR)
        assert ids(seen["201"]) == ["00001", "00004", "00007"]

    def test_a_key_that_is_a_token_only_here_and_there(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """A phrase finds some; the caller has seen more; each comes once."""
        texts = ["job_7 starts", "job 7 runs", "job_7 ends", "job 8 runs"]
        put(es, f"{prefix}a", [line(i, message=t) for i, t in enumerate(texts)])
        rule = SessionRule(pattern=r"job[ _](\d+)")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        requests = [request("7", at_least=2), request("8", at_least=1)]
        found = source.fetch_keys(requests, FAR)
        assert ids(found["7"]) == ["00000", "00001", "00002"]
        assert ids(found["8"]) == ["00003"]

    def test_lines_that_name_keys_of_two_batches_come_once(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        texts = [f"blk_{i} copied from blk_{499 - i}" for i in range(500)]
        put(es, f"{prefix}a", [line(i, message=t) for i, t in enumerate(texts)])
        rule = SessionRule(pattern=r"blk_\d+")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        found = source.fetch_keys([request(f"blk_{i}") for i in range(500)], FAR)
        assert [ids(found[f"blk_{i}"]) for i in range(500)] == [
            [f"{i:05d}"] for i in range(500)
        ]

    def test_only_the_first_match_is_the_key(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(0, message="blk_1 after blk_2")])
        rule = SessionRule(pattern=r"blk_\d+")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        found = source.fetch_keys([request("blk_1"), request("blk_2")], FAR)
        assert (len(found["blk_1"]), len(found["blk_2"])) == (1, 0)

    def test_otel_documents(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        otel = {"@timestamp": at(0).isoformat(), "body": {"text": "got blk_7"}}
        put(es, f"{prefix}a", [otel, line(1, message="got blk_7")], None)
        rule = SessionRule(pattern=r"blk_\d+")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        assert len(source.fetch_keys([request("blk_7")], FAR)["blk_7"]) == 2


class TestWindows:
    @pytest.fixture
    def by_host(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> LogSource:
        """Two services on two hosts, one document a second; some know neither."""
        lines = []
        for i in range(60):
            more: dict[str, Any] = {}
            if i % 5:
                more["service"] = {"name": f"s{i % 2}"}
            if i % 3:
                more["host"] = {"name": f"h|{i % 2}"}
            lines.append(line(i, **more))
        put(es, f"{prefix}a", lines)
        rule = SessionRule(fields=("service.name", "host.name"), window_s=30)
        return LogSource(client, spec(f"{prefix}a", session=rule), page_size=7)

    @pytest.mark.parametrize("key", [r"s1|h\|1", "s0|", r"|h\|1", None])
    def test_a_window_is_what_the_pages_brought(
        self, by_host: LogSource, key: str | None
    ) -> None:
        brought = [
            d.doc_id
            for d in read(by_host)
            if d.key == key and at(10) <= d.time < at(40)
        ]
        window = WindowRequest(key, at(10), at(40))
        found = by_host.fetch_windows([window], FAR)
        assert ids(found[window]) == brought
        assert brought

    def test_several_windows_of_one_key(self, by_host: LogSource) -> None:
        windows = [
            WindowRequest("s0|", at(0), at(30)),
            WindowRequest("s0|", at(30), at(60)),
        ]
        found = by_host.fetch_windows(windows)
        every = [d.doc_id for d in read(by_host) if d.key == "s0|"]
        assert ids(found[windows[0]]) + ids(found[windows[1]]) == every

    def test_the_end_of_a_window_is_not_in_it(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """Also below the millisecond that a `date` field keeps."""
        stamps = ["01.000", "01.0004", "01.0005", "02.000"]
        lines = [line(0, **{"@timestamp": f"2026-11-22T12:00:{s}Z"}) for s in stamps]
        put(es, f"{prefix}a", lines)
        source = LogSource(client, spec(f"{prefix}a"))
        short = WindowRequest("s1", at(1), at(1.0005))
        long = WindowRequest("s1", at(1), at(2))
        found = source.fetch_windows([short, long])
        assert ids(found[short]) == ["00000", "00001"]
        assert ids(found[long]) == ["00000", "00001", "00002"]

    def test_a_bounded_window(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(i) for i in range(20)])
        source = LogSource(client, spec(f"{prefix}a"), page_size=3, max_events=5)
        whole, part = (
            WindowRequest("s1", at(0), at(5)),
            WindowRequest("s1", at(0), at(6)),
        )
        found = source.fetch_windows([whole, part], FAR)
        assert (len(found[whole]), len(found[part])) == (5, 5)
        assert found.cut == {part}

    def test_without_rule_by_service_and_host(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        lines = [line(i, host={"name": f"h{i % 2}"}) for i in range(10)]
        put(es, f"{prefix}a", lines)
        source = LogSource(client, spec(f"{prefix}a", session=SessionRule()))
        window = WindowRequest("|h1", at(0), at(6))
        assert ids(source.fetch_windows([window])[window]) == [
            "00001",
            "00003",
            "00005",
        ]

    def test_windows_of_a_session_key_and_of_none(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """A session that is too old is cut on windows; so is what has no key."""
        lines = [line(i, session=("s1", "", None)[i % 3]) for i in range(12)]
        put(es, f"{prefix}a", lines)
        source = LogSource(client, spec(f"{prefix}a"))
        of_s1, of_none = (WindowRequest(key, at(0), at(6)) for key in ("s1", None))
        found = source.fetch_windows([of_s1, of_none], FAR)
        assert ids(found[of_s1]) == ["00000", "00003"]
        assert ids(found[of_none]) == ["00001", "00002", "00004", "00005"]

    def test_windows_by_pattern(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        lines = [
            line(i, message=f"job_{i % 2} x" if i % 3 else "idle") for i in range(9)
        ]
        put(es, f"{prefix}a", lines)
        rule = SessionRule(pattern=r"job_(\d+)")
        source = LogSource(client, spec(f"{prefix}a", session=rule))
        keyed = WindowRequest("1", at(0), at(9), at_least=1)
        keyless = WindowRequest(None, at(0), at(9))
        found = source.fetch_windows([keyed, keyless])
        assert ids(found[keyed]) == ["00001", "00005", "00007"]
        assert ids(found[keyless]) == ["00000", "00003", "00006"]
