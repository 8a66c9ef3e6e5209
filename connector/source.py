"""Reading the logs of one source: onward by pages, and back by session or window.

    source = LogSource(client, spec)
    report = source.check()
    for page in source.pages(start, until):      # [start, until) by the cursor field
        …
    sessions = source.fetch_keys([KeyRequest(key, start, end)], until)

`_source.includes` gives the fields: it is faster than `fields`, keeps times as they
were written, resolves nested and dotted keys, and works on synthetic sources. Fields it
cannot give (aliases, runtime fields) are found by `check` and asked for by mapping.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from connector.decode import Decoder
from connector.errors import SourceUnavailable
from connector.fetch import DEFAULT_MAX_EVENTS, Fetched, Fetcher
from connector.filtering import Filtering
from connector.key_ranges import KeyRange, KeyRanges, find_key_ranges
from connector.layout import Layout, SourceReport, examine
from connector.own_output import guarded_pattern
from connector.pit import Clause, PageSize, check_shards, time_range
from connector.reader import SourceReader
from connector.records import (
    DecodeCounts,
    KeyRequest,
    Page,
    SourceSpec,
    WindowRequest,
)
from connector.retrying import RetryPolicy
from connector.timestamps import to_iso


class LogSource:
    """The logs that `spec` describes. One reader at a time.

    `page_size`: at most so many documents a page (fewer where they are large).
    `max_events`: at most so many documents of a session or window fetched again.
    Raises OwnOutputRefused and ConfigError at construction.
    """

    def __init__(
        self,
        client: Elasticsearch,
        spec: SourceSpec,
        *,
        page_size: int = 2000,
        max_events: int = DEFAULT_MAX_EVENTS,
        retry: RetryPolicy | None = None,
    ) -> None:
        guarded_pattern(spec.index, spec.name)
        self.spec = spec
        self._client = client
        self._retry = retry or RetryPolicy()
        self._size = PageSize(page_size)
        self._filtering = Filtering()
        self._max_events = max_events
        self._decoder = Decoder(spec)
        self._reader: SourceReader | None = None
        self._just_checked = False

    @property
    def counts(self) -> DecodeCounts:
        """What was odd about the documents of all pages so far."""
        return self._decoder.counts

    @property
    def cursor_field(self) -> str:
        """The field that orders the reading; checks the source if nobody has."""
        return self._ready().layout.cursor_field

    def check(self) -> SourceReport:
        """Look at the source: is it there, are its fields, how will it be read?

        Raises IndexMissing, FieldMissing, FieldUnfit, SourceUnavailable, or an
        EngineError, each in one line. Called again, it looks again.
        """
        report, layout = self._examine()
        self._reader = self._reader_of(layout)
        self._just_checked = True
        return report

    def pages(self, start: datetime | None, until: datetime) -> Iterator[Page]:
        """All documents in [start, until) by the cursor field, in its order.

        `start` None: from the earliest on. A page is only given when every shard
        answered. Indices come and go while a service runs, so every call but the one
        right after `check` checks again; `cursor_field` may change by that. Raises what
        `check` does, and PartialResults.
        """
        if not self._just_checked:
            self.check()
        self._just_checked = False
        reader = self._ready()
        order_by = reader.layout.cursor_field
        in_range = _between(order_by, start, until)
        return reader.pages(
            lambda: [in_range], order_by=order_by, decoder=self._decoder, ahead=True
        )

    def key_ranges(
        self, count: int, start: datetime | None, until: datetime
    ) -> KeyRanges:
        """What is in [start, until) by its own time, as about `count` key ranges.

        Every session is whole in one of them, and all of them together are everything.
        Raises what `pages` does.
        """
        layout = self._ready().layout
        in_time = _between(self.spec.time_field, start, until)
        return find_key_ranges(
            self._answer, self.spec, layout.capabilities, in_time, count
        )

    def pages_of(
        self, within: KeyRange, start: datetime | None, until: datetime
    ) -> Iterator[Page]:
        """A key range of the documents in [start, until) by their own time, in its
        order. Raises what `pages` does."""
        time_field = self.spec.time_field
        clauses = [_between(time_field, start, until), *within.clauses()]
        return self._ready().pages(
            lambda: clauses, order_by=time_field, decoder=self._decoder, ahead=True
        )

    def newest(self, count: int) -> Page:
        """The newest documents by their own time, the newest first; at most 10,000.

        Decoded and counted as those of `pages` are. Raises what `pages` does.
        """
        return self._ready().newest(count, decoder=self._decoder)

    def fetch_keys(
        self, requests: Sequence[KeyRequest], until: datetime | None = None
    ) -> Fetched[str]:
        """Whole sessions again: every document of each key within its time range.

        `until` leaves out what stands at or after it by the cursor field: what the
        pages have not brought yet. Every key asked for is in the answer, in the order
        of time, sequence and id; `.cut` names those of which there was more than
        `max_events`. Only for rules whose keys end; raises what `pages` does.
        """
        return self._fetcher().keys(requests, until)

    def fetch_windows(
        self, requests: Sequence[WindowRequest], until: datetime | None = None
    ) -> Fetched[WindowRequest]:
        """Whole windows again: every document of each key in [start, end).

        Works for every rule, and for key None: the documents without a key. Otherwise
        like `fetch_keys`.
        """
        return self._fetcher().windows(requests, until)

    def _answer(self, body: dict[str, Any]) -> Mapping[str, Any]:
        """The answer to a search of this source, whole or not at all."""
        doing = f"source {self.spec.name}"
        response = self._retry.call(
            lambda: self._client.search(
                index=self._ready().layout.pattern,
                allow_partial_search_results=False,
                **body,
            ),
            doing=doing,
            exhausted=SourceUnavailable,
        )
        check_shards(response.body["_shards"], doing)
        answer: Mapping[str, Any] = response.body
        return answer

    def _examine(self) -> tuple[SourceReport, Layout]:
        return self._retry.call(
            lambda: examine(self._client, self.spec),
            doing=f"source {self.spec.name}",
            exhausted=SourceUnavailable,
        )

    def _ready(self) -> SourceReader:
        if self._reader is None:
            self.check()
        assert self._reader is not None  # check() sets it or raises
        return self._reader

    def _reader_of(self, layout: Layout) -> SourceReader:
        return SourceReader(
            self._client,
            self.spec,
            layout,
            size=self._size,
            filtering=self._filtering,
            retry=self._retry,
        )

    def _fetcher(self) -> Fetcher:
        """Its own decoder: fetching again must not count documents twice."""
        return Fetcher(self._ready(), Decoder(self.spec), self._max_events)


def _between(path: str, start: datetime | None, until: datetime) -> Clause:
    bounds = {"lt": to_iso(until)}
    if start is not None:
        bounds["gte"] = to_iso(start)
    return time_range(path, **bounds)
