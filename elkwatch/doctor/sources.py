"""Each source: can it be read, does it bring lines, and how far is its cursor?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from connector import (
    ElasticCursorStore,
    ElasticStateStore,
    FieldReport,
    LogSource,
    SourceReport,
)
from elkwatch.config import SourceSettings, translate
from elkwatch.doctor.case import IMPATIENT, Case, Sample
from elkwatch.doctor.cluster import CONNECTION
from elkwatch.doctor.records import Check, Outcome, fail, ok, warn
from elkwatch.doctor.words import length
from elkwatch.log_files import plural

SAMPLE = 1000

_TEXTS = {"text", "match_only_text", "keyword", "wildcard", "constant_keyword"}
_KEYS = {"keyword", "constant_keyword", "flattened", "wildcard", "ip", "long"}
_NAMES = {"severity", "service", "host"}
_FUTURE = timedelta(seconds=60)
_QUIET = timedelta(hours=1)
_BEHIND = timedelta(minutes=10)
_MOST_SHARE = 0.5


def checks(case: Case) -> list[Check]:
    """The checks of this group, and the samples that those of the models need."""
    return [check for source in case.sources for check in _of(case, source)]


def fields_check(source: SourceSettings) -> str:
    """The name of the check whether a source can be read."""
    return f"source {source.name}"


def lines_check(source: SourceSettings) -> str:
    """The name of the check that takes a sample of a source."""
    return f"lines of {source.name}"


def _of(case: Case, source: SourceSettings) -> list[Check]:
    readable = fields_check(source)
    return [
        Check(readable, lambda: _fields(case, source), (CONNECTION,)),
        Check(lines_check(source), lambda: _lines(case, source), (readable,)),
        Check(f"cursor of {source.name}", lambda: _cursor(case, source), (CONNECTION,)),
    ]


def _fields(case: Case, settings: SourceSettings) -> Iterator[Outcome]:
    """The same look that the service takes before it reads."""
    source = LogSource(case.client, translate.source_spec(settings), retry=IMPATIENT)
    report = source.check()
    case.readers[settings.name] = source
    yield ok(_told(report, settings))
    for warning in report.warnings:
        if not warning.startswith("no field "):  # told below, together
            yield warn(warning, "")
    unnamed = [f for f in report.fields if f.role in _NAMES and not f.types]
    if unnamed and not report.empty:
        yield warn(
            f"no field {', '.join(f.path for f in unnamed)}: findings will not say",
            "name those it has as "
            + ", ".join(f"{f.role}_field" for f in unnamed)
            + ", or leave it so",
        )
    for field in report.fields:
        yield from _type(field)


def _told(report: SourceReport, settings: SourceSettings) -> str:
    rule = translate.source_spec(settings).session
    keys = rule.field or rule.pattern or ", ".join(rule.fields) or "service and host"
    indices = plural(report.indices, "index", "indices")
    unit = "" if rule.ends else f" in windows of {rule.unit_s:g} s"
    return (
        f"{settings.index}: {indices}, read by {report.cursor_field}, "
        f"sessions by {keys}{unit}; elkwatch's own output is left out"
    )


def _type(field: FieldReport) -> Iterator[Outcome]:
    types = set(field.types)
    said = " and ".join(field.types)
    if field.role == "message" and types - _TEXTS:
        yield warn(
            f"message_field {field.path} is mapped as {said}",
            "name the field that holds the text of the line",
        )
    slow = bool(types) and not types & _KEYS and not field.has_keyword
    if field.role == "session" and slow:
        yield warn(
            f"session field {field.path} is mapped as {said}: finding a session again "
            "is slow",
            "map it as keyword, or with a keyword field named .keyword below it",
        )


def _lines(case: Case, settings: SourceSettings) -> Iterator[Outcome]:
    source = case.readers[settings.name]
    page = source.newest(SAMPLE)
    case.samples[settings.name] = Sample(page.documents)
    if not page.documents:
        yield warn(f"{settings.index} holds no document", "is the shipper running?")
        return
    number = len(page.documents) + len(page.problems)
    newest = page.documents[0].time
    age = case.now - newest
    ahead = sum(d.time > case.now + _FUTURE for d in page.documents)
    counts = source.counts
    told = f"the newest of {number} looked at is {length(age)} old"
    if ahead:
        yield warn(
            f"{ahead} of the {number} newest lie in the future, the furthest "
            f"{length(age)}",
            "set the clock or the time zone of what ships them",
        )
    elif age > _QUIET:
        yield warn(told, "is the shipper running, and its clock right?")
    else:
        yield ok(told)
    yield from _shares(settings, number, counts.missing_text, counts.no_key)
    if page.problems:
        yield warn(
            f"{len(page.problems)} of {number} cannot be placed in time "
            f"(first: {page.problems[0].reason})",
            "check time_field",
        )


def _shares(
    settings: SourceSettings, number: int, textless: int, keyless: int
) -> Iterator[Outcome]:
    """Lines without a text teach nothing; those without a key go into windows."""
    with_text, with_key = 1 - textless / number, 1 - keyless / number
    told = f"{with_text:.0%} have a message, {with_key:.0%} a session key"
    if textless == number:
        yield fail(
            f"none has a message in {settings.message_field}",
            "name the field that holds the text as message_field",
        )
    elif 1 - with_text > _MOST_SHARE:
        yield warn(told, "check message_field, or leave these indices out")
    elif keyless == number:
        yield warn(told, "check the source's session: all of it is taken by windows")
    elif 1 - with_key > _MOST_SHARE:
        yield warn(told, "the others are taken by windows; check the source's session")
    else:
        yield ok(told)


def _cursor(case: Case, settings: SourceSettings) -> Iterator[Outcome]:
    store = ElasticStateStore(case.client, case.config.namespace, retry=IMPATIENT)
    cursor = ElasticCursorStore(store).load(settings.name)
    if cursor is None or cursor.position is None:
        yield ok(f"none yet: the first run begins at {settings.start}")
        return
    lag = case.now - cursor.position
    told = f"read up to {length(lag)} ago, by {cursor.cursor_field}"
    schedule = case.config.schedule
    if lag > max(_BEHIND, 5 * schedule.interval + schedule.query_delay):
        yield warn(told, "does `elkwatch run` run? Its log says what holds it up")
    else:
        yield ok(told)
