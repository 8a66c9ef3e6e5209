"""A cluster looked over: every data set as a proposed source, or why it is none.

    data_sets ─▶ fields ─▶ extent ─▶ a look (200) ─▶ roles, keys ─▶ sample ─▶ Proposal
                   └─ no time, no text, too few, all in the future … ─▶ PassedOver

Reads only: two small and one larger search for each data set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from elasticsearch import Elasticsearch

from connector import (
    Column,
    ConnectorError,
    DataSet,
    EngineTooBusy,
    EngineUnreachable,
    Extent,
    LogSource,
    NotAuthenticated,
    PassedOver,
    PrivilegeMissing,
    Sample,
    Sampler,
    SourceSpec,
    data_sets,
    read_time,
)
from elkwatch.proposals.fitness import (
    LEAST_DOCUMENTS,
    MANY_UNKNOWN,
    templates_of,
    unfit_texts,
)
from elkwatch.proposals.followed import followed, span_tells_enough
from elkwatch.proposals.keys import (
    LEAST_TRUST,
    Candidate,
    field_candidates,
    pattern_candidates,
    trust,
)
from elkwatch.proposals.propose import Proposal, best_rule, propose, window_rule
from elkwatch.proposals.roles import (
    NUMBER_TYPES,
    Roles,
    choose,
    ranked,
    time_fields,
)

SAMPLE_SIZE = 5000
MAX_SAMPLE_SIZE = 10_000  # of one search
MAX_DATA_SETS = 100

_LOOK_SIZE = 200
_LOOK_FIELDS = 150
_SAMPLE_BYTES = 16 * 1024 * 1024
_TIME_FIELDS_TRIED = 3
_INGESTED = "event.ingested"
_FLOATS = frozenset({"double", "float", "half_float", "scaled_float", "histogram"})

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Survey:
    """What is proposed, the fittest first, and what is not, with the reason."""

    proposals: tuple[Proposal, ...]
    passed_over: tuple[PassedOver, ...]


class NoSource(Exception):  # noqa: N818 - a finding, not a failure
    """A data set is no source; the text says why."""


def survey(
    client: Elasticsearch,
    now: datetime,
    *,
    pattern: str = "*",
    sample_size: int = SAMPLE_SIZE,
    tell: Tell = lambda name, done, total: None,
) -> Survey:
    """Looks at every data set that `pattern` matches.

    `tell` is called with its name before each. Raises ConnectorError where the cluster
    as a whole cannot be looked at.
    """
    found, passed = data_sets(client, pattern)
    proposals = []
    for done, data_set in enumerate(found[:MAX_DATA_SETS]):
        tell(data_set.pattern, done, min(len(found), MAX_DATA_SETS))
        try:
            proposals.append(look_at(client, data_set, now, sample_size))
        except NoSource as reason:
            passed.append(PassedOver(data_set.pattern, str(reason)))
    for data_set in found[MAX_DATA_SETS:]:
        told = f"not looked at, after {MAX_DATA_SETS} others; name it with --index"
        passed.append(PassedOver(data_set.pattern, told))
    fit = [one for one in proposals if one.fitness.grade != "unfit"]
    fit.sort(key=lambda one: (one.fitness.grade != "good", one.data_set.pattern))
    passed += [
        PassedOver(one.data_set.pattern, "; ".join(one.fitness.reasons))
        for one in proposals
        if one.fitness.grade == "unfit"
    ]
    return Survey(tuple(fit), tuple(sorted(passed, key=lambda one: one.name)))


def look_at(
    client: Elasticsearch, data_set: DataSet, now: datetime, sample_size: int
) -> Proposal:
    """One data set as a source. Raises NoSource, and ConnectorError for the cluster."""
    try:
        return _look_at(client, data_set, now, sample_size)
    except (EngineUnreachable, EngineTooBusy, NotAuthenticated):
        raise
    except PrivilegeMissing as error:
        granted = " and ".join(error.granted_by) or "read"
        raise NoSource(
            f"these credentials may not read it: grant {granted} on it"
        ) from error
    except ConnectorError as error:
        raise NoSource(f"cannot be read: {error}") from error


def _look_at(
    client: Elasticsearch, data_set: DataSet, now: datetime, sample_size: int
) -> Proposal:
    sampler = Sampler(client, data_set.pattern)
    types = sampler.fields()
    time, extent = _time_and_extent(sampler, types, now)
    look = _look(sampler, types, time, now)
    roles = _roles(look, time, types)
    columns = look.columns(paths_to_look_at(types, time))
    keys = field_candidates(c for c in columns if c.path not in _used(roles))
    spec = _spec(data_set, roles)
    for size in (sample_size, MAX_SAMPLE_SIZE):
        sample = _sample(sampler, types, roles, keys, look, size, now)
        messages = [document.message for document in sample.decoded(spec)]
        templates = templates_of(messages)
        # A burst at the end may hide what is usual: once more, with a longer view.
        if templates.unknown_share <= MANY_UNKNOWN or len(sample) < size:
            break
    if reason := unfit_texts(templates):
        raise NoSource(reason)
    candidates = [*keys, *pattern_candidates(messages)]
    best, others = best_rule(sample, spec, candidates)
    if best is None and not span_tells_enough(_span(sample, spec)):
        newest = min(now, extent.newest or now)
        best, others = followed(sampler, spec, types, others, newest)
    if best is not None:
        rule, figures = best.candidate.rule, best.figures
    else:
        rule, figures = window_rule(sample, spec, roles, columns)
    spec = replace(spec, session=rule)
    report = LogSource(client, spec).check()
    proposal = propose(data_set, spec, roles, extent, templates, figures, others)
    notes = (*_notes(extent, now), *report.warnings)
    return replace(proposal, ingest_gap_s=_ingest_gap_s(sample, roles), notes=notes)


def _time_and_extent(
    sampler: Sampler, types: Mapping[str, Sequence[str]], now: datetime
) -> tuple[str, Extent]:
    """The best time field that holds the past. Raises NoSource."""
    if not types:
        raise NoSource("holds no field: is it empty?")
    names = time_fields(types)
    if not names:
        texts = [p for p in types if "time" in p.lower() or p == "@timestamp"]
        hint = f" ({texts[0]} is mapped as {types[texts[0]][0]})" if texts else ""
        raise NoSource(f"no date field says when a line was written{hint}")
    future: tuple[str, Extent] | None = None
    for name in names[:_TIME_FIELDS_TRIED]:
        extent = sampler.extent(name, now)
        if extent.documents < LEAST_DOCUMENTS:
            raise NoSource(_too_few(extent.documents))
        if extent.newest is None:
            continue
        if extent.oldest is not None and extent.oldest <= now:
            return name, extent
        future = future or (name, extent)
    if future is not None:
        raise NoSource(
            f"every document is dated in the future by {future[0]} (up to "
            f"{future[1].newest:%Y-%m-%d}): check the clock of the shipper"
        )
    raise NoSource(f"no document has a time in {', '.join(names[:_TIME_FIELDS_TRIED])}")


def _too_few(documents: int) -> str:
    if not documents:
        return "holds no document yet"
    return (
        f"too few documents to learn from: {documents}, at least {LEAST_DOCUMENTS} "
        "are needed"
    )


def paths_to_look_at(types: Mapping[str, Sequence[str]], time: str) -> list[str]:
    """The fields worth a look, however many there are: at most 150."""
    keys = sorted(types, key=lambda path: (-trust(path), path))
    first = [path for path in keys if trust(path) >= LEAST_TRUST]
    return ranked(types, [time, *first])[:_LOOK_FIELDS]


def _look(
    sampler: Sampler, types: Mapping[str, Sequence[str]], time: str, now: datetime
) -> Sample:
    wanted = {path: types[path] for path in (time, *paths_to_look_at(types, time))}
    return sampler.newest(time, wanted, size=_LOOK_SIZE, until=now)


def _roles(look: Sample, time: str, types: Mapping[str, Sequence[str]]) -> Roles:
    """Raises NoSource where no field holds the text of a line."""
    columns = look.columns(paths_to_look_at(types, time))
    roles = choose(time, columns)
    if roles is not None:
        return roles
    numbers = sum(
        bool((NUMBER_TYPES | _FLOATS).intersection(kinds)) for kinds in types.values()
    )
    if numbers >= 3:
        raise NoSource(f"metrics only: {numbers} number fields and no message")
    raise NoSource("no field holds the text of a line")


def _used(roles: Roles) -> set[str]:
    return {roles.time, roles.message, roles.severity or "", roles.sequence or ""}


def _sample(
    sampler: Sampler,
    types: Mapping[str, Sequence[str]],
    roles: Roles,
    keys: Sequence[Candidate],
    look: Sample,
    size: int,
    now: datetime,
) -> Sample:
    """The newest documents with the fields that count, as many as fit the budget."""
    optional = (roles.severity, roles.service, roles.host, roles.sequence)
    paths = [roles.time, roles.message, *filter(None, optional)]
    paths += [key.rule.field for key in keys if key.rule.field]
    paths += [p for p in (_INGESTED, "event.sequence", "log.offset") if p in types]
    wanted = {path: types.get(path, ("flattened",)) for path in paths}
    fitting = max(LEAST_DOCUMENTS, _SAMPLE_BYTES // look.bytes_a_document())
    return sampler.newest(roles.time, wanted, size=min(size, fitting), until=now)


def _spec(data_set: DataSet, roles: Roles) -> SourceSpec:
    plain = SourceSpec(name=data_set.name, index=data_set.pattern)
    return replace(
        plain,
        time_field=roles.time,
        message_field=roles.message,
        severity_field=roles.severity or plain.severity_field,
        service_field=roles.service or plain.service_field,
        host_field=roles.host or plain.host_field,
        sequence_field=roles.sequence,
    )


def _span(sample: Sample, spec: SourceSpec) -> timedelta:
    times = [document.time for document in sample.decoded(spec)]
    return max(times) - min(times) if times else timedelta()


def _notes(extent: Extent, now: datetime) -> list[str]:
    notes = []
    if extent.future:
        notes.append(
            f"{extent.future:,} documents are dated in the future and were left out"
        )
    newest = extent.newest
    if newest is not None and not extent.future and (now - newest).days >= 1:
        notes.append(f"nothing has come in since {newest:%Y-%m-%d %H:%M} UTC")
    return notes


def _ingest_gap_s(sample: Sample, roles: Roles) -> float | None:
    columns = sample.columns([_INGESTED, roles.time])
    if len(columns) < 2:
        return None
    return median(_gaps_s(*columns)) if columns[0].path == _INGESTED else None


def _gaps_s(ingested: Column, happened: Column) -> list[float]:
    gaps = []
    for later, earlier in zip(ingested.values, happened.values, strict=True):
        try:
            gaps.append((read_time(later) - read_time(earlier)).total_seconds())
        except ValueError:
            continue
    return gaps or [0.0]
