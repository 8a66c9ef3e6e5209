"""Reading documents of every shape out of a real Elasticsearch."""

from __future__ import annotations

from typing import Any

from elasticsearch import Elasticsearch

from connector import LogSource
from tests.connector.indexed import FAR, ids, line, put, read, spec
from tests.connector.samples import at


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
