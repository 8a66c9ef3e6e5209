"""What benchmarks of the whole path stand on: an engine, a model, logs in it.

The logs are the demo's (a real PostgreSQL server's), repeated: whole sessions under new
ids and at later times, so many of them anomalous as asked for. Which of them are is
what the model says, that was trained on the demo's `normal` and `incidents`.
"""

from __future__ import annotations

import gzip
import random
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import yaml
from elasticsearch import Elasticsearch

from connector import install, run_stream_name, state_index, stream_name
from connector.client import ClientConfig, connect
from connector.state import STATE_KINDS
from elkwatch.cli.options import FileOptions
from elkwatch.clock import Clock
from elkwatch.compose import Parts, compose
from elkwatch.config import load_config
from elkwatch.demo.logs import SESSION_FIELD, demo_file
from elkwatch.engine import EngineOptions, start
from elkwatch.log_files import read_sessions
from model import (
    Classifier,
    TrainingConfig,
    choose_device,
    load_bundle,
    save_bundle,
    train,
)
from model.language_model import LanguageModelConfig

SEQUENCE_FIELD = "postgresql.log.session_line_number"
EPOCHS = 4
SHIPPED_AT_ONCE = 2000

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    """An Elasticsearch and a model."""

    client: Elasticsearch
    url: str
    bundle: Path
    folder: Path
    namespaces: list[str] = field(default_factory=list)

    def namespace(self) -> str:
        """A namespace set up, its indices made: the first write of a life is slow."""
        namespace = f"bench{secrets.token_hex(4)}"
        install(self.client, namespace)
        for kind in STATE_KINDS:
            self.client.indices.create(index=state_index(kind, namespace))
        for stream in (stream_name(namespace), run_stream_name(namespace)):
            first = {"@timestamp": "2000-01-01T00:00:00Z", "message": "made"}
            self.client.create(index=stream, id="made", document=first)
        self.namespaces.append(namespace)
        return namespace

    def clear(self) -> None:
        """Deletes what all namespaces hold, as far as this engine can."""
        for namespace in self.namespaces:
            indices = [state_index(kind, namespace) for kind in STATE_KINDS]
            self.client.indices.delete(index=indices, ignore_unavailable=True)
        self.namespaces.clear()

    def parts(self, index: str, namespace: str, clock: Clock, **more: Any) -> Parts:
        """The service's parts for the logs in `index`."""
        path = self.folder / f"{namespace}.yml"
        path.write_text(yaml.safe_dump(self._config(index, namespace, more)), "utf-8")
        return compose(load_config(path, {}), clock, device="cpu")

    def _config(
        self, index: str, namespace: str, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "elasticsearch": {"hosts": [self.url]},
            "namespace": namespace,
            "sources": [
                {
                    "name": "shop-db",
                    "index": index,
                    "session": {"field": SESSION_FIELD},
                    "sequence_field": SEQUENCE_FIELD,
                    "session_timeout": "30s",
                    "start": "earliest",
                    "model": str(self.bundle),
                }
            ],
            **more,
        }


@contextmanager
def stack(url: str | None = None, bundle: Path | None = None) -> Iterator[Stack]:
    """An engine of its own with the compiler on, and a model; or those given."""
    with TemporaryDirectory(prefix="elkwatch-bench-") as name:
        folder = Path(name)
        if bundle is None:
            bundle = _trained(folder / "model")
        if url is not None:
            with connect(ClientConfig((url,))) as client:
                yield Stack(client, url, bundle, folder)
            return
        options = EngineOptions(fast_start=False, heap_mb=1024)
        with (
            start(options) as engine,
            connect(ClientConfig((engine.url,))) as client,
        ):
            yield Stack(client, engine.url, bundle, folder)


@dataclass(frozen=True, slots=True)
class Pool:
    """The demo's sessions as documents, by what the model says of them."""

    normal: Sequence[Sequence[Document]]
    odd: Sequence[Sequence[Document]]
    span: timedelta

    @classmethod
    def of(cls, bundle: Path) -> Pool:
        """The demo's live logs, split."""
        path = demo_file("live")
        options = FileOptions(session_fields=(SESSION_FIELD,))
        verdicts = Classifier(load_bundle(bundle)).classify(
            read_sessions([str(path)], options)
        )
        odd = {v.key for v in verdicts if v.anomaly}
        sessions: dict[str, list[Document]] = {}
        with gzip.open(path, "rb") as stream:
            for line in stream:
                document = orjson.loads(line)
                sessions.setdefault(_key(document), []).append(document)
        times = [time_of(d) for own in sessions.values() for d in own]
        return cls(
            [own for key, own in sessions.items() if key not in odd],
            [own for key, own in sessions.items() if key in odd],
            max(times) - min(times),
        )

    def documents(self, count: int, share: float, seed: int = 0) -> list[Document]:
        """About `count` documents in order of time, this share of sessions odd."""
        rng = random.Random(seed)
        taken: list[Document] = []
        round_number = 0
        while len(taken) < count:
            move = round_number * self.span
            normal = rng.sample(self.normal, k=len(self.normal))
            odd = rng.choices(self.odd, k=round(len(normal) * share / (1 - share)))
            chosen = rng.sample([*normal, *odd], k=len(normal) + len(odd))
            for number, session in enumerate(chosen):
                mark = f"{round_number}-{number}"
                taken += (_moved(document, move, mark) for document in session)
                if len(taken) >= count:
                    break
            round_number += 1
        return sorted(taken, key=time_of)


def ending_at(documents: Sequence[Document], end: datetime) -> list[Document]:
    """Documents in order of time, moved so that the last one is at `end`."""
    move = end - time_of(documents[-1])
    return [_moved(document, move, "") for document in documents]


def time_of(document: Document) -> datetime:
    """The time of a document."""
    return datetime.fromisoformat(document["@timestamp"])


def make_index(client: Elasticsearch, index: str) -> None:
    """An index as a shipper's template would make it."""
    keyword = {"type": "keyword", "ignore_above": 1024}
    client.indices.create(
        index=index,
        settings={"number_of_replicas": 0, "refresh_interval": "1s"},
        mappings={
            "dynamic_templates": [
                {"texts": {"match_mapping_type": "string", "mapping": keyword}}
            ],
            "properties": {
                "@timestamp": {"type": "date"},
                "message": {"type": "text"},
            },
        },
    )


def ship(client: Elasticsearch, index: str, documents: Iterable[Document]) -> int:
    """Indexes the documents; → how many."""
    shipped, rest = 0, iter(documents)
    while page := list(islice(rest, SHIPPED_AT_ONCE)):
        lines = [x for d in page for x in (b'{"create":{}}', orjson.dumps(d))]
        answer = client.bulk(index=index, operations=lines)
        assert not answer["errors"]
        shipped += len(page)
    client.indices.refresh(index=index)
    return shipped


def _moved(document: Document, move: timedelta, mark: str) -> Document:
    """The document at another time, in a session of another name."""
    time = (time_of(document) + move).astimezone(UTC)
    own = document["postgresql"]["log"]
    name = f"{own['session_id']}-{mark}" if mark else own["session_id"]
    return {
        **document,
        "@timestamp": time.isoformat(timespec="milliseconds"),
        "postgresql": {"log": {**own, "session_id": name}},
    }


def _key(document: Document) -> str:
    key: str = document["postgresql"]["log"]["session_id"]
    return key


def _trained(folder: Path) -> Path:
    """A model of the demo's logs, in few epochs: its speed is that of any other."""
    options = FileOptions(session_fields=(SESSION_FIELD,))
    normal, incidents = (
        read_sessions([str(demo_file(name))], options)
        for name in ("normal", "incidents")
    )
    config = TrainingConfig(language_model=LanguageModelConfig(epochs=EPOCHS))
    device = choose_device("cpu")
    model = train(normal, config, discover=incidents, device=device)
    save_bundle(
        model, folder, now=datetime.now(UTC), trained_on={"files": ["normal.ndjson.gz"]}
    )
    return folder
