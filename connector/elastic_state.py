"""A StateStore in Elasticsearch: kind and namespace name an index, the id a document.

Bodies are stored as they are. The index template (`elkwatch setup`) maps top-level
texts as keyword and names ending in `_at` as date, and indexes nothing that is nested.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from elastic_transport import ObjectApiResponse
from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from connector.errors import StateUnavailable
from connector.retrying import RetryPolicy
from connector.state import Equals, Stored, check_limit, conflict

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
            if current is not None and current.body == body:
                return _Written(current, None)
            return _Written(None, error)
        return _Written(_stored(kind, body, answer.body), None)


@dataclass(frozen=True, slots=True)
class _Written:
    """The document as it is now ours, or the error that says it is not."""

    stored: Stored | None
    error: Exception | None


def _stored(kind: str, body: Mapping[str, Any], hit: Mapping[str, Any]) -> Stored:
    return Stored(kind, hit["_id"], body, hit["_seq_no"], hit["_primary_term"])
