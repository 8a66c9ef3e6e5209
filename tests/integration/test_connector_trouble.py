"""Reading a source while a real Elasticsearch is in trouble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from elasticsearch import Elasticsearch, NotFoundError

from connector import (
    ClientConfig,
    ConnectorError,
    LogDocument,
    LogSource,
    Page,
    RetryPolicy,
    SourceError,
    SourceUnavailable,
    connect,
)
from tests.connector.indexed import (
    FAR,
    IMPATIENT,
    MAPPINGS,
    ids,
    line,
    open_contexts,
    put,
    read,
    spec,
)
from tests.connector.trouble import out_of_memory, set_breaker


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
