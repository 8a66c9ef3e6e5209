"""The demo's logs: a real PostgreSQL server's, moved to just before now.

The last line is put right before now − query_delay − session_timeout, so that every
session is over when the first run looks.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch, helpers

SESSION_FIELD = "postgresql.log.session_id"
STREAM = "logs-postgresql.log-demo"
_MARGIN = timedelta(seconds=5)


def demo_file(name: str) -> Path:
    """A log file of the package: normal, incidents or live."""
    return Path(str(resources.files("elkwatch.demo") / f"{name}.ndjson.gz"))


def shifted(now: datetime, margin: timedelta) -> list[dict[str, Any]]:
    """The live logs, their last line `margin` before now."""
    documents = list(_read(demo_file("live")))
    last = max(_time(document) for document in documents)
    move = now - margin - _MARGIN - last
    for document in documents:
        moved = _time(document) + move
        document["@timestamp"] = moved.astimezone(UTC).isoformat(
            timespec="milliseconds"
        )
    return documents


def write_ndjson(documents: list[dict[str, Any]], path: Path) -> None:
    """The documents as a file, for the file commands."""
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        for document in documents:
            stream.write(json.dumps(document) + "\n")


def ship(client: Elasticsearch, documents: list[dict[str, Any]]) -> int:
    """Indexes the documents as a shipper would; → how many."""
    actions = (
        {"_op_type": "create", "_index": STREAM, **document} for document in documents
    )
    count, _ = helpers.bulk(client, actions, chunk_size=2000)
    client.indices.refresh(index=STREAM)
    return count


def install_log_template(client: Elasticsearch) -> None:
    """What an integration would have installed: a data stream with typed fields."""
    keyword = {"type": "keyword", "ignore_above": 1024}
    client.indices.put_index_template(
        name="elkwatch-demo-postgresql",
        index_patterns=[STREAM],
        priority=500,
        data_stream={},
        template={
            "settings": {"number_of_replicas": 0},
            "mappings": {
                "dynamic_templates": [
                    {"texts": {"match_mapping_type": "string", "mapping": keyword}}
                ],
                "properties": {
                    "@timestamp": {"type": "date"},
                    "message": {"type": "text"},
                },
            },
        },
    )


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def _time(document: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(document["@timestamp"])
