"""The dashboards drawn from a real Elasticsearch, and looked at in a real browser."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from elasticsearch import Elasticsearch

from connector import Results, finding_document, install, run_stream_name, stream_name
from elkwatch.cli import shell
from elkwatch.preview import DrawnBoard, draw_dashboards
from kibana import BuildWishes, build_objects
from kibana.preview import Figure, Nothing, Period, Picture, Sheet
from tests.elkwatch.browser import measure, needs_browser
from tests.elkwatch.report_samples import DAY, finding, findings, runs

Documents = Iterable[Mapping[str, Any]]
HOSTILE = '</svg><script>alert(1)</script><b>"bold"</b> \x00\x1b[31m\u202e *:* or {x:y}'


@dataclass(slots=True)
class Town:
    """A namespace with findings and run figures in it, and a configuration."""

    es: Elasticsearch
    url: str
    namespace: str
    folder: Path

    def fill(self, found: Documents, ran: Documents) -> None:
        """Index documents as the service writes them."""
        install(self.es, self.namespace)
        operations: list[Mapping[str, Any]] = []
        for stream, documents in (
            (stream_name(self.namespace), found),
            (run_stream_name(self.namespace), ran),
        ):
            for document in documents:
                spaced = {**document["data_stream"], "namespace": self.namespace}
                operations += (
                    {"create": {"_index": stream}},
                    {**document, "data_stream": spaced},
                )
        answer = self.es.bulk(operations=operations, refresh=True)
        assert not answer["errors"], answer

    def draw(self) -> dict[str, Any]:
        """What each panel shows, by the id it has on the page."""
        period = Period(DAY, DAY + timedelta(hours=24), UTC)
        search = Results(self.es, self.namespace).search
        return shown(
            draw_dashboards(build_objects(BuildWishes(self.namespace)), search, period)
        )

    def page(self, *options: str, masks: Sequence[str] = ()) -> str:
        """The page that the command writes."""
        path = self.folder / "elkwatch.yml"
        source = {"name": "shop", "index": "logs-shop-*", "model": "model"}
        body = {
            "elasticsearch": {"hosts": [self.url]},
            "namespace": self.namespace,
            "privacy": {"mask": list(masks)},
            "sources": [{**source, "session": {"field": "session.id"}}],
        }
        path.write_text(yaml.safe_dump(body), "utf-8")
        times = ("--from", "2026-11-22T00:00:00Z", "--to", "2026-11-23T00:00:00Z")
        command = ["dashboards", "preview", "--config", str(path)]
        out = self.folder / "drawn"
        assert shell.run([*command, *(options or times), "--out", str(out)]) == 0
        return (out / "preview.html").read_text("utf-8")


@pytest.fixture
def town(es: Elasticsearch, engine_url: str, namespace: str, tmp_path: Path) -> Town:
    return Town(es, engine_url, namespace, tmp_path)


def shown(boards: Iterable[DrawnBoard]) -> dict[str, Any]:
    return {
        f"{drawn.board.id.removeprefix('elkwatch-')}/{panel.view.key}": panel.shows
        for drawn in boards
        for panel in drawn.panels
    }


def told(shows: Any) -> str:
    assert isinstance(shows, Figure)
    return shows.value


def sums(shows: Any, by: str = "s") -> dict[str, float]:
    """The sum of a chart's values by a part of them."""
    assert isinstance(shows, Picture)
    counted: Counter[str] = Counter()
    for value in shows.spec(600, 200)["data"]["values"]:
        counted[value[by]] += value.get("v", 1)
    return {name: number for name, number in counted.items() if number}


def cells(shows: Any) -> list[list[str]]:
    assert isinstance(shows, Sheet)
    return [[cell.text for cell in row] for row in shows.rows]


def test_every_figure_is_what_the_documents_add_up_to(town: Town) -> None:
    found, ran = list(findings()), list(runs())
    town.fill(found, ran)
    panels = town.draw()
    classes = Counter(f["rule"]["name"] for f in found)
    severities = Counter(f["elkwatch"]["severity"] for f in found)
    of_sources = [r["elkwatch"]["run"] for r in ran if "source" in r["elkwatch"]]

    def added(group: str, name: str) -> int:
        return sum(int(run[group][name]) for run in of_sources)

    assert told(panels["overview/open"]) == str(len(found))
    assert told(panels["overview/judged"]) == f"{added('sessions', 'scored'):,}"
    rate = added("sessions", "confirmed") / added("sessions", "scored")
    assert told(panels["overview/rate"]) == f"{rate:.1%}"
    assert told(panels["overview/last"]) == "2026-11-22 23:54:09"
    assert {k.name: k.value for k in panels["overview/severities"].legend} == {
        name: str(number) for name, number in severities.items()
    }
    assert sums(panels["overview/timeline"]) == classes
    assert Counter({r[0]: int(r[1]) for r in cells(panels["overview/classes"])}) == (
        classes
    )
    risks = {r[0]: int(r[2]) for r in cells(panels["overview/classes"])}
    assert risks["disk full"] == max(
        f["elkwatch"]["risk"] for f in found if f["rule"]["name"] == "disk full"
    )
    latest = cells(panels["overview/latest"])
    newest = sorted((f["@timestamp"] for f in found), reverse=True)
    assert [row[0].replace(" ", "T") for row in latest] == [
        time[:19] for time in newest[: len(latest)]
    ]
    assert panels["overview/latest"].total == len(found)
    services = Counter(f["service"]["name"] for f in found)
    assert set(sums(panels["overview/services"], "y")) == set(services)
    bars = panels["class-detail/services"].spec(600, 200)["data"]["values"]
    assert {bar["y"]: bar["v"] for bar in bars} == services
    assert told(panels["class-detail/hosts-count"]) == "4"
    advice = {row[0]: row[3] for row in cells(panels["class-detail/advice"])}
    assert advice["disk full"].startswith("Writes fail now.")
    assert set(sums(panels["class-detail/score"])) == {
        "Median score", "95 of 100 below", "Threshold",
    }  # fmt: skip
    assert told(panels["pipeline-health/failed"]) == "1"
    assert told(panels["pipeline-health/read"]) == f"{added('documents', 'read'):,}"
    assert told(panels["pipeline-health/dead"]) == "2"
    assert told(panels["pipeline-health/unknown"]) == "0.4%"
    assert set(sums(panels["pipeline-health/throughput"])) == {"shop-db", "checkout"}
    assert sums(panels["pipeline-health/deliveries"]) == {"Sent": 12}
    assert sorted(row[0] for row in cells(panels["pipeline-health/sources"])) == [
        "checkout", "shop-db",
    ]  # fmt: skip


def test_more_classes_than_have_a_colour_are_one_other(town: Town) -> None:
    kinds = [
        finding(n, class_name=f"kind {n % 14:02}", class_id=f"k{n % 14}")
        for n in range(40)
    ]
    withdrawn = finding_document(finding(41), "d")
    withdrawn["elkwatch"]["status"] = "withdrawn"
    town.fill([*(finding_document(k, "d") for k in kinds), withdrawn], [])
    counted = sums(town.draw()["overview/timeline"])
    assert len(counted) == 11
    assert counted["Other"] == sum(counted.values()) - sum(
        number for name, number in counted.items() if name != "Other"
    )
    assert sum(counted.values()) == 40


def test_no_index_and_no_finding_are_told_honestly(town: Town) -> None:
    panels = town.draw()
    assert told(panels["overview/open"]) == "0"
    assert told(panels["overview/rate"]) == "–"
    assert panels["overview/timeline"] == Nothing("No results found")
    assert "There are no run figures of it either" in words(town.page())
    town.fill([], list(runs(3)))
    page = words(town.page())
    assert "No findings in this period" in page
    assert "elkwatch ran 6 times in it" in page
    assert "No findings" in words(town.page("--from", "now-1h"))


def test_findings_older_than_the_masks_are_masked(town: Town) -> None:
    private = "ada@example.org"
    old = finding(1, class_name=f"no mail to {private}", log_url=f"https://k/{private}")
    town.fill([finding_document(old, "d"), *list(findings(3))], list(runs(2)))
    assert private in town.page()
    masked = town.page(masks=["email"])
    assert private not in masked
    assert masked.count("no mail to &lt;email") > 4
    assert "open logs" in masked


def words(html: str) -> str:
    """What a reader sees, tips among it."""
    reader = Reader()
    reader.feed(html.partition("</style>")[2])
    return " ".join(" ".join(reader.seen).split())


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def test_what_a_log_says_is_text_on_the_page(town: Town) -> None:
    evil = finding(
        1, class_name=HOSTILE, class_id=HOSTILE[:30], service=HOSTILE, host=HOSTILE,
        advice=HOSTILE, pattern=HOSTILE, log_url="javascript:alert(1)",
    )  # fmt: skip
    town.fill([finding_document(evil, "d"), *list(findings(5))], list(runs(3)))
    html = town.page()
    assert "<script" not in html
    assert "<b>&#34;bold" not in html
    assert 'href="javascript' not in html
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", html)
    seen = words(html)
    assert "<script>alert(1)</script>" in seen
    assert "⟨U+001B⟩[31m" in seen
    assert html.count("alert(1)") > 8
    tags = set(re.findall(r"<([a-zA-Z]+)", html.partition("</style>")[2]))
    assert {"script", "image", "foreignObject", "use", "iframe", "img"}.isdisjoint(tags)
    body = html.partition("</style>")[2]
    assert not re.search(r"<[^>]*\s(?:style|on[a-z]+|xlink:href)=", body)


@needs_browser
@pytest.mark.parametrize("width", [390, 800, 1440])
def test_a_browser_shows_every_panel(town: Town, width: int) -> None:
    town.fill(list(findings()), list(runs()))
    html = town.page()
    sizes, console = measure(town.folder, html, width)
    assert console == ""
    assert sizes["over"] <= 0
    assert len(sizes["panels"]) == 35
    for name, size in sizes["panels"].items():
        assert size["width"] > 100, name
        assert size["height"] > 60, name
        assert size["right"] <= width, name
    assert len(sizes["drawings"]) == 4 + 4 + 6
    for size in sizes["drawings"]:
        assert size["height"] > 60
        assert size["bottom"] <= size["within"]["bottom"]
    if width == 1440:
        tops = sizes["panels"]
        assert (
            tops["elkwatch-overview-open"]["bottom"]
            == (tops["elkwatch-overview-lag"]["bottom"])
        )


@needs_browser
def test_the_policy_of_the_page_stops_scripts(town: Town) -> None:
    town.fill(list(findings(5)), list(runs(2)))
    attacked = town.page().replace("</main>", "<script>1</script></main>")
    _, console = measure(town.folder, attacked, 1440)
    assert "Content Security Policy" in console
