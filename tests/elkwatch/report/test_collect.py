"""From documents to the data of a report: all are counted, few are kept."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connector import finding_document
from elkwatch.report import build_report, collect, report_data_from_documents
from elkwatch.report.timeline import Buckets
from tests.elkwatch.html_page import Page
from tests.elkwatch.report_samples import DAY, TOMORROW, finding


def test_a_hundred_thousand_findings_are_counted_and_few_are_shown() -> None:
    def many(count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield finding_document(finding(number, number % 5), "default")

    data = report_data_from_documents(many(100_000), generated_at=TOMORROW)
    html = build_report(data)
    assert data.findings == 100_000
    assert sum(entry.count for entry in data.classes) == 100_000
    assert data.shown == 125
    assert "19,975 more not shown" in Page(html).text
    assert len(html) < 1_000_000


def test_memory_does_not_grow_with_the_findings() -> None:
    def peak_bytes(count: int) -> int:
        document = finding_document(finding(1), "default")
        copies = (copy.deepcopy(document) for _ in range(count))
        tracemalloc.start()
        report_data_from_documents(copies, generated_at=TOMORROW)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    # One kept reference a document would be 156,800 bytes; what else allocates in
    # this process meanwhile (caches, other threads) is a few thousand.
    assert peak_bytes(20_000) - peak_bytes(400) < 100_000


def test_the_gravest_are_shown_first() -> None:
    documents = [
        finding_document(finding(n, 0, risk=risk, session=f"s{risk}"), "default")
        for n, risk in enumerate(range(10, 100))
    ]
    (entry,) = report_data_from_documents(documents, generated_at=TOMORROW).classes
    assert [f.risk for f in entry.findings] == list(range(99, 74, -1))
    assert entry.not_shown == 65


def test_unknown_kinds_of_one_pattern_keep_their_own_names_and_advice() -> None:
    told = {
        "deadlock detected": "Lock in one order.",
        "connection lost": "Ask the peer.",
    }
    documents = [
        finding_document(
            finding(i, 3, class_id="rare-event", class_name=name, advice=advice), "x"
        )
        for i, (name, advice) in enumerate(told.items())
    ]
    data = report_data_from_documents(documents, generated_at=DAY)
    assert {entry.name: entry.advice for entry in data.classes} == told
    assert [entry.count for entry in data.classes] == [1, 1]


def test_withdrawn_normal_and_unreadable_documents() -> None:
    documents = [
        finding_document(finding(1), "default"),
        finding_document(finding(2, status="withdrawn"), "default"),
        finding_document(finding(3, anomaly=False), "default"),
        {"_id": "1", "_source": finding_document(finding(4), "default")},
        {"message": "no class", "@timestamp": "2026-11-22T00:00:00Z"},
        {"rule": {"id": "no time"}},
        {"_source": None},
    ]
    data = report_data_from_documents(documents, generated_at=TOMORROW)
    assert (data.findings, data.withdrawn, data.unreadable) == (2, 1, 3)
    text = Page(build_report(data)).text
    assert "1 finding was withdrawn when late log lines explained it." in text
    assert "3 documents of the findings stream could not be read." in text


def test_dotted_and_sparse_documents() -> None:
    document = {
        "@timestamp": "2026-11-22T10:00:00+08:00",
        "elkwatch.class.id": "c01",
        "elkwatch": {"session.id": "s1", "evidence": [{"message": "m"}, "odd", None]},
        "event": {"severity": 73},
        "service.name": "shop",
    }
    data = report_data_from_documents([document], generated_at=TOMORROW)
    (entry,) = data.classes[0].findings
    assert entry.end == datetime(2026, 11, 22, 2, tzinfo=UTC)
    assert (entry.session, entry.severity, entry.service) == ("s1", "high", "shop")
    assert [e.message for e in entry.evidence] == ["m"]
    assert Page(build_report(data)).open == []


def test_a_year_takes_no_more_memory_than_a_day() -> None:
    def kept(days: int) -> int:
        start = TOMORROW - timedelta(days=days)
        step = timedelta(days=days) / 5000
        documents = (
            finding_document(finding(n, end=start + n * step), "d") for n in range(5000)
        )
        book = collect._Book(Buckets.of(start, TOMORROW).length_s // 60)
        for document in documents:
            book.add(document)
        return len(book.minutes)

    assert kept(365) <= 60 < 5000
    assert kept(1) <= 60
