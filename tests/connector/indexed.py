"""Log documents in a real Elasticsearch, and the source that describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from elasticsearch import Elasticsearch

from connector import LogDocument, LogSource, RetryPolicy, SessionRule, SourceSpec
from tests.connector.samples import at

FAR = datetime(2100, 1, 1, tzinfo=UTC)
IMPATIENT = RetryPolicy(attempts=3, sleep=lambda _: None)

MAPPINGS = {
    "dynamic_templates": [
        {
            "texts": {
                "match_mapping_type": "string",
                "mapping": {"type": "keyword", "ignore_above": 1024},
            }
        }
    ],
    "properties": {
        "@timestamp": {"type": "date"},
        "message": {"type": "text"},
        "session": {"type": "keyword"},
    },
}


def spec(index: str, **changes: Any) -> SourceSpec:
    """Source db of this index, with sessions by the field `session`."""
    values: dict[str, Any] = {"session": SessionRule(field="session")} | changes
    return SourceSpec("db", index, **values)


def put(
    es: Elasticsearch,
    index: str,
    documents: Sequence[Mapping[str, Any]],
    mappings: Mapping[str, Any] | None = MAPPINGS,
) -> None:
    """Index documents, at once to be found; ids count up from 00000."""
    if not es.indices.exists(index=index):
        es.indices.create(index=index, mappings=mappings)
    first = es.count(index=index)["count"]
    operations: list[Mapping[str, Any]] = []
    for number, document in enumerate(documents, first):
        operations += [{"index": {"_id": f"{number:05d}"}}, document]
    answer = es.bulk(index=index, operations=operations, refresh=True)
    assert not answer["errors"], answer


def line(second: float, **more: Any) -> dict[str, Any]:
    """A log document so many seconds after noon."""
    text = {"@timestamp": at(second).isoformat(), "message": f"at {second}"}
    return text | {"session": "s1"} | more


def read(source: LogSource, start: datetime | None = None) -> list[LogDocument]:
    """All documents of all pages from `start` on."""
    return [d for page in source.pages(start, FAR) for d in page.documents]


def ids(documents: Sequence[LogDocument]) -> list[str]:
    """Which documents these are, in order."""
    return [document.doc_id for document in documents]


def open_contexts(es: Elasticsearch) -> int:
    """How many searches the engine holds open."""
    stats = es.nodes.stats(metric="indices", index_metric="search")
    return sum(
        node["indices"]["search"]["open_contexts"] for node in stats["nodes"].values()
    )
