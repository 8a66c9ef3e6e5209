"""Reading back what elkwatch wrote: findings and run figures of a period."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from connector.errors import SourceUnavailable
from connector.findings import stream_name
from connector.pit import KEEP_ALIVE
from connector.retrying import RetryPolicy
from connector.run_figures import run_stream_name
from connector.timestamps import to_iso
from connector.written_findings import WrittenFinding, written_finding

_PAGE = 500

Document = Mapping[str, Any]


class Results:
    """Findings and run figures of a namespace, oldest first, page by page."""

    def __init__(
        self, client: Elasticsearch, namespace: str, *, retry: RetryPolicy | None = None
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._retry = retry or RetryPolicy()

    def findings(self, start: datetime, end: datetime) -> Iterator[Document]:
        """Findings whose session ended in [start, end]; none before the first write."""
        stream = stream_name(self._namespace)
        return (hit["_source"] for hit in self._read(stream, start, end))

    def written(self, start: datetime, end: datetime) -> Iterator[WrittenFinding]:
        """The same, each with the place and the version that it stands in."""
        for hit in self._read(stream_name(self._namespace), start, end):
            yield written_finding(hit)

    def runs(self, start: datetime, end: datetime) -> Iterator[Document]:
        """Figures of the runs that ended in [start, end]."""
        stream = run_stream_name(self._namespace)
        return (hit["_source"] for hit in self._read(stream, start, end))

    def search(self, index: str, body: Mapping[str, Any]) -> Document:
        """One search as it is asked, over what is there of the index; never partial."""
        answer: Document = self._call(
            lambda: self._client.search(
                index=index,
                body=dict(body),
                ignore_unavailable=True,
                allow_no_indices=True,
                allow_partial_search_results=False,
            ),
            index,
        ).body
        return answer

    def _read(self, index: str, start: datetime, end: datetime) -> Iterator[Document]:
        try:
            opened = self._call(
                lambda: self._client.open_point_in_time(
                    index=index, keep_alive=KEEP_ALIVE
                ),
                index,
            )
        except NotFoundError:
            return
        bounds = {"gte": to_iso(start), "lte": to_iso(end)}
        pit_id, after = opened["id"], None
        try:
            while True:
                answer = self._search(index, pit_id, after, bounds)
                pit_id, hits = answer["pit_id"], answer["hits"]["hits"]
                yield from hits
                if len(hits) < _PAGE:
                    return
                after = hits[-1]["sort"]
        finally:
            self._client.options(ignore_status=404).close_point_in_time(id=pit_id)

    def _search(
        self, index: str, pit_id: str, after: Any, bounds: Mapping[str, str]
    ) -> Any:
        return self._call(
            lambda: self._client.search(
                pit={"id": pit_id, "keep_alive": KEEP_ALIVE},
                query={"range": {"@timestamp": bounds}},
                sort=[{"@timestamp": "asc"}, {"_shard_doc": "asc"}],
                size=_PAGE,
                seq_no_primary_term=True,
                track_total_hits=False,
                allow_partial_search_results=False,
                search_after=after,
            ),
            index,
        )

    def _call(self, request: Any, index: str) -> Any:
        return self._retry.call(
            request,
            doing=f"reading {index}",
            exhausted=SourceUnavailable,
            passes=(NotFoundError,),
        )
