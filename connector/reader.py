"""One way to read documents of a source, for paging onward and for fetching again."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from connector.decode import CursorTimes, Decoder
from connector.errors import SourceUnavailable
from connector.fieldpaths import compile_path
from connector.filtering import Filtering
from connector.hits import DocumentType, Hit, answer_of, answers_read_by
from connector.layout import Layout
from connector.own_output import own_output_clauses
from connector.pit import (
    Clause,
    PageSize,
    PitReader,
    Search,
    check_shards,
    sort_clause,
)
from connector.records import Page, SourceSpec
from connector.retrying import RetryPolicy
from connector.timestamps import from_sort_values, read_time


class SourceReader:
    """Reads documents by a layout and decodes them with a decoder given at each call.

    It learns the size of documents and asks for pages that fit in memory.
    """

    def __init__(
        self,
        client: Elasticsearch,
        spec: SourceSpec,
        layout: Layout,
        *,
        size: PageSize,
        filtering: Filtering,
        retry: RetryPolicy,
    ) -> None:
        self.spec = spec
        self.layout = layout
        self._client = client
        self._size = size
        self._filtering = filtering
        self._retry = retry

    def pages(
        self,
        filters: Callable[[], list[Clause]],
        *,
        order_by: str,
        decoder: Decoder,
        ahead: bool = False,
    ) -> Iterator[Page]:
        """Documents that pass `filters`, by a time field ascending, page by page.

        `ahead`: the next page is asked for while this one is decoded.

        Raises IndexMissing, PartialResults, SourceUnavailable or an EngineError.
        """
        layout = self.layout
        search = Search(
            index=layout.pattern,
            filters=filters,
            order_by=order_by,
            nanos=layout.nanos(order_by),
            includes=layout.includes,
            fields=layout.fields_clause(self.spec.time_field),
        )
        reader = PitReader(
            self._client,
            search,
            size=self._size,
            retry=self._retry,
            doing=f"source {self.spec.name}",
            typed=self._typed(decoder),
            filtering=self._filtering,
            ahead=ahead,
        )
        for hits in reader:
            truncated = decoder.counts.truncated
            page = self._decoded(hits, order_by, decoder)
            self._size.fit(
                len(hits),
                _bytes_of(page, hits, decoder, decoder.counts.truncated - truncated),
            )
            yield page

    def newest(self, count: int, *, decoder: Decoder) -> Page:
        """The newest documents by their own time, the newest first.

        Raises PartialResults, SourceUnavailable or an EngineError.
        """
        layout, time_field = self.layout, self.spec.time_field
        doing = f"source {self.spec.name}"
        typed = self._typed(decoder)
        with answers_read_by(None if typed is None else typed.read):
            response = self._retry.call(
                lambda: self._client.search(
                    index=layout.pattern,
                    query={"bool": {"must_not": own_output_clauses()}},
                    sort=[sort_clause(time_field, layout.nanos(time_field), "desc")],
                    size=count,
                    source={"includes": list(layout.includes)},
                    fields=list(layout.fields_clause(time_field)) or None,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                ),
                doing=doing,
                exhausted=SourceUnavailable,
            )
        answer = answer_of(response.body)
        check_shards(answer.shards, doing)
        return self._decoded(answer.hits.hits, time_field, decoder)

    def _typed(self, decoder: Decoder) -> DocumentType | None:
        """What to read into, where `_source` gives all that is read."""
        return None if self.layout.computed else decoder.document_type

    def _decoded(
        self,
        hits: list[Hit[Any]],
        order_by: str,
        decoder: Decoder,
    ) -> Page:
        layout = self.layout
        if layout.computed:
            for hit in hits:
                hit.source = hit.source | (hit.fields or {})
        by_time = order_by == layout.cursor_field == self.spec.time_field
        documents, problems = decoder.decode_hits(
            hits,
            self._cursor_times(order_by, decoder),
            by_time=by_time and not layout.nanos(order_by),
        )
        return Page(tuple(documents), tuple(problems))

    def _cursor_times(self, order_by: str, decoder: Decoder) -> CursorTimes:
        """Where hits stand in the order of reading.

        The sort value where that is what was sorted by: a `date` field keeps whole
        milliseconds, and the position must agree with what a range finds. Else as it
        stands in the document; None, and with it the document's time, where it does
        not.
        """
        cursor_field = self.layout.cursor_field
        if order_by == cursor_field:
            from_sort = from_sort_values(nanos=self.layout.nanos(order_by))
            return lambda hits: from_sort([hit.sort[0] for hit in hits])
        typed, plain = decoder.document_type, compile_path(cursor_field)
        getters = {} if typed is None else {typed.kind: typed.compile(cursor_field)}

        def from_source(hit: Hit[Any]) -> datetime | None:
            get = getters.get(type(hit.source), plain)
            try:
                return read_time(get(hit.source))
            except ValueError:
                return None

        return lambda hits: list(map(from_source, hits))


def _bytes_of(
    page: Page, hits: list[Hit[Any]], decoder: Decoder, truncated: int
) -> int:
    """About how large the page was: its messages, before they were cut."""
    if not truncated:
        return sum(len(document.message) for document in page.documents)
    return sum(len(_as_text(decoder.message_of(hit.source))) for hit in hits)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
