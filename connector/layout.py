"""Whether a source can be read as it is described, and how.

`examine` asks once, before reading: does the pattern match anything, is every field
there, with a type that serves, in which order shall be read? What is wrong comes as one
line; what is merely unfortunate as a warning in the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from connector.capabilities import Capabilities, parents
from connector.decoded_fields import INGESTED_FIELD, MESSAGE_FALLBACKS, needed_fields
from connector.errors import FieldMissing, FieldUnfit, IndexMissing
from connector.fieldpaths import compile_path
from connector.own_output import guarded_pattern, own_output_clauses
from connector.pit import TIME_FORMAT, sort_clause
from connector.records import SourceSpec
from connector.timestamps import read_time

_DATE_TYPES = frozenset({"date", "date_nanos"})
_SAMPLE_SIZE = 50


@dataclass(frozen=True, slots=True)
class FieldReport:
    """One field of a source: its role, path, and types (empty: mapped nowhere).

    `has_keyword`: wherever it is text, the exact value is searched in its `.keyword`.
    """

    role: str
    path: str
    types: tuple[str, ...]
    has_keyword: bool = False


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What `LogSource.check` found.

    `indices`: how many the pattern matches; `empty`: none of them holds a document yet,
    so that fields may still be unmapped. `cursor_field`: the order of reading.
    """

    source: str
    pattern: str
    indices: int
    empty: bool
    cursor_field: str
    fields: tuple[FieldReport, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a source is read.

    `computed`: fields that `_source` does not give (aliases, runtime fields, constants)
    or not readably (times in a format of their own); they are asked for by mapping.
    """

    pattern: str
    capabilities: Capabilities
    cursor_field: str
    includes: tuple[str, ...]
    computed: tuple[str, ...]

    def nanos(self, path: str) -> bool:
        """Whether a time field is a date_nanos in some index."""
        return "date_nanos" in self.capabilities.types(path)

    def fields_clause(self, time_field: str) -> tuple[dict[str, Any], ...]:
        """The `fields` of a search, for what `_source` does not give."""
        return tuple(_field_request(path, time_field) for path in self.computed)


def examine(client: Elasticsearch, spec: SourceSpec) -> tuple[SourceReport, Layout]:
    """The report of a source, and the layout to read it by.

    Raises OwnOutputRefused, IndexMissing, FieldMissing (all missing fields in one),
    FieldUnfit; what else the client raises comes as it is.
    """
    pattern = guarded_pattern(spec.index, spec.name)
    try:
        capabilities = _ask_capabilities(client, spec, pattern)
        empty = not _exists(client, pattern, {"match_all": {}})
        fields = _field_reports(spec, capabilities)
        if not empty:
            _require(spec, capabilities)
        cursor_field, warnings = _choose_cursor(client, spec, pattern, capabilities)
        samples = [] if empty else _samples(client, spec, pattern, capabilities)
    except NotFoundError as error:
        raise _index_missing(spec) from error
    computed = _computed_fields(spec, capabilities, samples)
    warnings += _optional_warnings(spec, capabilities, empty)
    includes = tuple(dict.fromkeys((*needed_fields(spec), cursor_field)))
    layout = Layout(pattern, capabilities, cursor_field, includes, computed)
    report = SourceReport(
        source=spec.name,
        pattern=pattern,
        indices=len(capabilities.indices),
        empty=empty,
        cursor_field=cursor_field,
        fields=fields,
        warnings=warnings,
    )
    return report, layout


def _ask_capabilities(
    client: Elasticsearch, spec: SourceSpec, pattern: str
) -> Capabilities:
    paths = {INGESTED_FIELD, *needed_fields(spec)}
    wanted = {p for path in paths for p in (path, f"{path}.keyword", *parents(path))}
    answer = client.field_caps(
        index=pattern,
        fields=sorted(wanted),
        include_unmapped=True,
        index_filter={"bool": {"must_not": own_output_clauses()}},
    )
    capabilities = Capabilities(answer.body)
    if not capabilities.indices:
        raise _index_missing(spec)
    return capabilities


def _index_missing(spec: SourceSpec) -> IndexMissing:
    return IndexMissing(
        f"source {spec.name}: no index matches {spec.index}; check sources.index, and "
        "that the credentials may read it (what they may not, a pattern does not match)"
    )


def _roles(spec: SourceSpec) -> list[tuple[str, str]]:
    roles = [("message", spec.message_field), ("time", spec.time_field)]
    roles += [("session", path) for path in spec.key_fields]
    roles += [
        ("severity", spec.severity_field),
        ("service", spec.service_field),
        ("host", spec.host_field),
    ]
    if spec.sequence_field:
        roles.append(("sequence", spec.sequence_field))
    return roles


def _field_reports(
    spec: SourceSpec, capabilities: Capabilities
) -> tuple[FieldReport, ...]:
    return tuple(
        FieldReport(
            role, path, capabilities.types(path), capabilities.has_keyword(path)
        )
        for role, path in _roles(spec)
    )


def _require(spec: SourceSpec, capabilities: Capabilities) -> None:
    """Raises FieldMissing or FieldUnfit where reading would be pointless."""
    missing = []
    messages = (spec.message_field, *MESSAGE_FALLBACKS)
    if not any(capabilities.types(path) for path in messages):
        missing.append(("message_field", spec.message_field))
    if not capabilities.types(spec.time_field):
        missing.append(("time_field", spec.time_field))
    if spec.sequence_field and not capabilities.types(spec.sequence_field):
        missing.append(("sequence_field", spec.sequence_field))
    if spec.session.field or spec.session.fields:
        missing += [
            ("session", path)
            for path in spec.key_fields
            if not capabilities.types(path)
        ]
    if missing:
        named = ", ".join(f"{path} ({key})" for key, path in missing)
        raise FieldMissing(
            f"source {spec.name}: {spec.index} has no field {named}; name the ones it "
            "has in the source's configuration",
            fields=[path for _, path in missing],
        )
    unfit = sorted(set(capabilities.types(spec.time_field)) - _DATE_TYPES)
    if unfit:
        where = sorted(capabilities.indices_of(spec.time_field, unfit[0]))
        raise FieldUnfit(
            f"source {spec.name}: time_field {spec.time_field} is mapped as "
            f"{unfit[0]} in {', '.join(where[:3])}; name a date field, or leave these "
            "indices out of the pattern"
        )


def _choose_cursor(
    client: Elasticsearch, spec: SourceSpec, pattern: str, capabilities: Capabilities
) -> tuple[str, tuple[str, ...]]:
    """The time of ingestion where every document has it, else the document's own."""
    types = capabilities.types(INGESTED_FIELD)
    if not types or not _DATE_TYPES.issuperset(types):
        return spec.time_field, ()
    if _exists(client, pattern, capabilities.missing_clause(INGESTED_FIELD)):
        return spec.time_field, (
            f"some documents have no {INGESTED_FIELD}: reading by {spec.time_field}, "
            "so what arrives later than query_delay and overlap is missed",
        )
    return INGESTED_FIELD, ()


def _exists(client: Elasticsearch, pattern: str, clause: dict[str, Any]) -> bool:
    answer = client.search(
        index=pattern,
        query={"bool": {"filter": [clause], "must_not": own_output_clauses()}},
        size=0,
        terminate_after=1,
        track_total_hits=1,
        allow_partial_search_results=False,
    )
    found: int = answer["hits"]["total"]["value"]
    return found > 0


def _samples(
    client: Elasticsearch, spec: SourceSpec, pattern: str, capabilities: Capabilities
) -> list[Mapping[str, Any]]:
    """The newest documents, each field both from `_source` and by mapping."""
    paths = [path for path in needed_fields(spec) if capabilities.types(path)]
    nanos = "date_nanos" in capabilities.types(spec.time_field)
    answer = client.search(
        index=pattern,
        query={"bool": {"must_not": own_output_clauses()}},
        sort=[sort_clause(spec.time_field, nanos, "desc")],
        size=_SAMPLE_SIZE,
        source={"includes": list(needed_fields(spec))},
        fields=[_field_request(path, spec.time_field) for path in paths],
        track_total_hits=False,
        allow_partial_search_results=False,
    )
    hits: list[Mapping[str, Any]] = answer["hits"]["hits"]
    return hits


def _field_request(path: str, time_field: str) -> dict[str, Any]:
    if path == time_field:
        return {"field": path, "format": TIME_FORMAT}
    return {"field": path}


def _computed_fields(
    spec: SourceSpec, capabilities: Capabilities, samples: list[Mapping[str, Any]]
) -> tuple[str, ...]:
    computed = []
    for path in needed_fields(spec):
        if not capabilities.types(path):
            continue
        get = compile_path(path)
        for hit in samples:
            value = get(hit.get("_source", {}))
            given = path in hit.get("fields", {})
            unread = path == spec.time_field and not _readable(value)
            if given and (value is None or unread):
                computed.append(path)
                break
    return tuple(computed)


def _readable(value: Any) -> bool:
    try:
        read_time(value)
    except ValueError:
        return False
    return True


def _optional_warnings(
    spec: SourceSpec, capabilities: Capabilities, empty: bool
) -> tuple[str, ...]:
    if empty:
        return ("holds no document yet: its fields could not be checked",)
    warnings = [
        f"no field {path} ({role}_field): findings will not name it"
        for role, path in _roles(spec)
        if role in {"severity", "service", "host"} and not capabilities.types(path)
    ]
    warnings += [
        f"{path} (session) is not mapped in every index: documents without it are "
        "taken by windows"
        for path in spec.key_fields
        if capabilities.types(path) and not capabilities.everywhere(path)
    ]
    return tuple(warnings)
