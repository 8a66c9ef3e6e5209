"""Reading a source on a real Elasticsearch: everything once, nothing of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from elasticsearch import Elasticsearch, NotFoundError

from connector import (
    ClientConfig,
    ConnectorError,
    FieldMissing,
    FieldUnfit,
    IndexMissing,
    LogDocument,
    LogSource,
    OwnOutputRefused,
    Page,
    RetryPolicy,
    SessionRule,
    SourceError,
    SourceUnavailable,
    connect,
)
from tests.connector.indexed import FAR, IMPATIENT, MAPPINGS, line, put, read, spec
from tests.connector.samples import at
from tests.connector.trouble import out_of_memory, set_breaker


@pytest.fixture
def client(engine_url: str) -> Iterator[Elasticsearch]:
    """The client under test."""
    with connect(ClientConfig((engine_url,))) as made:
        yield made


def ids(documents: Sequence[LogDocument]) -> list[str]:
    return [document.doc_id for document in documents]


def open_contexts(es: Elasticsearch) -> int:
    stats = es.nodes.stats(metric="indices", index_metric="search")
    return sum(
        node["indices"]["search"]["open_contexts"] for node in stats["nodes"].values()
    )


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


class TestTroubleMidway:
    def test_a_lost_point_in_time_is_opened_again(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """Lost after every page, within equal times; nothing twice, nothing lost."""
        index = f"{prefix}a"
        put(es, index, [line(i // 7) for i in range(60)])
        before = open_contexts(es)
        watched = _PitWatcher(client)
        source = LogSource(watched.client, spec(index), page_size=5, retry=IMPATIENT)
        documents: list[LogDocument] = []
        for number, page in enumerate(source.pages(None, FAR)):
            documents += page.documents
            if number % 2 == 0:
                watched.lose_all()
        assert sorted(ids(documents)) == [f"{i:05d}" for i in range(60)]
        assert [d.time for d in documents] == sorted(d.time for d in documents)
        assert len(watched.opened) > 5
        assert open_contexts(es) == before

    def test_it_is_lost_among_many_pages_of_one_time(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(0) for _ in range(40)])
        watched = _PitWatcher(client)
        source = LogSource(watched.client, spec(index), page_size=5, retry=IMPATIENT)
        documents: list[LogDocument] = []
        for number, page in enumerate(source.pages(None, FAR)):
            documents += page.documents
            if number % 3 == 2:
                watched.lose_all()
        assert sorted(ids(documents)) == [f"{i:05d}" for i in range(40)]

    def test_what_was_indexed_meanwhile_comes_too(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(i) for i in range(10)])
        watched = _PitWatcher(client)
        pages = LogSource(watched.client, spec(index), page_size=5).pages(None, FAR)
        first = next(pages)
        put(es, index, [line(20)])
        watched.lose_all()
        rest = [d for page in pages for d in page.documents]
        assert ids([*first.documents, *rest]) == [f"{i:05d}" for i in range(11)]

    def test_an_index_deleted_midway(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """The others are read on."""
        put(es, f"{prefix}a", [line(i) for i in range(10)])
        put(es, f"{prefix}b", [line(i) for i in range(10)])
        source = LogSource(client, spec(f"{prefix}*"), page_size=4, retry=IMPATIENT)
        pages = source.pages(None, FAR)
        documents = list(next(pages).documents)
        es.indices.delete(index=f"{prefix}b")
        documents += [d for page in pages for d in page.documents]
        of_a = [d.doc_id for d in documents if d.index == f"{prefix}a"]
        assert of_a == [f"{i:05d}" for i in range(10)]

    def test_a_reader_that_stops_early_leaves_nothing_open(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(i) for i in range(10)])
        pages = LogSource(client, spec(index), page_size=3).pages(None, FAR)
        before = open_contexts(es)
        next(pages)
        assert open_contexts(es) > before
        pages.close()  # type: ignore[attr-defined]
        assert open_contexts(es) == before

    def test_a_shard_without_a_node_stops_the_reading(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """One index of two cannot be read: not a page is given."""
        put(es, f"{prefix}a", [line(i) for i in range(10)])
        es.indices.create(
            index=f"{prefix}b",
            mappings=MAPPINGS,
            settings={"index.routing.allocation.require._name": "nobody"},
            wait_for_active_shards=0,
        )
        source = LogSource(client, spec(f"{prefix}*"), retry=IMPATIENT)
        pages: list[Page] = []
        with pytest.raises(SourceError) as caught:
            pages.extend(source.pages(None, FAR))
        assert pages == []
        assert caught.value.recoverable
        assert "\n" not in str(caught.value)

    def test_a_shard_that_fails_stops_the_reading(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """The query cannot run on one index of two, which came after the check."""
        put(es, f"{prefix}a", [line(i) for i in range(10)])
        source = LogSource(client, spec(f"{prefix}*"), retry=IMPATIENT)
        source.check()
        mappings = {"properties": {"@timestamp": {"type": "keyword"}}}
        put(es, f"{prefix}b", [line(i) for i in range(10)], mappings)
        pages: list[Page] = []
        with pytest.raises(ConnectorError, match="source db") as caught:
            pages.extend(source.pages(None, FAR))
        assert pages == []
        assert "\n" not in str(caught.value)

    def test_busy_then_recovered(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(i) for i in range(10)])
        source = LogSource(client, spec(index))
        source.check()
        pauses: list[float] = []

        def recover(pause_s: float) -> None:
            pauses.append(pause_s)
            if len(pauses) == 2:
                set_breaker(es, None)

        patient = LogSource(client, spec(index), retry=RetryPolicy(sleep=recover))
        with out_of_memory(es):
            documents = read(patient)
        assert len(documents) == 10
        assert len(pauses) == 2

    def test_busy_for_good(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(0)])
        source = LogSource(client, spec(index), retry=IMPATIENT)
        with (
            out_of_memory(es),
            pytest.raises(SourceUnavailable, match=r"429 .*after 3 tries") as caught,
        ):
            read(source)
        assert caught.value.recoverable

    def test_nobody_there(self) -> None:
        with connect(ClientConfig(("http://127.0.0.1:1",))) as nobody:
            source = LogSource(nobody, spec("logs-*"), retry=IMPATIENT)
            with pytest.raises(SourceUnavailable, match="connection refused"):
                read(source)


class TestShapes:
    def test_dotted_nested_otel_and_mixed_documents(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        stamp = at(0).isoformat()
        same = {"message": "hello", "session": "s1"}
        documents: list[dict[str, Any]] = [
            {"host": {"name": "h"}, "service": {"name": "s"}, "log": {"level": "i"}},
            {"host.name": "h", "service.name": "s", "log.level": "i"},
            {"host": {"ip": "::1"}, "host.name": "h", "service": {"name": "s"}}
            | {"log.level": "i"},
        ]
        documents = [d | same for d in documents]
        otel = {k: v for k, v in documents[0].items() if k != "message"}
        documents.append(otel | {"body": {"text": "hello"}})
        documents.append(otel | {"body.text": "hello"})
        put(es, index, [d | {"@timestamp": stamp} for d in documents], None)
        source = LogSource(client, spec(index))
        read_back = read(source)
        assert len(read_back) == 5
        shapes = {
            (d.message, d.key, d.severity, d.service, d.host, d.time) for d in read_back
        }
        assert shapes == {("hello", "s1", "i", "s", "h", at(0))}

    def test_a_lone_surrogate_does_not_cost_the_page(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        put(es, index, [line(0), line(2)])
        text = rb'{"@timestamp":"%s","message":"bad \ud800 and \u0000"}'
        lines: list[Any] = [b'{"index":{}}', text % at(1).isoformat().encode()]
        assert not es.bulk(index=index, operations=lines, refresh=True)["errors"]
        source = LogSource(client, spec(index))
        messages = [document.message for document in read(source)]
        assert messages == ["at 0", "bad \ufffd and \ufffd", "at 2"]
        assert source.counts.bad_unicode == 1

    def test_a_time_no_program_could_guess_is_asked_of_the_mapping(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        mappings = {
            "properties": {"@timestamp": {"type": "date", "format": "dd.MM.yyyy HH|mm"}}
        }
        put(es, index, [line(0, **{"@timestamp": "22.11.2026 12|05"})], mappings)
        [document] = read(LogSource(client, spec(index)))
        assert document.time == at(300)

    def test_an_alias_of_a_field_is_read_too(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        alias = {"type": "alias", "path": "node"}
        mappings = {
            "properties": {
                "node": {"type": "keyword"},
                "host": {"properties": {"name": alias}},
            }
        }
        put(es, index, [line(0, node="db-1")], mappings)
        [document] = read(LogSource(client, spec(index)))
        assert document.host == "db-1"

    def test_a_logsdb_index(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        index = f"{prefix}a"
        es.indices.create(
            index=index,
            settings={"index.mode": "logsdb"},
            mappings={"properties": {"session": {"type": "keyword"}}},
        )
        put(es, index, [line(i) | {"host.name": f"h{i}"} for i in range(5)])
        source = LogSource(client, spec(index), page_size=2)
        found = [(d.host, d.message) for d in read(source)]
        assert found == [(f"h{i}", f"at {i}") for i in range(5)]

    def test_undated_documents_are_problems(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """Placed by ingestion, but without a time of their own."""
        index = f"{prefix}a"
        ingested = {"event": {"ingested": at(5).isoformat()}}
        undated = {"message": "when?", "session": "s1"} | ingested
        put(es, index, [line(0) | ingested, undated], None)
        source = LogSource(client, spec(index))
        [page] = list(source.pages(None, FAR))
        assert ids(page.documents) == ["00000"]
        [problem] = page.problems
        assert (problem.doc_id, problem.index) == ("00001", index)
        assert "when?" in problem.document
        assert source.counts.bad_time == 1


class TestCheck:
    def test_a_missing_index(self, client: Elasticsearch, prefix: str) -> None:
        source = LogSource(client, spec(f"{prefix}none"), retry=IMPATIENT)
        with pytest.raises(IndexMissing, match=f"{prefix}none") as caught:
            source.check()
        assert "\n" not in str(caught.value)

    def test_a_wildcard_that_matches_nothing(
        self, client: Elasticsearch, prefix: str
    ) -> None:
        source = LogSource(client, spec(f"{prefix}none-*"), retry=IMPATIENT)
        with pytest.raises(IndexMissing, match="no index matches"):
            source.check()

    def test_a_wildcard_that_matches_nothing_any_more(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """Gone after the check: nothing to read, and no error."""
        put(es, f"{prefix}a", [line(0)])
        named = LogSource(client, spec(f"{prefix}a"), retry=IMPATIENT)
        pattern = LogSource(client, spec(f"{prefix}*"), retry=IMPATIENT)
        named.check()
        pattern.check()
        es.indices.delete(index=f"{prefix}a")
        assert read(pattern) == []
        with pytest.raises(IndexMissing, match=f"{prefix}a"):
            read(named)

    def test_every_missing_field_is_named(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(0)])
        wrong = spec(
            f"{prefix}a",
            time_field="when",
            sequence_field="nr",
            session=SessionRule(field="trace.id"),
        )
        with pytest.raises(FieldMissing) as caught:
            LogSource(client, wrong).check()
        assert caught.value.fields == ("when", "nr", "trace.id")
        for named in ("when (time_field)", "nr (sequence_field)", "trace.id (session)"):
            assert named in str(caught.value)

    def test_no_text_at_all(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        textless = {"@timestamp": "2026-11-22", "session": "s", "n": 1}
        put(es, f"{prefix}a", [textless], None)
        with pytest.raises(FieldMissing, match=r"message \(message_field\)"):
            LogSource(client, spec(f"{prefix}a")).check()

    def test_a_time_field_that_is_no_date(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(0)])
        with pytest.raises(FieldUnfit, match=r"session is mapped as keyword"):
            LogSource(client, spec(f"{prefix}a", time_field="session")).check()

    def test_what_it_reports(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(0, host={"name": "h"})])
        put(es, f"{prefix}b", [{"@timestamp": "2026-11-22", "message": "x"}], None)
        report = LogSource(client, spec(f"{prefix}*")).check()
        assert (report.indices, report.empty) == (2, False)
        assert report.cursor_field == "@timestamp"
        types = {field.role: field.types for field in report.fields}
        assert types["message"] == ("text",)
        assert types["session"] == ("keyword",)
        assert types["severity"] == ()
        assert any("log.level" in warning for warning in report.warnings)
        assert any("session" in warning for warning in report.warnings)

    def test_an_empty_index_is_not_blamed_for_its_fields(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        es.indices.create(index=f"{prefix}a")
        source = LogSource(client, spec(f"{prefix}a"))
        assert source.check().empty
        assert read(source) == []


class TestOwnOutput:
    def test_is_never_read(
        self, es: Elasticsearch, client: Elasticsearch, namespace: str, prefix: str
    ) -> None:
        """Neither under a wildcard, nor through an alias, nor by backing index."""
        put(es, f"{prefix}a", [line(0, message="theirs")])
        ours = line(0, message="ours")
        es.create(index=f"logs-elkwatch.anomaly-{namespace}", id="1", document=ours)
        for index in (f"elkwatch-cursors-{namespace}", f"elkwatch-x-{namespace}"):
            es.index(index=index, document=ours)
            es.indices.put_alias(index=index, name=f"{prefix}alias")
        es.indices.refresh(index=f"*{namespace}*", expand_wildcards="all")
        patterns = [f"*{namespace}*", f"{prefix}*", f".ds-*{namespace}*,{prefix}*"]
        patterns.append(f"{prefix}a,{prefix}alias")
        for pattern in patterns:
            messages = {d.message for d in read(LogSource(client, spec(pattern)))}
            assert messages == {"theirs"}, pattern

    @pytest.mark.parametrize(
        "index",
        [
            "logs-elkwatch.anomaly-default",
            "logs-elkwatch.*",
            "logs-*,elkwatch-cursors-default",
            ".ds-metrics-elkwatch.run-default-2026.11.22-000001",
            "remote:logs-elkwatch.anomaly-default",
        ],
    )
    def test_is_refused_by_name(self, client: Elasticsearch, index: str) -> None:
        with pytest.raises(OwnOutputRefused, match="elkwatch itself writes"):
            LogSource(client, spec(index))

    def test_the_only_match_of_a_pattern_is_no_match(
        self, es: Elasticsearch, client: Elasticsearch, namespace: str
    ) -> None:
        es.index(index=f"elkwatch-cursors-{namespace}", document=line(0), refresh=True)
        with pytest.raises(IndexMissing):
            LogSource(client, spec(f"*cursors-{namespace}*")).check()


class _PitWatcher:
    """A client that remembers the points in time it opened, to lose them."""

    def __init__(self, client: Elasticsearch) -> None:
        self.client = client.options()
        self.opened: list[str] = []
        self._open: Callable[..., Any] = self.client.open_point_in_time
        self.client.open_point_in_time = self._opening  # type: ignore[method-assign]

    def lose_all(self) -> None:
        for pit_id in self.opened:
            try:
                self.client.close_point_in_time(id=pit_id)
            except NotFoundError:
                continue

    def _opening(self, **options: Any) -> Any:
        answer = self._open(**options)
        self.opened.append(answer["id"])
        return answer
