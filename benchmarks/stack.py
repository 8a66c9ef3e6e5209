"""What benchmarks of the whole path stand on: an engine, a model, logs in it.

The logs are the demo's (a real PostgreSQL server's), repeated: whole sessions under new
ids and at later times, so many of them anomalous as asked for. Which of them are is
what the model says, that was trained on the demo's `normal` and `incidents`.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import yaml
from elasticsearch import Elasticsearch

from connector import install, state_index
from connector.client import ClientConfig, connect
from connector.state import STATE_KINDS
from elkwatch.cli.options import FileOptions
from elkwatch.clock import Clock, SystemClock
from elkwatch.compose import Parts, compose
from elkwatch.config import load_config
from elkwatch.demo.logs import SESSION_FIELD, demo_file
from elkwatch.engine import EngineOptions, start
from elkwatch.log_files import read_sessions
from elkwatch.service import Service
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
AGO = timedelta(minutes=2)
CREATE = b'{"create":{}}'
SHIPPED_AT_ONCE = 2000

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    """An Elasticsearch and a model."""

    client: Elasticsearch
    url: str
    bundle: Path
    folder: Path
    before: str
    namespaces: list[str] = field(default_factory=list)

    def namespace(self) -> str:
        """A namespace in which the service has worked before, on other logs.

        What it writes to is there then: making indices and mappings takes an engine
        seconds, once in a namespace's life.
        """
        namespace = f"bench{token_hex(4)}"
        install(self.client, namespace)
        self.namespaces.append(namespace)
        clock = SystemClock()
        parts = self.parts(self.before, namespace, clock, name="before")
        try:
            tick = Service(parts, clock).once()
        finally:
            parts.client.close()
        assert not tick.failures, tick.failures
        return namespace

    def clear(self) -> None:
        """Deletes what all namespaces hold, as far as this engine can."""
        for namespace in self.namespaces:
            indices = [state_index(kind, namespace) for kind in STATE_KINDS]
            self.client.indices.delete(index=indices, ignore_unavailable=True)
        self.namespaces.clear()

    def parts(
        self,
        index: str,
        namespace: str,
        clock: Clock,
        *,
        name: str = "shop-db",
        **more: Any,
    ) -> Parts:
        """The service's parts for the logs in `index`."""
        path = self.folder / f"{namespace}.yml"
        path.write_text(
            yaml.safe_dump(self._config(index, namespace, name, more)), "utf-8"
        )
        return compose(load_config(path, {}), clock, device="cpu")

    def _config(
        self, index: str, namespace: str, name: str, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "elasticsearch": {"hosts": [self.url]},
            "namespace": namespace,
            "sources": [
                {
                    "name": name,
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
            bundle = trained(folder / "model")
        with ExitStack() as exits:
            if url is None:
                options = EngineOptions(fast_start=False, heap_mb=1024)
                url = exits.enter_context(start(options)).url
            client = exits.enter_context(connect(ClientConfig((url,))))
            on = Stack(client, url, bundle, folder, f"bench-before-{token_hex(4)}")
            make_index(client, on.before)
            documents = Pool.of(bundle).documents(1000, 0.2)
            ship(client, on.before, ending_at(documents, datetime.now(UTC) - AGO))
            yield on
            client.indices.delete(index=on.before)


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
                taken += (moved(document, move, mark) for document in session)
                if len(taken) >= count:
                    break
            round_number += 1
        return sorted(taken, key=time_of)


def ending_at(documents: Sequence[Document], end: datetime) -> list[Document]:
    """Documents in order of time, moved so that the last one is at `end`."""
    move = end - time_of(documents[-1])
    return [moved(document, move, "") for document in documents]


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
        lines: list[Any] = [x for d in page for x in (CREATE, orjson.dumps(d))]
        answer = client.bulk(index=index, operations=lines)
        assert not answer["errors"]
        shipped += len(page)
    client.indices.refresh(index=index)
    return shipped


def moved(document: Document, move: timedelta, mark: str) -> Document:
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


def trained(folder: Path) -> Path:
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
