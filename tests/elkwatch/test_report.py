"""The HTML report: what it says, what it refuses to run, and how it looks."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector import (
    EvidenceLine,
    RunFigures,
    TickFigures,
    finding_document,
    run_document,
    tick_document,
)
from elkwatch.config import SourceSettings
from elkwatch.model_quality import model_quality
from elkwatch.report import (
    ReportData,
    Table,
    build_report,
    collect,
    report_data_from_documents,
)
from elkwatch.report.grid import build_grid, draw_grid
from elkwatch.report.page import log_text, safe_link
from elkwatch.report.timeline import Buckets, bucket_text, build_timeline, draw
from model import save_bundle, train
from tests.elkwatch.browser import browse, needs_browser
from tests.elkwatch.report_samples import DAY, MODEL, finding, findings, runs
from tests.model.builders import shop
from tests.model.conftest import CONFIG

TOMORROW = DAY + timedelta(days=1)
VOID = {"meta", "link", "br", "img", "input", "rect", "line", "path", "circle", "text"}


def whole(**changes: Any) -> ReportData:
    values: dict[str, Any] = {
        "generated_at": TOMORROW,
        "engine": "Elasticsearch 8.19.8",
        "notifications": {"mails": 14, "webhook calls": 13},
        "quality": Table(("Kind", "F1"), (("all", "0.989"),), "against labels"),
    }
    return report_data_from_documents(findings(), runs(), **(values | changes))


class Page(HTMLParser):
    """What a browser would make of the page, as far as a parser can tell."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a beginning"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


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
    (policy,) = [m for m in page.all("meta") if "http-equiv" in m]
    content = policy["content"] or ""
    assert content.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in content
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(
        tag for tag, _ in page.tags
    )
    for _, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on") or a == "style"]
    assert "url(" not in html
    assert "@import" not in html
    links = [a["href"] or "" for a in page.all("a")]
    assert links
    assert all(link.startswith("https://kibana.example.org/") for link in links)


EVIL = "<script>document.title='hacked'</script>\"'&<img src=x onerror=alert(1)>"


def evil() -> dict[str, Any]:
    """A finding with an attack in every text."""
    line = EvidenceLine(
        1, EVIL, EVIL + "\u202egnp.exe\x1b[31m\x00", 200.0, ((EVIL, 0.5),)
    )
    made = finding(
        1, 0, session=EVIL, class_name=EVIL, advice=EVIL, causes=(EVIL,), service=EVIL,
        host=EVIL, evidence=(line,), missing=(EVIL,), class_id=EVIL, pattern=EVIL,
        source=EVIL, model_version=EVIL, log_url="javascript:alert(1)",
    )  # fmt: skip
    return finding_document(made, "default")


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


def test_times_are_shown_in_the_readers_zone() -> None:
    text = Page(build_report(whole(zone=ZoneInfo("Asia/Shanghai")))).text
    assert "Times in Asia/Shanghai (UTC+08:00)" in text
    assert "2026-11-23 08:00:00" in text


def test_run_figures_add_up() -> None:
    shop, checkout = sorted(
        report_data_from_documents([], runs(), generated_at=TOMORROW).health,
        key=lambda health: health.failed,
    )
    assert (shop.runs, shop.dead_letters, shop.late) == (240, 1, 27)
    assert shop.unknown_ratio == pytest.approx(0.004)
    assert shop.lag_s == pytest.approx(31.5 + 239 % 7)
    assert checkout.last_failure is not None
    told = report_data_from_documents([], runs(), generated_at=TOMORROW).notifications
    assert told == (("notifications", 12),)


def test_the_timeline_covers_the_period_with_readable_buckets() -> None:
    minute = int(DAY.timestamp()) // 60
    counts = {("a", minute): 2, ("b", minute + 90): 1, ("a", minute + 1440): 5}
    line = build_timeline(counts, ["a"], DAY, TOMORROW)
    assert line is not None
    assert (line.bucket_s, line.start, len(line.counts[0])) == (1800, DAY, 48)
    assert line.counts[0][0] == 2
    assert line.counts[1][3] == 1
    assert line.counts[0][47] == 5
    assert bucket_text(line.bucket_s) == "30 minutes"
    assert build_timeline({("a", 0): 1}, ["a"], DAY, TOMORROW) is None
    drawing = draw(line, ["a", "others"], UTC, width=1000, height=300, columns=8)
    assert [mark.label for mark in drawing.rows] == ["0", "2", "4", "6"]
    assert all(drawing.top <= bar.y < drawing.bottom for bar in drawing.bars)
    assert drawing.bars[-1].hint == "2026-11-22 23:30  a: 5"


def test_services_over_time() -> None:
    minute = int(DAY.timestamp()) // 60
    counts = {(f"s{n}", minute + 60 * n): 20 - n for n in range(15)}
    counts["s0", minute + 1439] = 3
    grid = build_grid(counts, DAY, TOMORROW)
    assert grid is not None
    assert [row.name for row in grid.rows] == [f"s{n}" for n in range(12)]
    assert (grid.more, grid.bucket_s, len(grid.rows[0].counts)) == (3, 1800, 48)
    rows, labels = draw_grid(grid, UTC)
    assert [(c.column, c.shade) for c in rows[0].cells] == [(0, 5), (47, 1)]
    assert rows[1].cells[0].column == 2
    assert labels == ["2026-11-22 00:00", "2026-11-22 12:00", "2026-11-23 00:00"]
    assert build_grid({("s", 0): 1}, DAY, TOMORROW) is None


def test_a_source_that_fails_still_is_told_apart() -> None:
    def run(minute: int, failure: str | None) -> dict[str, Any]:
        at = DAY + timedelta(minutes=minute)
        return run_document(
            RunFigures(f"r{minute}", "shop", at, at, failure=failure), "default"
        )

    for last, said in ((None, "(it has worked again since)"), ("gone", "FAILING")):
        documents = [run(1, None), run(2, "gone"), run(3, last)]
        data = report_data_from_documents([], documents, generated_at=TOMORROW)
        text = Page(build_report(data)).text
        assert said in text
        assert ("FAILING" in text) == (last is not None)


def test_rounds_tell_of_messages_and_memory() -> None:
    def tick(minute: int, **figures: Any) -> dict[str, Any]:
        at = DAY + timedelta(minutes=minute)
        return tick_document(TickFigures(f"r{minute}", at, at, **figures), "default")

    documents = [
        tick(1, sent=2, memory_bytes=600_000_000),
        tick(2, retried=3, failed=1, memory_bytes=900_000_000),
        tick(3, gpu_memory_bytes=2_500_000_000),
    ]
    data = report_data_from_documents([], documents, generated_at=TOMORROW)
    text = Page(build_report(data)).text
    for said in (
        "3 rounds", "2 messages sent", "3 attempts", "1 given up",
        "900 MB of memory", "2.5 GB on the GPU", "alerts list --owed",
    ):  # fmt: skip
        assert said in text, said


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


def test_the_quality_of_each_sources_model(trained_bundle: Path) -> None:
    sources = [
        SourceSettings.model_validate({"name": name, "index": "logs-*", "model": model})
        for name, model in (("shop", trained_bundle), ("lost", "/nowhere"))
    ]
    bare = SourceSettings.model_validate({"name": "bare", "index": "logs-*"})
    table = model_quality([*sources, bare])
    assert table is not None
    first, lost = table.rows
    assert first[0] == "shop"
    assert first[3] == "60"
    assert 0 < float(first[5]) < 3
    assert float(first[6]) >= 1
    assert first[7] == "0"
    assert lost[:2] == ("lost", "/nowhere cannot be read")
    assert model_quality([bare]) is None
    text = Page(build_report(whole(quality=table))).text
    assert "Held-out loss" in text


@pytest.fixture
def trained_bundle(tmp_path: Path) -> Path:
    save_bundle(train(shop(60), CONFIG), tmp_path / "bundle", now=DAY)
    return tmp_path / "bundle"


# -- in a real browser ---------------------------------------------------------------


@needs_browser
def test_the_policy_lets_the_style_in_and_scripts_out(tmp_path: Path) -> None:
    html = build_report(whole())
    dom, console = browse(tmp_path, html)
    assert console == ""
    assert dom.count("<details") == whole().shown
    attacked = html.replace(
        "</main>", "<script>document.title='hacked'</script></main>"
    )
    dom, console = browse(tmp_path, attacked)
    assert "<title>hacked" not in dom
    assert "Content Security Policy" in console


@needs_browser
@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("kind", ["usual", "evil"])
def test_no_sideways_scrolling(tmp_path: Path, width: int, kind: str) -> None:
    if kind == "usual":
        data = whole()
    else:
        data = report_data_from_documents(
            [evil(), finding_document(finding(2, 0, session="x" * 500), "d")],
            generated_at=TOMORROW,
        )
    html = build_report(data)
    # A copy without the policy, so that the page can be measured from within.
    start = html.index('<meta http-equiv="Content-Security-Policy"')
    bare = html[:start] + html[html.index(">", start) + 1 :]
    measure = (
        "<script>document.body.style.width='" + str(width) + "px';"
        "document.title = 'over:' + (document.body.scrollWidth - " + str(width) + ")"
        "</script></body>"
    )
    dom, _ = browse(
        tmp_path, bare.replace("</body>", measure), f"--window-size={width},1200"
    )
    assert "<title>over:0</title>" in dom


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_dark_where_the_reader_wants_it(tmp_path: Path, dark: bool) -> None:
    html = build_report(whole())
    start = html.index('<meta http-equiv="Content-Security-Policy"')
    bare = html[:start] + html[html.index(">", start) + 1 :]
    ask = (
        "<script>document.title = 'ground:' + "
        "getComputedStyle(document.body).backgroundColor</script></body>"
    )
    wish = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    dom, _ = browse(tmp_path, bare.replace("</body>", ask), wish)
    ground = "rgb(13, 20, 27)" if dark else "rgb(244, 246, 249)"
    assert f"<title>ground:{ground}</title>" in dom


@needs_browser
def test_it_can_be_printed(tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    browse(tmp_path, build_report(whole()), f"--print-to-pdf={out}")
    assert out.read_bytes().startswith(b"%PDF-")
    assert out.stat().st_size > 20_000
