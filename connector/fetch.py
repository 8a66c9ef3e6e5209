"""Whole sessions and windows again, as the source holds them now.

Where the key is a field, a query on it finds its documents. Where it stands somewhere
in the message, a phrase query finds most: a key that is part of a token of the analyzer
is not found so. Whatever a query brings is decoded and compared with the key, and where
it brought less than the caller has seen, the time range is read whole.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from connector.decode import Decoder
from connector.decoded_fields import MESSAGE_FALLBACKS
from connector.pit import Clause, time_range
from connector.reader import SourceReader
from connector.records import (
    KeyRequest,
    LogDocument,
    WindowRequest,
    order_key,
    split_key,
)
from connector.timestamps import floor_ms, to_iso

DEFAULT_MAX_EVENTS = 10_000

_KEYS_A_QUERY = 200
_MILLISECOND = timedelta(milliseconds=1)

Request = TypeVar("Request")


class Fetched(dict[Request, tuple[LogDocument, ...]], Generic[Request]):
    """Documents by what was asked for, each in the order of its session.

    `cut`: those of which there was more than the bound; the earliest were kept.
    """

    def __init__(
        self,
        found: Mapping[Request, Iterable[LogDocument]],
        cut: Iterable[Request] = (),
    ) -> None:
        super().__init__(
            (request, tuple(sorted(documents, key=order_key)))
            for request, documents in found.items()
        )
        self.cut: frozenset[Request] = frozenset(cut)


class Fetcher:
    """Fetches by a reader. At most `max_events` documents for each request."""

    def __init__(self, reader: SourceReader, decoder: Decoder, max_events: int) -> None:
        self._reader = reader
        self._spec = reader.spec
        self._capabilities = reader.layout.capabilities
        self._decoder = decoder
        self._max_events = max_events

    def keys(
        self, requests: Sequence[KeyRequest], until: datetime | None
    ) -> Fetched[str]:
        """The documents of each key; see LogSource.fetch_keys."""
        ordered = sorted(_merged(requests), key=lambda request: request.start)
        if self._key_clause([""]) is None:
            every = _Collected(ordered, self._max_events)
            self._by_reading(ordered, every, until)
            return Fetched(every.found, every.full)
        found: dict[str, list[LogDocument]] = {}
        cut: set[str] = set()
        for batch in _batches(ordered, _KEYS_A_QUERY):
            collected = self._batch(batch, until)
            found |= collected.found
            cut |= collected.full
        return Fetched(found, cut)

    def windows(
        self, requests: Sequence[WindowRequest], until: datetime | None
    ) -> Fetched[WindowRequest]:
        """The documents of each window; see LogSource.fetch_windows."""
        found: dict[WindowRequest, list[LogDocument]] = {}
        cut = set()
        for request in dict.fromkeys(requests):
            documents = self._window(request, until)
            if len(documents) > self._max_events:
                documents.pop()
                cut.add(request)
            found[request] = documents
        return Fetched(found, cut)

    def _window(
        self, request: WindowRequest, until: datetime | None
    ) -> list[LogDocument]:
        """Up to one document more than the bound, so that a cut shows."""
        clauses = self._window_clauses(request.key)
        documents = self._in_window(request, clauses, until)
        if clauses and len(documents) < min(request.at_least, self._max_events):
            return self._in_window(request, [], until)
        return documents

    def _in_window(
        self, request: WindowRequest, clauses: list[Clause], until: datetime | None
    ) -> list[LogDocument]:
        documents: list[LogDocument] = []
        last = request.end - timedelta(microseconds=1)
        for document in self._documents(request.start, last, lambda: clauses, until):
            if document.key == request.key and (
                request.start <= document.time < request.end
            ):
                documents.append(document)
                if len(documents) > self._max_events:
                    break
        return documents

    def _batch(
        self, batch: Sequence[KeyRequest], until: datetime | None
    ) -> "_Collected":
        """By query, and what that found too little of by reading.

        Each way collects for itself: a document may be met in both, and a query for
        one key also finds documents whose own key is another.
        """
        collected = _Collected(batch, self._max_events)
        self._by_query(batch, collected, until)
        short = [request for request in batch if collected.is_short(request)]
        if short:
            again = _Collected(short, self._max_events)
            self._by_reading(short, again, until)
            collected.found |= again.found
            collected.full |= again.full
        return collected

    def _by_query(
        self,
        batch: Sequence[KeyRequest],
        collected: "_Collected",
        until: datetime | None,
    ) -> None:
        """Ask for a batch of keys at once; a key that is full is asked for no more."""

        def filters() -> list[Clause]:
            open_keys = [r.key for r in batch if not collected.is_full(r.key)]
            clause = self._key_clause(open_keys)
            return [clause] if clause and open_keys else [{"match_none": {}}]

        start = min(request.start for request in batch)
        end = max(request.end for request in batch)
        for document in self._documents(start, end, filters, until):
            collected.offer(document)

    def _by_reading(
        self,
        requests: Sequence[KeyRequest],
        collected: "_Collected",
        until: datetime | None,
    ) -> None:
        """Read every document of the time ranges, each stretch once."""
        for start, end in _joined([(r.start, r.end) for r in requests]):
            for document in self._documents(start, end, _unfiltered, until):
                collected.offer(document)

    def _documents(
        self,
        start: datetime,
        end: datetime,
        filters: Callable[[], list[Clause]],
        until: datetime | None,
    ) -> Iterator[LogDocument]:
        """Documents of [start, end] by event time, at millisecond precision."""
        time_field = self._spec.time_field
        bounds = [_whole_ms_range(time_field, start, end)]
        if until is not None:
            cursor_field = self._reader.layout.cursor_field
            bounds.append(time_range(cursor_field, lt=to_iso(until)))
        pages = self._reader.pages(
            lambda: bounds + filters(), order_by=time_field, decoder=self._decoder
        )
        for page in pages:
            yield from page.documents

    def _key_clause(self, keys: Sequence[str]) -> Clause | None:
        session = self._spec.session
        if session.field:
            return self._capabilities.value_clause(session.field, keys)
        if session.pattern:
            paths = dict.fromkeys((self._spec.message_field, *MESSAGE_FALLBACKS))
            return self._capabilities.contains_clause(paths, keys)
        return None

    def _window_clauses(self, key: str | None) -> list[Clause]:
        """What narrows the search for a window; all else is compared afterwards."""
        capabilities, paths = self._capabilities, self._spec.key_fields
        if key is None:
            return [capabilities.missing_clause(path) for path in paths]
        if self._spec.session.ends:
            clause = self._key_clause([key])
            return [clause] if clause else []
        clauses = []
        for path, value in zip(paths, split_key(key), strict=False):
            found = capabilities.value_clause(path, [value])
            if value and found is not None:
                clauses.append(found)
        return clauses


class _Collected:
    """What was found so far, for each key, within its own time range and bound."""

    def __init__(self, requests: Iterable[KeyRequest], max_events: int) -> None:
        self._requests = {request.key: request for request in requests}
        self._max_events = max_events
        self.found: dict[str, list[LogDocument]] = {key: [] for key in self._requests}
        self.full: set[str] = set()

    def offer(self, document: LogDocument) -> None:
        """Keep it if it belongs to a request that has room."""
        request = self._requests.get(document.key or "")
        if request is None or not request.start <= document.time <= request.end:
            return
        if len(self.found[request.key]) >= self._max_events:
            self.full.add(request.key)
        else:
            self.found[request.key].append(document)

    def is_full(self, key: str) -> bool:
        return key in self.full

    def is_short(self, request: KeyRequest) -> bool:
        """Less was found than the caller has seen."""
        needed = min(request.at_least, self._max_events)
        return len(self.found[request.key]) < needed


def _merged(requests: Sequence[KeyRequest]) -> Iterable[KeyRequest]:
    """One request a key: a key asked for twice is fetched over both ranges."""
    merged: dict[str, KeyRequest] = {}
    for request in requests:
        known = merged.get(request.key)
        if known is not None:
            request = KeyRequest(
                request.key,
                min(known.start, request.start),
                max(known.end, request.end),
                max(known.at_least, request.at_least),
            )
        merged[request.key] = request
    return merged.values()


def _unfiltered() -> list[Clause]:
    return []


def _batches(
    requests: Sequence[KeyRequest], size: int
) -> Iterator[Sequence[KeyRequest]]:
    for i in range(0, len(requests), size):
        yield requests[i : i + size]


def _joined(
    ranges: Sequence[tuple[datetime, datetime]],
) -> list[tuple[datetime, datetime]]:
    """Overlapping ranges made one, in order."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _whole_ms_range(path: str, start: datetime, end: datetime) -> Clause:
    """[start, end] widened to whole milliseconds.

    A `date` field keeps no more, and a `date_nanos` field more than a datetime does.
    """
    first, beyond = floor_ms(start), floor_ms(end) + _MILLISECOND
    return time_range(path, gte=to_iso(first), lt=to_iso(beyond))
