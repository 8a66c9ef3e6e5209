"""Reading a source: what is new, what was read before, what is late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from msgspec.structs import replace

from connector import (
    ClientConfig,
    InMemoryCursorStore,
    LogDocument,
    LogSource,
    Page,
    SessionRule,
    SourceSpec,
    connect,
)
from connector.seen import DEFAULT_CAPACITY
from elkwatch.config.sources import SourceSettings
from elkwatch.model_drift import Batch
from elkwatch.read_limits import ReadLimits
from elkwatch.source_run import Reading
from model import NO_RATES, Classifier
from tests.connector.samples import document

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMITS = ReadLimits(overlap=MINUTE)
SETTINGS = SourceSettings.model_validate(
    {"name": "shop", "index": "logs", "session": {"field": "session.id"}}
)


class OneEvent(Classifier):
    """Takes every message for the same event; of a model it needs the name."""

    def __init__(self) -> None:
        unused: Any = SimpleNamespace(version="v1", figures={}, rates=NO_RATES)
        self.model = unused

    def event_ids(self, messages: Sequence[str]) -> list[int]:
        return [7] * len(messages)


class Unasked(LogSource):
    """A source whose index nobody looks at."""

    @property
    def cursor_field(self) -> str:
        return "@timestamp"


@pytest.fixture
def client() -> Iterator[Elasticsearch]:
    """Nothing is ever sent with it."""
    with connect(ClientConfig(("http://127.0.0.1:1",))) as made:
        yield made


@dataclass
class Site:
    """Readings of one source, each as of a fresh process."""

    client: Elasticsearch
    cursors: InMemoryCursorStore = field(default_factory=InMemoryCursorStore)

    def reading(self) -> Reading:
        spec = SourceSpec("shop", "logs", session=SessionRule(field="session.id"))
        source = Unasked(self.client, spec)
        return Reading(SETTINGS, source, OneEvent(), self.cursors, LIMITS)


@pytest.fixture
def site(client: Elasticsearch) -> Site:
    return Site(client)


def page(documents: Iterable[LogDocument]) -> Page:
    return Page(tuple(documents), ())


def burst(count: int) -> list[LogDocument]:
    """Documents of the last half minute before noon, evenly spread."""
    step = timedelta(seconds=30) / count
    return [document(str(i), time=NOON - (count - i) * step) for i in range(count)]


def again(reading: Reading, documents: list[LogDocument], now: datetime) -> None:
    """One more run: reads from where it begins."""
    start = reading.begin(now)
    assert start is not None
    reading.take(page(d for d in documents if d.cursor_time >= start))


def test_the_overlap_is_read_again_and_what_is_new_in_it_is_late(site: Site) -> None:
    documents, reading = burst(100), site.reading()
    reading.begin(NOON)
    reading.take(page(documents))
    reading.caught_up()
    reading.save(NOON)
    assert reading.begin(NOON) == NOON - MINUTE
    again(reading, [*documents, document("late", time=NOON - MINUTE / 4)], NOON)
    counts = reading.counts
    assert (counts.documents, counts.late, counts.read_again) == (101, 1, 100)


@pytest.mark.parametrize("restarted", [False, True])
def test_what_an_overlap_held_too_much_of_is_not_taken_for_late(
    site: Site, restarted: bool
) -> None:
    documents, reading = burst(DEFAULT_CAPACITY + 1000), site.reading()
    reading.begin(NOON)
    reading.take(page(documents))
    reading.caught_up()
    reading.save(NOON)
    if restarted:
        reading = site.reading()
        reading.begin(NOON)
        reading.caught_up()
    start = reading.begin(NOON)
    assert start is not None
    assert documents[999].time < start <= documents[1000].time
    reading.counts.documents = reading.counts.read_again = 0
    late = document("late", time=documents[2000].time)
    again(reading, [*documents, late], NOON)
    assert reading.counts.late == 1
    assert reading.counts.documents == 1
    assert reading.counts.read_again == DEFAULT_CAPACITY


def test_nor_when_a_restart_reads_from_before_the_overlap(site: Site) -> None:
    """What is open is read again from its begin, whatever was forgotten of it."""
    documents, reading = burst(DEFAULT_CAPACITY + 1000), site.reading()
    reading.begin(NOON)
    reading.take(page(documents))
    reading.save(NOON)
    restarted = site.reading()
    assert restarted.begin(NOON) == documents[0].time
    restarted.take(page(documents))
    assert restarted.counts.late == 0
    assert restarted.counts.documents == 0


def test_whether_the_model_is_out_of_date_is_kept_with_the_cursor(site: Site) -> None:
    reading = site.reading()
    reading.begin(NOON)
    reading.drift.take(Batch(100, 60, 0))
    reading.save(NOON)
    fresh = site.reading()
    assert not fresh.drift.outdated
    fresh.begin(NOON)
    assert fresh.drift == reading.drift
    assert fresh.drift.outdated


def test_messages_that_templates_see_only_the_begin_of_are_counted(site: Site) -> None:
    documents = [
        replace(d, message="x" * 9000 * (n % 2)) for n, d in enumerate(burst(4))
    ]
    reading = site.reading()
    reading.begin(NOON)
    reading.take(page(documents))
    assert (reading.counts.documents, reading.counts.too_long) == (4, 2)


def test_so_is_what_was_confirmed_after_the_cursor_was_made(site: Site) -> None:
    reading = site.reading()
    reading.begin(NOON)
    cursor = reading.standing_at(NOON)
    reading.drift.take(Batch(100, 60, 0), NOON)
    reading.keep(cursor)
    fresh = site.reading()
    fresh.begin(NOON)
    assert fresh.drift == reading.drift
