"""The whole path: `run --once` on a backlog, against a bare loop on the same engine.

    python -m benchmarks.whole_path [--documents 200000] [--out rows.json]

The anchor is a simple script: the client as it comes, with `json`. It reads the same
documents from a point in time, in pages of the same size (2,000; ours begins with
smaller ones); after them it bulk-writes as many documents as we wrote findings, our
very findings under other ids, encoded before the clock runs. It makes no records,
scores, confirms and remembers nothing, and does not wait until what it wrote is
searchable. There are two of it: one asks for the fields that are needed, the other for
whole documents, as ours does with these logs, since it finds that to be faster
(`connector/filtering.py`). Ours is the service itself: read, classify, confirm (each
suspicious session is read again), findings, episodes, cursor, run figures. Only loading
the model and connecting stand before the clock. Both run in turns, by the wall's clock.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from elasticsearch import Elasticsearch

from benchmarks.frame import Case, Row, Work, compare, results, table, write
from benchmarks.stack import (
    AGO,
    CREATE,
    Pool,
    Stack,
    ending_at,
    make_index,
    ship,
    stack,
)
from connector import stream_name
from connector.decoded_fields import needed_fields
from elkwatch.clock import Clock, SystemClock
from elkwatch.compose import Parts
from elkwatch.rounds import Tick
from elkwatch.service import Service

DOCUMENTS = 200_000
PAGE = 2000
BATCH = 500
WARM_UPS = 3  # the engine's compiler: a third run of ours still costs it a third more
SHARES = (0.01, 0.20)
ANCHORS = {
    "whole documents": "bare loop: the same pages, whole; as many findings written",
    "needed fields": "bare loop: the same pages, filtered; as many findings written",
}


def rows(
    on: Stack,
    *,
    documents: int = DOCUMENTS,
    runs: int = 5,
    shares: Sequence[float] = SHARES,
) -> list[Row]:
    """For each share of anomalous sessions a row against each anchor."""
    pool = Pool.of(on.bundle)
    return [row for share in shares for row in _rows(on, pool, documents, share, runs)]


def _rows(on: Stack, pool: Pool, count: int, share: float, runs: int) -> Iterator[Row]:
    index = f"bench-logs-{round(100 * share)}-{datetime.now(UTC):%H%M%S%f}"
    make_index(on.client, index)
    documents = pool.documents(count, share)
    shipped = ship(on.client, index, ending_at(documents, datetime.now(UTC) - AGO))
    on.client.indices.forcemerge(index=index, max_num_segments=1)
    try:
        findings = _findings_of_a_run(on, index, shipped)
        print(f"{share:.0%} anomalous: {shipped} documents, {len(findings)} findings")
        for asked, anchor in ANCHORS.items():
            yield compare(
                Case(
                    f"whole path, {share:.0%} anomalous, {asked}",
                    "documents",
                    shipped,
                    anchor,
                    0.8,
                    0.9,
                    clock="wall",
                    runs=runs,
                    warm_ups=WARM_UPS,
                ),
                anchor=partial(bare_loop, on, index, findings, whole="whole" in asked),
                ours=partial(_ours, on, index, shipped),
            )
    finally:
        on.client.indices.delete(index=index)
        on.clear()


def _ours(on: Stack, index: str, expected: int) -> Work:
    clock = SystemClock()
    parts = on.parts(index, on.namespace(), clock)

    def work() -> None:
        run_once(parts, clock, expected)

    return work


def run_once(parts: Parts, clock: Clock, expected: int) -> Tick:
    """One `run --once`. Raises SystemExit where it did not read all there is."""
    try:
        tick = Service(parts, clock).once()
    finally:
        parts.client.close()
    (source,) = tick.sources
    if source.failure or source.counts.documents != expected:
        raise SystemExit(f"whole path: {source.failure or source.counts}")
    return tick


def _findings_of_a_run(on: Stack, index: str, expected: int) -> list[bytes]:
    """What one run writes, as it stands in its data stream, encoded."""
    clock = SystemClock()
    namespace = on.namespace()
    run_once(on.parts(index, namespace, clock), clock, expected)
    stream = stream_name(namespace)
    on.client.indices.refresh(index=stream)
    return [
        orjson.dumps(hit["_source"])
        for hit in _all(on.client, stream)
        if hit["_source"]["elkwatch"]["source"] != "before"
    ]


def _all(client: Elasticsearch, index: str) -> list[Any]:
    found: list[Any] = []
    after = None
    while True:
        more: dict[str, Any] = {} if after is None else {"search_after": after}
        hits = client.search(
            index=index,
            size=PAGE,
            sort=[{"event.id": "asc"}],
            **more,
        )["hits"]["hits"]
        if not hits:
            return found
        found += hits
        after = hits[-1]["sort"]


def bare_loop(on: Stack, index: str, findings: Sequence[bytes], *, whole: bool) -> Work:
    """Reads all pages, then writes all findings; nothing else."""
    namespace = on.namespace()
    stream = stream_name(namespace)
    parts = on.parts(index, namespace, SystemClock())
    source = parts.sources[0].reading.source
    needed = dict.fromkeys((*needed_fields(source.spec), source.cursor_field))
    parts.client.close()
    client = Elasticsearch(on.url, request_timeout=60)

    def work() -> None:
        read_all(client, index, None if whole else needed)
        for at in range(0, len(findings), BATCH):
            lines: list[Any] = [
                line
                for document in findings[at : at + BATCH]
                for line in (CREATE, document)
            ]
            answer = client.bulk(index=stream, operations=lines)
            assert not answer["errors"]
        client.close()

    return work


def read_all(client: Elasticsearch, index: str, fields: Iterable[str] | None) -> int:
    """Every document of the index, page by page, with these fields of it or all.

    → how many.
    """
    filtered: dict[str, Any] = {}
    if fields is not None:
        filtered["source"] = {"includes": list(fields)}
    pit = client.open_point_in_time(index=index, keep_alive="2m")["id"]
    count, after = 0, None
    while True:
        answer = client.search(
            pit={"id": pit, "keep_alive": "2m"},
            sort=[{"@timestamp": "asc"}, {"_shard_doc": "asc"}],
            size=PAGE,
            track_total_hits=False,
            search_after=after,
            **filtered,
        )
        hits = answer["hits"]["hits"]
        count += len(hits)
        if len(hits) < PAGE:
            break
        after = hits[-1]["sort"]
    client.close_point_in_time(id=pit)
    return count


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--share", type=float, action="append")
    parser.add_argument("--url", help="an Elasticsearch that runs already")
    parser.add_argument("--bundle", type=Path, help="a model of the demo's logs")
    parser.add_argument("--out", type=Path, help="write the rows here, as JSON")
    chosen = parser.parse_args()
    with stack(chosen.url, chosen.bundle) as on:
        measured = rows(
            on,
            documents=chosen.documents,
            runs=chosen.runs,
            shares=chosen.share or SHARES,
        )
    print(table(measured))
    if chosen.out is not None:
        write(results(measured), chosen.out)


if __name__ == "__main__":
    main()
