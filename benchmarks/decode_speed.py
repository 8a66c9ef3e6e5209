"""Speed from pages of documents to bulk bodies: ours against json + drain3 + json.

    python -m benchmarks.decode_speed DATA [--out rows.json]

DATA holds hdfs/ and postgresql/. Pages of PAGE real documents are recorded in memory as
the bytes that Elasticsearch answers our requests with (the fields a source asks for);
both sides get the same bytes and make of each document the same line of a bulk body.
The anchor is what a script does: `json.loads` of the page, drain3 line by line with the
same masks (it has learned the first WARM lines), `json.dumps` of each action and
document. Ours is the product's: typed documents, decoded records, event ids by frozen
templates, bodies of orjson pieces as `BulkWriter` sends them. Before anything is timed
both must have read the same messages, times and keys, and made the same bodies of them
(but for the event ids, which each counts in its own way).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from benchmarks.frame import Case, Row, Work, compare, run
from benchmarks.plain_drain3 import plain_drain3
from connector import Decoder, LogDocument, SessionRule, SourceSpec, needed_fields
from connector.bulk import BulkItem, item_lines
from connector.fieldpaths import compile_path
from connector.hits import Hit
from connector.timestamps import from_sort_values, read_time, to_iso
from model import FrozenTemplates, TemplateMiner

PAGE = 2000
TIMED = 20_000
ANCHORED = 6_000
WARM = 2_000
STREAM = "logs-elkwatch.anomaly-default"
ANCHOR = "json + drain3 line by line + json"
BLOCK = r"(blk_-?\d+)"
SESSION_ID = "postgresql.log.session_id"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is read: a source, its pages as bytes, the script's way to the key."""

    spec: SourceSpec
    pages: Sequence[bytes]
    lines: Sequence[str]

    def script_key(self, source: dict[str, Any]) -> str | None:
        """The session key of a document, as a script would get it."""
        if self.spec.session.pattern:
            match = re.search(self.spec.session.pattern, source["message"])
            return match[1] if match else None
        key: str = source["postgresql"]["log"]["session_id"]
        return key


def record(path: Path, session: SessionRule) -> Recorded:
    """The first documents of a file as pages."""
    spec = SourceSpec("bench", "logs-*", session=session)
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        documents = [json.loads(line) for line in islice(stream, TIMED)]
    lines = [document["message"] for document in documents]
    asked = [_asked_for(document, spec) for document in documents]
    pages = [_page(asked[at : at + PAGE], at) for at in range(0, len(asked), PAGE)]
    return Recorded(spec, pages, lines)


def _asked_for(document: dict[str, Any], spec: SourceSpec) -> dict[str, Any]:
    """What `_source.includes` leaves of a document."""
    result: dict[str, Any] = {}
    for path in needed_fields(spec):
        value = compile_path(path)(document)
        if value is not None:
            *heads, last = path.split(".")
            place = result
            for head in heads:
                place = place.setdefault(head, {})
            place[last] = value
    return result


def _page(documents: Sequence[dict[str, Any]], at: int) -> bytes:
    hits = [
        {
            "_index": ".ds-logs-bench-default-2026.11.22-000001",
            "_id": f"{at + place:020x}",
            "_score": None,
            "_source": document,
            "sort": [
                int(datetime.fromisoformat(document["@timestamp"]).timestamp() * 1000),
                at + place,
            ],
        }
        for place, document in enumerate(documents)
    ]
    answer = {
        "pit_id": "x" * 200,
        "took": 5,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {"max_score": None, "hits": hits},
    }
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()


def result(key: str | None, time: str, event: int, doc_id: str) -> dict[str, Any]:
    """The document that is written of each one read."""
    return {
        "@timestamp": time,
        "elkwatch": {"session": {"id": key}, "event": event},
        "event": {"id": doc_id, "kind": "event", "module": "elkwatch"},
    }


def script(recorded: Recorded, bodies: list[bytes] | None = None) -> Work:
    """The anchor, ready to run over the first ANCHORED documents."""
    miner = plain_drain3()
    for line in recorded.lines[:WARM]:
        miner.add_log_message(line)
    pages = recorded.pages[: ANCHORED // PAGE]
    made = [] if bodies is None else bodies

    def work() -> None:
        for page in pages:
            body: list[str] = []
            for hit in json.loads(page)["hits"]["hits"]:
                source = hit["_source"]
                event = miner.add_log_message(source["message"])["cluster_id"]
                key, time = recorded.script_key(source), source["@timestamp"]
                action = {"create": {"_index": STREAM, "_id": hit["_id"]}}
                body.append(json.dumps(action))
                body.append(json.dumps(result(key, time, event, hit["_id"])))
            made.append("\n".join([*body, ""]).encode())

    return work


def ours(
    recorded: Recorded,
    templates: FrozenTemplates,
    bodies: list[bytes] | None = None,
) -> Work:
    """The product's way over all documents."""
    decoder = Decoder(recorded.spec)
    made = [] if bodies is None else bodies

    def work() -> None:
        for documents in decoded(decoder, recorded.pages):
            events = templates.match_all([d.message for d in documents])
            body: list[bytes] = []
            for document, event in zip(documents, events, strict=True):
                content = result(
                    document.key, to_iso(document.time), event, document.doc_id
                )
                body += item_lines(BulkItem("create", STREAM, document.doc_id, content))
            made.append(b"\n".join([*body, b""]))

    return work


def decoded(decoder: Decoder, pages: Sequence[bytes]) -> Iterator[list[LogDocument]]:
    """Pages → records, as SourceReader makes them."""
    from_sort = from_sort_values(nanos=False)

    def places(hits: Sequence[Hit[Any]]) -> list[datetime]:
        return from_sort([hit.sort[0] for hit in hits])

    for page in pages:
        assert decoder.document_type is not None  # plain names
        hits = decoder.document_type.read(page).hits.hits
        yield decoder.decode_hits(hits, places, by_time=True)[0]


def check_same(recorded: Recorded) -> None:
    """Raises SystemExit where script and product read something else."""
    documents = decoded(Decoder(recorded.spec), recorded.pages)
    mine = [(d.message, d.time, d.key, d.doc_id) for page in documents for d in page]
    theirs = [
        (
            hit["_source"]["message"],
            read_time(hit["_source"]["@timestamp"]),
            recorded.script_key(hit["_source"]),
            hit["_id"],
        )
        for page in recorded.pages
        for hit in orjson.loads(page)["hits"]["hits"]
    ]
    if mine != theirs:
        raise SystemExit("decode: not the same documents; nothing is timed")


def check_same_bodies(recorded: Recorded, templates: FrozenTemplates) -> None:
    """Raises SystemExit where the two would write something else."""
    theirs: list[bytes] = []
    mine: list[bytes] = []
    script(recorded, theirs)()
    ours(recorded, templates, mine)()
    for one, other in zip(theirs, mine, strict=False):
        if _without_events(one) != _without_events(other):
            raise SystemExit("decode: not the same bodies; nothing is timed")


def _without_events(body: bytes) -> list[Any]:
    lines = [json.loads(line) for line in body.splitlines()]
    for line in lines:
        if "elkwatch" in line:
            line["@timestamp"] = read_time(line["@timestamp"])
            del line["elkwatch"]["event"]
    return lines


def rows(data: Path) -> list[Row]:
    """HDFS, whose key is found in the message, and PostgreSQL, where it is a field."""
    measured = []
    for name, path, session in (
        ("HDFS", "hdfs/hdfs.ndjson.gz", SessionRule(pattern=BLOCK)),
        ("PostgreSQL", "postgresql/test.ndjson.gz", SessionRule(field=SESSION_ID)),
    ):
        recorded = record(data / path, session)
        check_same(recorded)
        measured.append(_row(f"decode + ids + bulk body, {name}", recorded))
    return measured


def _row(name: str, recorded: Recorded) -> Row:
    miner = TemplateMiner()
    miner.learn_all(recorded.lines[: TIMED // 2])
    templates = miner.freeze()
    check_same_bodies(recorded, templates)
    case = Case(name, "documents", TIMED, ANCHOR, 8, 12, anchor_count=ANCHORED)
    return compare(
        case,
        anchor=lambda: script(recorded),
        ours=lambda: ours(recorded, templates),
    )


if __name__ == "__main__":
    run(rows, __doc__)
