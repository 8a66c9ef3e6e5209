"""A StateStore in Elasticsearch: kind and namespace name an index, the id a document.

Bodies are stored as they are. The index template (`elkwatch setup`) maps top-level
texts as keyword and names ending in `_at` as date, and indexes nothing that is nested.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from elastic_transport import ObjectApiResponse
from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from connector.bulk import BulkItem, BulkWriter, ItemResult
from connector.errors import RequestRefused, StateUnavailable
from connector.faults import why
from connector.retrying import RetryPolicy
from connector.state import (
    Equals,
    Stored,
    Write,
    check_limit,
    conflict,
    json_copy,
)

MAX_READ = 100  # documents a request

Answer = ObjectApiResponse[Any]


def state_index(kind: str, namespace: str) -> str:
    """The index that documents of a kind are in."""
    return f"elkwatch-{kind}-{namespace}"


class ElasticStateStore:
    """See StateStore. `wait_for_refresh`: a write returns once `find` can see it.

    A write whose answer got lost is sent again; that it finds its own first attempt is
    not taken for a conflict. Raises StateUnavailable when retries are used up, and
    EngineErrors.
    """

    def __init__(
        self,
        client: Elasticsearch,
        namespace: str,
        *,
        wait_for_refresh: bool = False,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._refresh: Literal["wait_for"] | None = (
            "wait_for" if wait_for_refresh else None
        )
        self._retry = retry or RetryPolicy()

    def get(self, kind: str, doc_id: str) -> Stored | None:
        """See StateStore."""
        index = state_index(kind, self._namespace)
        try:
            answer = self._retry.call(
                lambda: self._client.get(index=index, id=doc_id),
                doing=f"reading state {kind}/{doc_id}",
                exhausted=StateUnavailable,
                passes=(NotFoundError,),
            )
        except NotFoundError:
            return None
        return _stored(kind, answer["_source"], answer.body)

    def create(self, kind: str, doc_id: str, body: Mapping[str, Any]) -> Stored | None:
        """See StateStore."""
        index = state_index(kind, self._namespace)
        written = self._write(
            kind,
            doc_id,
            body,
            lambda: self._client.create(
                index=index, id=doc_id, document=body, refresh=self._refresh
            ),
        )
        return written.stored

    def replace(self, stored: Stored, body: Mapping[str, Any]) -> Stored:
        """See StateStore."""
        index = state_index(stored.kind, self._namespace)
        written = self._write(
            stored.kind,
            stored.doc_id,
            body,
            lambda: self._client.index(
                index=index,
                id=stored.doc_id,
                document=body,
                if_seq_no=stored.seq_no,
                if_primary_term=stored.primary_term,
                refresh=self._refresh,
            ),
        )
        if written.stored is None:
            raise conflict(stored) from written.error
        return written.stored

    def get_many(self, kind: str, ids: Sequence[str]) -> dict[str, Stored]:
        """See StateStore."""
        wanted = list(dict.fromkeys(ids))
        read: dict[str, Stored] = {}
        for at in range(0, len(wanted), MAX_READ):
            read |= self._read(kind, wanted[at : at + MAX_READ])
        return read

    def _read(self, kind: str, ids: Sequence[str]) -> dict[str, Stored]:
        index = state_index(kind, self._namespace)
        try:
            answer = self._retry.call(
                lambda: self._client.mget(index=index, ids=ids),
                doing=f"reading state {kind}",
                exhausted=StateUnavailable,
                passes=(NotFoundError,),
            )
        except NotFoundError:
            return {}  # nothing was ever written
        read: dict[str, Stored] = {}
        for doc in answer["docs"]:
            stored = None
            if doc.get("found"):
                stored = _stored(kind, doc["_source"], doc)
            elif why(doc)[0] not in {"", "index_not_found_exception"}:
                stored = self.get(kind, doc["_id"])  # by itself it says what is wrong
            if stored is not None:
                read[stored.doc_id] = stored
        return read

    def write_many(self, kind: str, writes: Sequence[Write]) -> list[Stored | None]:
        """See StateStore. Raises RequestRefused in the end if any was rejected."""
        bulk = BulkWriter(
            self._client,
            doing=f"writing state {kind}",
            retry=self._retry,
            exhausted=StateUnavailable,
            refresh=self._refresh,
        )
        index = state_index(kind, self._namespace)
        results = bulk.write([_item(index, write) for write in writes])
        for result in results:
            if result.outcome == "rejected":
                raise RequestRefused(
                    f"writing state {kind}/{result.item.doc_id}: refused "
                    f"({result.status} {result.reason})",
                    status=result.status,
                )
        own = self._sent_twice(kind, results)
        return [
            own.get(result.item.doc_id)
            if result.version is None
            else Stored(kind, write.doc_id, write.body, *result.version)
            for write, result in zip(writes, results, strict=True)
        ]

    def _sent_twice(
        self, kind: str, results: Sequence[ItemResult]
    ) -> dict[str, Stored]:
        """What met nothing but its own first attempt, whose answer had got lost."""
        bodies = {r.item.doc_id: r.item.document for r in results if r.again}
        return {
            doc_id: stored
            for doc_id, stored in self.get_many(kind, list(bodies)).items()
            if stored.body == json_copy(bodies[doc_id])
        }

    def find(
        self,
        kind: str,
        equals: Equals,
        *,
        limit: int = 1000,
        order_by: str | None = None,
    ) -> list[Stored]:
        """See StateStore."""
        check_limit(limit)
        filters = [
            {"terms": {field: [want] if isinstance(want, str) else list(want)}}
            for field, want in equals.items()
        ]
        order: list[Any] = ["_doc"]
        if order_by is not None:
            order = [{order_by: {"unmapped_type": "keyword", "missing": "_last"}}]
        try:
            answer = self._retry.call(
                lambda: self._client.search(
                    index=state_index(kind, self._namespace),
                    query={"bool": {"filter": filters}},
                    sort=order,
                    size=limit,
                    seq_no_primary_term=True,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                ),
                doing=f"searching state {kind}",
                exhausted=StateUnavailable,
                passes=(NotFoundError,),
            )
        except NotFoundError:
            return []  # nothing was ever written
        return [_stored(kind, h["_source"], h) for h in answer["hits"]["hits"]]

    def _write(
        self,
        kind: str,
        doc_id: str,
        body: Mapping[str, Any],
        request: Callable[[], Answer],
    ) -> "_Written":
        """Send it; on a conflict look whether it was our own first attempt."""
        sent_again: list[BaseException] = []
        try:
            answer = self._retry.call(
                request,
                doing=f"writing state {kind}/{doc_id}",
                exhausted=StateUnavailable,
                before_retry=sent_again.append,
                passes=(ConflictError, NotFoundError),
            )
        except (ConflictError, NotFoundError) as error:
            current = self.get(kind, doc_id) if sent_again else None
            if current is not None and current.body == json_copy(body):
                return _Written(current, None)
            return _Written(None, error)
        return _Written(_stored(kind, body, answer.body), None)


@dataclass(frozen=True, slots=True)
class _Written:
    """The document as it is now ours, or the error that says it is not."""

    stored: Stored | None
    error: Exception | None


def _item(index: str, write: Write) -> BulkItem:
    body = dict(write.body)
    if write.over is None:
        return BulkItem("create", index, write.doc_id, body)
    version = write.over.seq_no, write.over.primary_term
    return BulkItem("index", index, write.doc_id, body, version)


def _stored(kind: str, body: Mapping[str, Any], hit: Mapping[str, Any]) -> Stored:
    return Stored(kind, hit["_id"], body, hit["_seq_no"], hit["_primary_term"])
