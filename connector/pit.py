"""A search read to its end, page by page, over a point in time.

    open ──▶ search_after ──▶ page ──▶ search_after ──▶ page … ──▶ close
               │ context lost
               └──▶ open again, from the last sort value on, without what was given

A page is given only if every shard answered. The point in time is closed whatever
happens.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from elastic_transport import ObjectApiResponse
from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from connector.errors import IndexMissing, PartialResults, SourceUnavailable
from connector.faults import why
from connector.filtering import Ask, Filtering
from connector.hits import Answer, DocumentType, Hit, answer_of, answers_read_by
from connector.own_output import own_output_clauses
from connector.retrying import RetryPolicy
from connector.timestamps import sort_value_to_iso
from connector.unread import Unread, unread

KEEP_ALIVE = "2m"
TIME_FORMAT = "strict_date_optional_time_nanos"

_REOPENINGS_MAX = 5
_REMEMBERED_AT_BOUND_MAX = 100_000

Clause = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """What to read, in which order.

    `filters` is asked for anew at each page, so that it may narrow meanwhile. Documents
    come by `order_by` ascending; `nanos`: that field is a date_nanos somewhere.
    `includes` are looked at in `_source`; `fields` come from the mapping.
    """

    index: str
    filters: Callable[[], list[Clause]]
    order_by: str
    nanos: bool
    includes: tuple[str, ...]
    fields: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class _Came:
    """An answer, read or Unread, what was asked for, and how long it took."""

    body: Any
    ask: Ask
    seconds: float


class PageSize:
    """How many documents to ask for: bounded in number and, by what came, in bytes."""

    def __init__(self, maximum: int, *, budget_bytes: int = 32 * 1024 * 1024) -> None:
        if not 1 <= maximum <= 10_000:
            raise ValueError(f"page_size {maximum}: between 1 and 10000")
        self.maximum = maximum
        self.minimum = min(50, maximum)
        self.current = min(maximum, 1000)
        self._budget_bytes = budget_bytes

    def shrink(self, _: BaseException | None = None) -> None:
        """Half as many from now on: the other side is short of memory."""
        self.current = max(self.minimum, self.current // 2)

    def fit(self, documents: int, size_bytes: int) -> None:
        """Learn from a page: grow at most twofold, shrink to the budget at once."""
        if documents == 0:
            return
        fitting = self._budget_bytes * documents // max(1, size_bytes)
        wanted = min(fitting, self.current * 2, self.maximum)
        self.current = max(self.minimum, wanted)


class PitReader:
    """Reads one `Search`. Iterate it once; `close` the iterator to stop early.

    Raises IndexMissing, PartialResults, SourceUnavailable, or what `translate` makes of
    another refusal.
    """

    def __init__(
        self,
        client: Elasticsearch,
        search: Search,
        *,
        size: PageSize,
        retry: RetryPolicy,
        doing: str,
        typed: DocumentType | None = None,
        filtering: Filtering | None = None,
        ahead: bool = False,
    ) -> None:
        """`typed`: what documents are read into; without it into dictionaries.

        `filtering`: who leaves out what is not looked at; without it the engine.
        `ahead`: the next page is asked for while the consumer is at this one.
        """
        self._client = client
        self._typed = typed
        self._filtering = filtering if typed and filtering else Filtering(allowed=False)
        self._search = search
        self._size = size
        self._retry = retry
        self._doing = doing
        self._pool = ThreadPoolExecutor(1, "pages") if ahead else None
        self._asked: tuple[Future[_Came], list[Any]] | None = None
        self._pit_id: str | None = None
        self._after: list[Any] | None = None
        self._resume_at: int | None = None
        self._at_bound: tuple[int | None, set[str]] = (None, set())

    def __iter__(self) -> Iterator[list[Hit[Any]]]:
        try:
            yield from self._pages()
        finally:
            if self._pool is not None:
                self._pool.shutdown()
            self._close()

    def _pages(self) -> Iterator[list[Hit[Any]]]:
        self._open()
        reopened = 0
        while True:
            try:
                hits, asked = self._next_hits()
            except NotFoundError as error:
                # The point in time, or an index in it, is gone.
                if reopened == _REOPENINGS_MAX:
                    raise SourceUnavailable(
                        f"{self._doing}: the point in time was lost {reopened} times "
                        "in a row; does a node keep restarting?"
                    ) from error
                reopened += 1
                self._reopen()
                continue
            reopened = 0
            if hits:
                fresh = self._not_given(hits)
                self._remember_bound(hits)
                if fresh:
                    yield fresh
            if len(hits) < asked:
                return

    def _next_hits(self) -> tuple[list[Hit[Any]], int]:
        """The next hits, and how many were asked for: fewer came, it was the last.

        What comes after them is asked for before they are read.
        """
        came = self._came()
        answer = self._read(came)
        check_shards(answer.shards, self._doing)
        if answer.timed_out:
            raise PartialResults(f"{self._doing}: the search timed out on some shard")
        self._pit_id = answer.pit_id or self._pit_id
        hits = answer.hits.hits
        if hits:
            self._after = hits[-1].sort
            if len(hits) >= came.ask.size:
                self._ask(self._after)
        if came.ask.whole and self._typed and hits and isinstance(hits[0].source, dict):
            for hit in hits:  # one is read as all are
                hit.source = self._typed.narrowed(hit.source)
        return hits, came.ask.size

    def _read(self, came: "_Came") -> Answer[Any]:
        body = came.body
        if not isinstance(body, Unread):
            return answer_of(body)
        self._pit_id = body.pit_id
        # More is likely to follow on a second page; on a first one it is counted.
        counted = self._after is None or came.ask.trial is not None
        documents = body.documents if counted else came.ask.size
        self._filtering.came(came.ask, documents, len(body), came.seconds)
        if documents >= came.ask.size:
            self._ask(body.last_sort())
        return body.read(None if self._typed is None else self._typed.read)

    def _ask(self, after: list[Any] | None) -> None:
        """Asks ahead for what comes after; once, unless it was another place."""
        if self._pool is None or after is None:
            return
        if self._asked is None or self._asked[1] != after:
            self._asked = self._pool.submit(self._next, after), after

    def _came(self) -> "_Came":
        """What was asked for ahead, or is asked for now."""
        asked, self._asked = self._asked, None
        return self._next(self._after) if asked is None else asked[0].result()

    def _open(self) -> None:
        try:
            answer = self._retry.call(
                lambda: self._client.open_point_in_time(
                    index=self._search.index, keep_alive=KEEP_ALIVE
                ),
                doing=self._doing,
                exhausted=SourceUnavailable,
                passes=(NotFoundError,),
            )
        except NotFoundError as error:
            raise IndexMissing(
                f"{self._doing}: there is no index {self._search.index}; check the "
                "name, or end it with * if it comes and goes"
            ) from error
        check_shards(answer.get("_shards", {}), self._doing)
        self._pit_id = answer["id"]

    def _reopen(self) -> None:
        self._close()
        self._open()
        self._after = None
        self._resume_at = self._at_bound[0]

    def _close(self) -> None:
        if self._pit_id is not None:
            with suppress(ApiError, TransportError):
                self._client.close_point_in_time(id=self._pit_id)
            self._pit_id = None

    def _next(self, after: list[Any] | None) -> "_Came":
        """The answer with the hits after these sort values."""
        ask, began = Ask(False, 0), 0.0

        def request() -> ObjectApiResponse[Any]:
            nonlocal ask, began
            many = self._pool is not None
            ask = self._filtering.ask(self._size.current, may_try=many)
            began = time.perf_counter()
            with answers_read_by(unread):
                return self._client.search(**self._request(ask, after))

        response = self._retry.call(
            request,
            doing=self._doing,
            exhausted=SourceUnavailable,
            before_retry=self._size.shrink,
            passes=(NotFoundError,),
        )
        return _Came(response.body, ask, time.perf_counter() - began)

    def _request(self, ask: Ask, after: list[Any] | None) -> dict[str, Any]:
        search = self._search
        filters = search.filters()
        if self._resume_at is not None:
            bound = sort_value_to_iso(self._resume_at, nanos=search.nanos)
            filters = [*filters, time_range(search.order_by, gte=bound)]
        request: dict[str, Any] = {
            "pit": {"id": self._pit_id, "keep_alive": KEEP_ALIVE},
            "query": {"bool": {"filter": filters, "must_not": own_output_clauses()}},
            "sort": [sort_clause(search.order_by, search.nanos), {"_shard_doc": "asc"}],
            "size": ask.size,
            "track_total_hits": False,
            "allow_partial_search_results": False,
        }
        if not ask.whole:
            request["source"] = {"includes": list(search.includes)}
        if search.fields:
            request["fields"] = list(search.fields)
        if after is not None:
            request["search_after"] = after
        return request

    def _not_given(self, hits: list[Hit[Any]]) -> list[Hit[Any]]:
        """Without what was given before the context was lost."""
        bound, given = self._at_bound
        if self._resume_at is None or hits[0].sort[0] != bound:
            return hits
        return [
            hit for hit in hits if hit.sort[0] != bound or _identity(hit) not in given
        ]

    def _remember_bound(self, hits: list[Hit[Any]]) -> None:
        """Keep which documents of the last sort value were given, within bounds."""
        last = hits[-1].sort[0]
        bound, given = self._at_bound
        if last != bound:
            given = set()
        for hit in reversed(hits):
            if hit.sort[0] != last or len(given) >= _REMEMBERED_AT_BOUND_MAX:
                break
            given.add(_identity(hit))
        self._at_bound = (last, given)


def time_range(path: str, **bounds: str) -> Clause:
    """A range on a time field; bounds are ISO texts under gte, gt, lte, lt."""
    return {"range": {path: {**bounds, "format": TIME_FORMAT}}}


def sort_clause(path: str, nanos: bool, order: str = "asc") -> Clause:
    """Order by a time field that some index may not map, or map as date_nanos."""
    kind = "date_nanos" if nanos else "date"
    clause = {"order": order, "unmapped_type": kind}
    if nanos:
        clause["numeric_type"] = "date_nanos"
    return {path: clause}


def _identity(hit: Hit[Any]) -> str:
    return f"{hit.index}\0{hit.id}"


def check_shards(shards: dict[str, Any], doing: str) -> None:
    """Raises PartialResults where a shard did not answer."""
    failed = shards.get("failed", 0)
    if failed:
        kind, reason = why((shards.get("failures") or [{}])[0].get("reason", {}))
        raise PartialResults(
            f"{doing}: {failed} of {shards.get('total')} shards did not answer "
            f"({kind or 'no reason given'}{': ' + reason if reason else ''}); "
            "nothing was skipped, it is read again once they do"
        )
