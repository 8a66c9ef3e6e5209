"""Two workers against one: read, decode, event ids and scores of key ranges.

    python -m benchmarks.workers [--documents 200000] [--out rows.json]

*Recorded pages*: the source is pages recorded to disk as Elasticsearch answers them,
four key ranges of whole sessions; *the engine is left out*, so that only our own work
is measured. *With the engine*: ranges read from an engine of the benchmark's own, of
up to ENGINE_DOCUMENTS documents, as `classify --from-es --workers` reads them; nothing
is promised of it, since the engine works on the same cores.

Both sides run the same function over the same ranges in spawned processes that have
loaded the model, on one thread each; both give the same scores. By the wall's clock:
what two workers gain depends on how many cores are free.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks.frame import Case, Row, Work, compare, results, table, times, write
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
    time_of,
    trained,
)
from connector import Decoder, KeyRange, LogSource, SessionRule, SourceSpec
from connector.client import ClientConfig, connect
from elkwatch.demo.logs import SESSION_FIELD
from elkwatch.engine import EngineUnavailableError
from elkwatch.file_parts import ModelChoice
from elkwatch.translate import log_event
from elkwatch.workers import Workers
from model import Classifier, LogEvent, group_sessions
from model.vocabulary import encode

DOCUMENTS = 200_000
ENGINE_DOCUMENTS = 100_000
PAGE = 2000
RANGES = 4
SPEC = SourceSpec(
    name="recorded",
    index="recorded",
    session=SessionRule(field=SESSION_FIELD),
    sequence_field=SEQUENCE_FIELD,
)

Scores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The pages of one key range, one answer a line."""

    path: Path


@dataclass(frozen=True, slots=True)
class InEngine:
    """One key range of an index."""

    url: str
    index: str
    within: KeyRange
    until: datetime


Part = Recorded | InEngine


def scores_of(classifier: Classifier, part: Part) -> Scores:
    """The score of every session of a key range."""
    if isinstance(part, InEngine):
        sessions = group_sessions(_read(part))
    else:
        sessions = group_sessions(_events(part, Decoder(SPEC)))
    encoded = encode(sessions, classifier.model.templates)
    scores = classifier.score(encoded)
    return {s.key: score for s, score in zip(sessions, scores, strict=True)}


def cpu_of(classifier: Classifier, part: Part) -> tuple[Scores, int, float]:
    """Scores, and which process spent how many seconds of its CPU time on them."""
    began = time.process_time()
    scores = scores_of(classifier, part)
    return scores, os.getpid(), time.process_time() - began


def record(documents: Sequence[Document], folder: Path) -> list[Recorded]:
    """The documents as pages on disk, by ranges of the session key."""
    keys = sorted({_key(document) for document in documents})
    bounds = [keys[len(keys) * n // RANGES] for n in range(1, RANGES)]
    shares: list[list[Document]] = [[] for _ in range(RANGES)]
    for document in documents:
        shares[sum(_key(document) >= bound for bound in bounds)].append(document)
    return [_recorded(share, folder / f"{n}.pages") for n, share in enumerate(shares)]


def rows(bundle: Path, *, documents: int = DOCUMENTS, runs: int = 5) -> list[Row]:
    """One row: the ranges one after the other, against two at a time."""
    taken = Pool.of(bundle).documents(documents, 0.01)
    case = Case(
        "two workers, recorded pages",
        "documents",
        len(taken),
        "one worker; decode + ids + scores, engine left out",
        1.6,
        1.9,
        clock="wall",
        runs=runs,
    )
    with TemporaryDirectory(prefix="elkwatch-bench-") as folder:
        return [_row(case, bundle, record(taken, Path(folder)))]


def engine_rows(on: Stack, *, documents: int, runs: int = 5) -> list[Row]:
    """One row: the same with the ranges of an engine."""
    index = f"bench-ranges-{datetime.now(UTC):%H%M%S%f}"
    make_index(on.client, index)
    taken = Pool.of(on.bundle).documents(documents, 0.01)
    until = datetime.now(UTC)
    shipped = ship(on.client, index, ending_at(taken, until - AGO))
    on.client.indices.forcemerge(index=index, max_num_segments=1)
    case = Case(
        "two workers, with the engine",
        "documents",
        shipped,
        "one worker; read + decode + ids + scores",
        0,
        1,
        clock="wall",
        runs=runs,
    )
    try:
        source = LogSource(on.client, replace(SPEC, index=index))
        ranges = source.key_ranges(RANGES, None, until).ranges
        parts = [InEngine(on.url, index, within, until) for within in ranges]
        return [_row(case, on.bundle, parts)]
    finally:
        on.client.indices.delete(index=index)


def _row(case: Case, bundle: Path, parts: Sequence[Part]) -> Row:
    with Workers(2, ModelChoice(bundle, "cpu", None, "en", ())) as workers:
        check_same(workers, parts)
        return compare(
            case,
            anchor=lambda: _one_after_the_other(workers, parts),
            ours=lambda: _together(workers, parts),
        )


def check_same(workers: Workers[Classifier], parts: Sequence[Part]) -> None:
    """Raises SystemExit where the number of workers changes a score.

    Prints what two free cores would give: all CPU time by that of the busier worker.
    """
    workers.map(scores_of, parts)
    done = workers.map(cpu_of, parts)
    spent: dict[int, float] = defaultdict(float)
    for _, worker, seconds in done:
        spent[worker] += seconds
    alone = [workers.map(scores_of, [part])[0] for part in parts]
    total, busier = sum(spent.values()), max(spent.values())
    print(
        f"{sum(len(scores) for scores, _, _ in done)} sessions; {os.cpu_count()} cores;"
        f" CPU time {total:.1f} s, of the busier worker {busier:.1f} s: "
        f"{times(total / busier)} on two free cores"
    )
    if [scores for scores, _, _ in done] != alone:
        raise SystemExit("workers: other scores with two than with one")


def _together(workers: Workers[Classifier], parts: Sequence[Part]) -> Work:
    return lambda: workers.map(scores_of, parts)


def _one_after_the_other(workers: Workers[Classifier], parts: Sequence[Part]) -> Work:
    def work() -> None:
        for part in parts:
            workers.map(scores_of, [part])

    return work


def _events(part: Recorded, decoder: Decoder) -> Iterator[LogEvent]:
    with part.path.open("rb") as stream:
        for line in stream:
            found, _ = decoder.decode_many(orjson.loads(line)["hits"]["hits"])
            yield from map(log_event, found)


def _read(part: InEngine) -> Iterator[LogEvent]:
    with connect(ClientConfig((part.url,))) as client:
        source = LogSource(client, replace(SPEC, index=part.index))
        for page in source.pages_of(part.within, None, part.until):
            yield from map(log_event, page.documents)


def _recorded(documents: Sequence[Document], path: Path) -> Recorded:
    rest, number = iter(documents), 0
    with path.open("wb") as stream:
        while page := list(islice(rest, PAGE)):
            hits = []
            for document in page:
                hits.append(_hit(document, number))
                number += 1
            stream.write(orjson.dumps({"hits": {"hits": hits}}) + b"\n")
    return Recorded(path)


def _hit(document: Document, number: int) -> dict[str, Any]:
    return {
        "_index": "logs-postgresql.log-default",
        "_id": f"{number:020x}",
        "_score": None,
        "_source": document,
        "sort": [int(time_of(document).timestamp() * 1000), number],
    }


def _key(document: Document) -> str:
    key: str = document["postgresql"]["log"]["session_id"]
    return key


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--url", help="an Elasticsearch that runs already")
    parser.add_argument("--bundle", type=Path, help="a model of the demo's logs")
    parser.add_argument("--out", type=Path, help="write the rows here, as JSON")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="elkwatch-bench-") as folder:
        bundle = chosen.bundle or trained(Path(folder) / "model")
        measured = rows(bundle, documents=chosen.documents, runs=chosen.runs)
        bounded = min(chosen.documents, ENGINE_DOCUMENTS)
        try:
            with stack(chosen.url, bundle) as on:
                measured += engine_rows(on, documents=bounded, runs=chosen.runs)
        except EngineUnavailableError as error:
            print(f"with the engine: left out, {error}")
    print(table(measured))
    if chosen.out is not None:
        write(results(measured), chosen.out)


if __name__ == "__main__":
    main()
