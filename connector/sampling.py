"""A look at a data set: its fields, its extent in time, its newest documents.

    Sampler ──fields──▶ path → types
            ──extent──▶ how many, from when to when, how many in the future
            ──newest──▶ Sample ──column──▶ the values of one field
                               ──decoded──▶ LogDocument … as a source would read them

Everything is bounded: so many documents, only the fields asked for, about so many
bytes. Nothing is kept open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from connector.capabilities import Capabilities, parents
from connector.decode import Decoder
from connector.decoded_fields import needed_fields
from connector.faults import translate
from connector.fieldpaths import compile_path
from connector.own_output import guarded_pattern, own_output_clauses
from connector.pit import TIME_FORMAT, Clause, sort_clause, time_range
from connector.records import LogDocument, SourceSpec
from connector.timestamps import EPOCH, read_time, to_iso

SAMPLE_BYTES = 16 * 1024 * 1024

_COUNTED_UP_TO = 1_000_000
_FIELDS_ANSWER = "indices,fields.*.*.type"
_SUBKEYS_MAX = 50
_NOT_A_NAME = frozenset("*?,")


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a sample: `values` has one entry a document, None where absent."""

    path: str
    types: tuple[str, ...]
    values: tuple[Any, ...]

    @property
    def share(self) -> float:
        """The share of documents that have it, 0 to 1."""
        if not self.values:
            return 0.0
        return sum(value is not None for value in self.values) / len(self.values)


@dataclass(frozen=True, slots=True)
class Extent:
    """How many documents (counted up to a million), in which time, UTC.

    `future`: how many are dated after now. `oldest` and `newest` are None without any.
    """

    documents: int
    future: int
    oldest: datetime | None
    newest: datetime | None


class Sample:
    """Documents of a data set, the oldest first."""

    def __init__(
        self, documents: Sequence[Mapping[str, Any]], types: Mapping[str, Sequence[str]]
    ) -> None:
        self._documents = tuple(documents)
        self._types = types

    def __len__(self) -> int:
        return len(self._documents)

    def columns(self, paths: Iterable[str]) -> list[Column]:
        """The values of these fields; of a flattened one, of each key it was seen with.

        A field that no document has is left out.
        """
        columns = []
        for path in paths:
            types = tuple(self._types.get(path, ()))
            if "flattened" in types and (keys := self._subkeys(path)):
                columns += [self._column(f"{path}.{key}", types) for key in keys]
            else:
                columns.append(self._column(path, types))
        return [column for column in columns if column.share]

    def _column(self, path: str, types: tuple[str, ...]) -> Column:
        get = compile_path(path)
        values = tuple(_scalar(get(document)) for document in self._documents)
        return Column(path, types, values)

    def decoded(self, spec: SourceSpec) -> list[LogDocument]:
        """The documents as a source of this description would read them."""
        hits = [{"_source": document} for document in self._documents]
        documents, _ = Decoder(spec).decode_many(hits)
        return documents

    def bytes_a_document(self) -> int:
        """About how large one is."""
        size = sum(len(str(document)) for document in self._documents)
        return max(1, size // max(1, len(self)))

    def _subkeys(self, path: str) -> list[str]:
        get = compile_path(path)
        found: dict[str, None] = {}
        for document in self._documents:
            below = get(document)
            if isinstance(below, Mapping):
                found.update(dict.fromkeys(_leaves(below)))
        return list(found)[:_SUBKEYS_MAX]


class Sampler:
    """Looks at one index pattern. Raises ConnectorError, always."""

    def __init__(self, client: Elasticsearch, pattern: str) -> None:
        self._client = client
        self._pattern = guarded_pattern(pattern, pattern)
        self._doing = f"looking at {pattern}"

    def fields(self) -> dict[str, tuple[str, ...]]:
        """Every field that holds values → its types over all indices.

        What lies in nested objects is left out: a query for one value does not find it.
        So is a name that a request would read as a pattern or a list of names.
        """
        answer = self._ask(
            lambda: self._client.field_caps(
                index=self._pattern,
                fields="*",
                filters="-metadata,-multifield",
                filter_path=_FIELDS_ANSWER,
            )
        )
        mapped: Mapping[str, Mapping[str, Any]] = answer.get("fields", {})
        nested = {path for path, kinds in mapped.items() if "nested" in kinds}
        return {
            path: types
            for path, kinds in sorted(mapped.items())
            if (types := tuple(sorted(set(kinds) - {"object", "nested", "unmapped"})))
            and nested.isdisjoint(parents(path))
            and _NOT_A_NAME.isdisjoint(path)
            and path.isprintable()
        }

    def extent(self, time_field: str, now: datetime) -> Extent:
        """How much there is, and when."""
        answer = self._ask(
            lambda: self._client.search(
                index=self._pattern,
                query=_own_left_out(),
                size=0,
                track_total_hits=_COUNTED_UP_TO,
                aggregations={
                    "oldest": {"min": {"field": time_field}},
                    "newest": {"max": {"field": time_field}},
                    "future": {"filter": time_range(time_field, gt=to_iso(now))},
                },
                allow_partial_search_results=False,
            )
        )
        figures = answer["aggregations"]
        return Extent(
            documents=answer["hits"]["total"]["value"],
            future=figures["future"]["doc_count"],
            oldest=_from_ms(figures["oldest"].get("value")),
            newest=_from_ms(figures["newest"].get("value")),
        )

    def newest(
        self,
        time_field: str,
        types: Mapping[str, Sequence[str]],
        *,
        size: int,
        until: datetime,
    ) -> Sample:
        """The newest `size` documents up to a time, with the fields of `types` only."""
        bounds = time_range(time_field, lte=to_iso(until))
        return self._search(time_field, types, [bounds], size)

    def of_keys(
        self,
        time_field: str,
        types: Mapping[str, Sequence[str]],
        key: tuple[str, Sequence[str]],
        *,
        size: int,
        since: datetime,
        until: datetime,
    ) -> Sample:
        """The newest documents of some values of a field, within a time.

        `key`: the field and its values. Empty where no query can find them.
        """
        path, values = key
        answer = self._ask(
            lambda: self._client.field_caps(
                index=self._pattern,
                fields=[path, f"{path}.keyword", *parents(path)],
                include_unmapped=True,
            )
        )
        clause = Capabilities(answer).value_clause(path, values)
        if clause is None or not values:
            return Sample((), types)
        bounds = time_range(time_field, gte=to_iso(since), lte=to_iso(until))
        return self._search(time_field, types, [bounds, clause], size)

    def _search(
        self,
        time_field: str,
        types: Mapping[str, Sequence[str]],
        clauses: Sequence[Clause],
        size: int,
    ) -> Sample:
        nanos = "date_nanos" in types.get(time_field, ())
        answer = self._ask(
            lambda: self._client.search(
                index=self._pattern,
                query=_own_left_out(*clauses),
                sort=[sort_clause(time_field, nanos, "desc")],
                size=size,
                source={"includes": list(types)},
                fields=[_requested(path, types[path]) for path in types],
                track_total_hits=False,
                allow_partial_search_results=False,
            )
        )
        hits: list[Mapping[str, Any]] = answer["hits"]["hits"]
        dates = {p for p in types if {"date", "date_nanos"}.intersection(types[p])}
        return Sample([_merged(hit, dates) for hit in reversed(hits)], types)

    def _ask(self, request: Any) -> Any:
        try:
            return request()
        except (ApiError, TransportError) as error:
            raise translate(error, self._doing) from error


def sample_of(
    client: Elasticsearch, spec: SourceSpec, *, size: int, until: datetime
) -> list[LogDocument]:
    """The newest documents of a source as it is described, the oldest first.

    Raises ConnectorError.
    """
    sampler = Sampler(client, spec.index)
    types = sampler.fields()
    wanted = {path: types.get(path, ()) for path in needed_fields(spec)}
    return sampler.newest(spec.time_field, wanted, size=size, until=until).decoded(spec)


def _own_left_out(*clauses: Clause) -> dict[str, Any]:
    return {"bool": {"filter": list(clauses), "must_not": own_output_clauses()}}


def _requested(path: str, types: Sequence[str]) -> dict[str, Any]:
    if {"date", "date_nanos"}.intersection(types):
        return {"field": path, "format": TIME_FORMAT}
    return {"field": path}


def _merged(hit: Mapping[str, Any], dates: set[str]) -> dict[str, Any]:
    """`_source`, and beside it what only the mapping gives or gives readably."""
    source = dict(hit.get("_source") or {})
    for path, value in (hit.get("fields") or {}).items():
        own = compile_path(path)(source)
        if own is None or (path in dates and not _readable(own)):
            source[path] = value
    return source


def _readable(value: Any) -> bool:
    try:
        read_time(value)
    except ValueError:
        return False
    return True


def _scalar(value: Any) -> Any:
    """A value a column can hold: the first of a list; nothing for what is empty."""
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value == "" or isinstance(value, Mapping) else value


def _leaves(tree: Mapping[str, Any], above: str = "") -> list[str]:
    found = []
    for key, value in tree.items():
        path = f"{above}{key}"
        found += _leaves(value, f"{path}.") if isinstance(value, Mapping) else [path]
    return found


def _from_ms(value: float | None) -> datetime | None:
    if value is None:
        return None
    try:
        return EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        return None
