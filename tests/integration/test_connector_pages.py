"""Reading a source on a real Elasticsearch: everything once, in order."""

from __future__ import annotations

from itertools import pairwise

import pytest
from elasticsearch import Elasticsearch

from connector import LogSource
from tests.connector.indexed import FAR, ids, line, open_contexts, put, read, spec
from tests.connector.samples import at


class TestPages:
    def test_everything_once_in_order_over_page_bounds(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """Seven documents a time, pages of five: bounds fall within equal times."""
        index = f"{prefix}a"
        put(es, index, [line(i // 7) for i in range(100)])
        before = open_contexts(es)
        pages = list(LogSource(client, spec(index), page_size=5).pages(None, FAR))
        documents = [d for page in pages for d in page.documents]
        assert len(pages) == 20
        assert sorted(ids(documents)) == [f"{i:05d}" for i in range(100)]
        times = [document.time for document in documents]
        assert times == sorted(times)
        assert documents[0].message == "at 0"
        assert open_contexts(es) == before

    def test_a_full_last_page_is_followed_by_nothing(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(i) for i in range(10)])
        pages = list(LogSource(client, spec(index), page_size=5).pages(None, FAR))
        assert [len(page.documents) for page in pages] == [5, 5]

    def test_start_belongs_to_it_and_until_does_not(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(i) for i in range(10)])
        pages = LogSource(client, spec(index)).pages(at(3), at(7))
        documents = [d for page in pages for d in page.documents]
        assert ids(documents) == ["00003", "00004", "00005", "00006"]

    @pytest.mark.parametrize("kind", ["date", "date_nanos"])
    def test_consecutive_ranges_meet_without_gap_or_overlap(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str, kind: str
    ) -> None:
        """Documents and bounds below the millisecond, and nanoseconds."""
        index = f"{prefix}a"
        stamps = [f"2026-11-22T12:00:00.00{i:02d}{i:05d}Z" for i in range(60)]
        mappings = {"properties": {"@timestamp": {"type": kind}}}
        lines = [line(0, **{"@timestamp": stamp}) for stamp in stamps]
        put(es, index, lines, mappings)
        source = LogSource(client, spec(index), page_size=7)
        bounds = [at(0), at(0.0012345), at(0.0030001), at(0.004), FAR]
        documents = [
            document
            for start, until in pairwise(bounds)
            for page in source.pages(start, until)
            for document in page.documents
        ]
        assert ids(documents) == [f"{i:05d}" for i in range(60)]
        if kind == "date_nanos":
            assert documents[7].cursor_time == documents[7].time
        assert documents[7].time.microsecond == 700

    def test_date_and_date_nanos_under_one_pattern(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        for name, kind in (("a", "date"), ("b", "date_nanos")):
            mappings = {"properties": {"@timestamp": {"type": kind}}}
            put(es, f"{prefix}{name}", [line(i) for i in range(10)], mappings)
        source = LogSource(client, spec(f"{prefix}*"), page_size=3)
        documents = read(source)
        assert ids(documents) == [f"{i:05d}" for i in range(10) for _ in range(2)]

    def test_a_late_document_is_found_by_its_time_of_ingestion(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(
            es,
            index,
            [line(i, event={"ingested": at(i + 1).isoformat()}) for i in range(5)],
            {"properties": {"event": {"properties": {"ingested": {"type": "date"}}}}},
        )
        source = LogSource(client, spec(index))
        assert source.check().cursor_field == "event.ingested"
        assert len(read(source)) == 5
        put(es, index, [line(2.5, event={"ingested": at(100).isoformat()})])
        [late] = read(source, start=at(50))
        assert (late.time, late.cursor_time) == (at(2.5), at(100))

    def test_a_late_document_is_found_in_the_overlap(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(i) for i in range(5)])
        source = LogSource(client, spec(index))
        assert len(read(source)) == 5
        put(es, index, [line(2.5)])
        assert ids(read(source, start=at(2))) == ["00002", "00005", "00003", "00004"]

    def test_by_event_time_where_a_document_lacks_its_time_of_ingestion(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(0, event={"ingested": "2026-11-22"}), line(1)], None)
        source = LogSource(client, spec(index))
        report = source.check()
        assert report.cursor_field == "@timestamp"
        assert any("event.ingested" in warning for warning in report.warnings)
        assert len(read(source)) == 2

    def test_a_shipper_that_stops_writing_the_time_of_ingestion_is_noticed(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """Read by that time, its documents would never come."""
        index = f"{prefix}a"
        put(es, index, [line(0, event={"ingested": at(1).isoformat()})], None)
        source = LogSource(client, spec(index))
        assert ids(read(source)) == ["00000"]
        assert source.cursor_field == "event.ingested"
        put(es, index, [line(5)])
        assert ids(read(source)) == ["00000", "00001"]
        assert source.cursor_field == "@timestamp"

    def test_a_large_text_makes_small_pages(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(i, message="x" * 1_000_000) for i in range(6)])
        source = LogSource(client, spec(index), page_size=2)
        documents = read(source)
        assert {len(document.message) for document in documents} == {32 * 1024}
        assert source.counts.truncated == 6
