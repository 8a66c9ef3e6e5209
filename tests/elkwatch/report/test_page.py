"""The page of a report: what it says, and what it refuses to run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector import EvidenceLine, finding_document
from elkwatch.report import Table, build_report, report_data_from_documents
from elkwatch.report.page import log_text, safe_link
from tests.elkwatch.html_page import Page, assert_nothing_runs
from tests.elkwatch.report_samples import (
    DAY,
    EVIL,
    MODEL,
    TOMORROW,
    evil,
    finding,
    runs,
    whole,
)


def test_the_page_says_what_is_asked_of_it() -> None:
    page = Page(build_report(whole()))
    assert page.open == []
    for said in (
        "2026-11-22 00:00:02 to 2026-11-22 23:54:06",
        "Elasticsearch 8.19.8", MODEL, "Times in UTC",
        "217,330 log lines read", "140 findings", "5 classes", "14 mails",
        "13 webhook calls", "2 high or critical",
        "Findings every 30 minutes, by class",
        "PostgreSQL deadlock", "Writes fail now.", "Services", "billing-db", "db-4",
        "could not write to file", "1 in 8,955", "9.1 nats", "Expected instead",
        "93 %", "Expected, but never came", "execute <unnamed>: COMMIT",
        "session 6b03", "These lines in the logs", "unknown kind",
        "Quality of the model", "0.989", "How the pipeline did", "Dead letters",
        "checkout: 1 failed run, the last with: Elasticsearch at https://es:9200",
        "31 more not shown", "Services over time", "Messages and memory",
        "240 rounds", "12 messages sent", "(it has worked again since)",
    ):  # fmt: skip
        assert said in page.text, said


def test_nothing_is_loaded_and_nothing_runs() -> None:
    html = build_report(whole())
    page = Page(html)
    assert_nothing_runs(page)
    assert "url(" not in html
    assert "@import" not in html
    links = [a["href"] or "" for a in page.all("a")]
    assert links
    assert all(link.startswith("https://kibana.example.org/") for link in links)


def test_log_text_is_only_text() -> None:
    data = report_data_from_documents(
        [evil()],
        generated_at=TOMORROW,
        engine=EVIL,
        title=EVIL,
        notifications={EVIL: 1},
        quality=Table((EVIL,), ((EVIL,),), EVIL),
    )
    html = build_report(data)
    page = Page(html)
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert "⟨U+202E⟩gnp.exe⟨U+001B⟩[31m" in page.text
    assert EVIL in page.text
    assert page.all("a") == []
    assert page.open == []


def test_links_only_to_the_web() -> None:
    assert safe_link("https://kibana/app?a=1#/b") == "https://kibana/app?a=1#/b"
    for bad in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil",
        "",
        None,
        "http://[",
    ):
        assert safe_link(bad) is None


def test_long_texts_are_cut() -> None:
    assert log_text("x" * 2000, 100) == "x" * 100 + " … (1,900 more characters)"
    assert log_text("bad\ud800") == "bad⟨U+D800⟩"
    assert log_text("two\nlines\tand") == "two\nlines\tand"


def test_the_same_data_give_the_same_page() -> None:
    assert build_report(whole()) == build_report(whole())


def test_a_quiet_period() -> None:
    quiet = report_data_from_documents([], runs(3), generated_at=TOMORROW)
    assert "deviated from what the model knows" in Page(build_report(quiet)).text
    nothing = report_data_from_documents([], [], generated_at=TOMORROW)
    text = Page(build_report(nothing)).text
    assert "No findings in this period" in text
    assert "look whether elkwatch was running" in text
    assert nothing.period_start == TOMORROW - timedelta(hours=1)


def test_classes_beyond_the_palette_are_others() -> None:
    documents = [
        finding_document(finding(n, 2, class_id=f"c{n:02}"), "default")
        for n in range(60)
    ]
    data = report_data_from_documents(documents, generated_at=TOMORROW)
    assert data.timeline is not None
    assert len(data.timeline.counts) == 9
    assert sum(data.timeline.counts[-1]) == 52
    page = Page(build_report(data))
    assert "other classes 52" in page.text
    assert "20 further classes are in the table" in page.text


def test_times_are_shown_in_the_readers_zone() -> None:
    text = Page(build_report(whole(zone=ZoneInfo("Asia/Shanghai")))).text
    assert "Times in Asia/Shanghai (UTC+08:00)" in text
    assert "2026-11-23 08:00:00" in text


def test_hostile_findings_leave_the_page_small() -> None:
    """Each of a class, service and host of its own, with endless evidence."""
    line = EvidenceLine(1, "t" * 5000, "m" * 30_000, 9.0, (("e" * 5000, 0.5),) * 40)
    made = finding(1, evidence=(line,) * 60, missing=("x" * 900,) * 500)
    document = finding_document(made, "default")

    def many() -> Iterator[dict[str, Any]]:
        for number in range(30_000):
            yield document | {
                "service": {"name": f"service {number}"},
                "host": {"name": f"host {number}"},
                "elkwatch": document["elkwatch"] | {"class": {"id": f"c{number}"}},
            }

    data = report_data_from_documents(
        many(), generated_at=TOMORROW, period=(DAY, TOMORROW)
    )
    html = build_report(data)
    assert data.findings == 30_000
    assert data.more_kinds == 29_800
    assert len(data.classes) == 201
    assert len(html) < 6_000_000
    text = Page(html).text
    for said in (
        "29,800 further classes are counted together",
        "48 more unexpected lines are not shown",
        "and 480 more",
        "29,988 more services had fewer findings",
    ):
        assert said in text, said
