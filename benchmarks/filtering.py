"""Who filters documents: the engine leaves out fields, or sends documents whole.

    python -m benchmarks.filtering [--documents 60000] [--out rows.json]

The anchor asks for the fields that are looked at; ours for whole documents. Both read
the same point in time to its end, in pages of 2,000, into typed documents, as the
connector does. The documents are the demo's, as they are and with what shippers add
(agent, cloud, host, Kubernetes). By the wall's clock. This is what
`connector/filtering.py` tries on the first pages of a source; here with the engine on
the same machine, so that a network costs nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from benchmarks.frame import Case, Row, Work, compare, results, table, write
from benchmarks.stack import (
    AGO,
    SEQUENCE_FIELD,
    Document,
    Pool,
    Stack,
    ending_at,
    make_index,
    ship,
    stack,
)
from connector import Decoder, SessionRule, SourceSpec
from connector.client import ClientConfig, connect
from connector.decoded_fields import needed_fields
from connector.filtering import Filtering
from connector.pit import PageSize, PitReader, Search
from connector.retrying import RetryPolicy
from elkwatch.demo.logs import SESSION_FIELD

DOCUMENTS = 60_000
PAGE = 2000
ANCHOR = "the engine filters"
SPEC = SourceSpec(
    "db",
    "logs",
    session=SessionRule(field=SESSION_FIELD),
    sequence_field=SEQUENCE_FIELD,
)
ADDED = {
    "agent": {
        "id": "3f9c4b1e-7a52-4f0e-9d34-2f1c6a8b7e11",
        "type": "filebeat",
        "version": "8.19.0",
        "ephemeral_id": "c3ab8ff1-3720-4e8b-9d5a-5c1b7f1b2a33",
    },
    "ecs": {"version": "8.11.0"},
    "event": {"dataset": "postgresql.log", "module": "postgresql", "kind": "event"},
    "cloud": {
        "provider": "aws",
        "region": "eu-central-1",
        "availability_zone": "eu-central-1a",
        "account": {"id": "123456789012"},
        "instance": {"id": "i-0abcdef1234567890"},
        "machine": {"type": "m5.xlarge"},
    },
    "kubernetes": {
        "namespace": "shop",
        "pod": {"name": "shop-db-0", "uid": "1b4e28ba-2fa1-11d2-883f-0016d3cca427"},
        "node": {"name": "worker-3", "labels": {"os": "linux", "arch": "amd64"}},
        "labels": {"app": "shop-db", "release": "shop", "tier": "database"},
    },
    "os": {
        "platform": "ubuntu",
        "version": "22.04.4 LTS (Jammy Jellyfish)",
        "kernel": "5.15.0-105-generic",
        "ip": ["10.20.30.40", "fe80::5054:ff:fe12:3456"],
    },
}


def rows(on: Stack, *, documents: int = DOCUMENTS, runs: int = 5) -> Iterator[Row]:
    """One row a size of documents."""
    logs = Pool.of(on.bundle).documents(documents, 0.05)
    logs = ending_at(logs, datetime.now(UTC) - AGO)
    for name, added in (("small", {}), ("larger", ADDED)):
        index = f"bench-{name}-{datetime.now(UTC):%H%M%S%f}"
        make_index(on.client, index)
        shipped = ship(on.client, index, ({**added, **log} for log in logs))
        on.client.indices.forcemerge(index=index, max_num_segments=1)
        size = _bytes_each({**added, **log} for log in logs[:PAGE])
        try:
            yield compare(
                Case(
                    f"whole documents of {size} bytes",
                    "documents",
                    shipped,
                    ANCHOR,
                    0,
                    1,
                    clock="wall",
                    runs=runs,
                    warm_ups=3,
                ),
                anchor=partial(_reading, on, index, whole=False),
                ours=partial(_reading, on, index, whole=True),
            )
        finally:
            on.client.indices.delete(index=index)


def _bytes_each(logs: Iterable[Document]) -> int:
    sizes = [len(orjson.dumps(log)) for log in logs]
    return round(sum(sizes) / len(sizes))


def _reading(on: Stack, index: str, *, whole: bool) -> Work:
    """Reads the index to its end."""
    typed = Decoder(SPEC).document_type
    assert typed is not None  # plain names
    search = Search(index, list[Any], "@timestamp", False, needed_fields(SPEC))
    filtering = Filtering.decided_for(whole=whole)
    client = connect(ClientConfig((on.url,)))

    def work() -> None:
        pages = PitReader(
            client,
            search,
            size=PageSize(PAGE),
            retry=RetryPolicy(),
            doing=f"reading {index}",
            typed=typed,
            filtering=filtering,
        )
        for _ in pages:
            pass
        client.close()

    return work


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bundle", type=Path, help="a model of the demo's logs")
    parser.add_argument("--out", type=Path, help="write the rows here, as JSON")
    chosen = parser.parse_args()
    with stack(None, chosen.bundle) as on:
        measured = list(rows(on, documents=chosen.documents, runs=chosen.runs))
    print(table(measured))
    for row in measured:
        saved = 1 / row.anchor_per_s - 1 / row.ours_per_s
        print(f"{row.name}: {saved * 1e6:.1f} µs less for a document")
    if chosen.out is not None:
        write(results(measured), chosen.out)


if __name__ == "__main__":
    main()
