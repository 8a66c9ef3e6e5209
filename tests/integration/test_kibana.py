"""Kibana commands beside a real Elasticsearch; links asked of it as Kibana would ask.

Kibana itself is the stub of tests/kibana, over real HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote

import pytest
import yaml
from elasticsearch import Elasticsearch, helpers

from connector import install, join_key
from elkwatch.cli.shell import run
from elkwatch.config import load_config
from elkwatch.confirm import KEYLESS
from elkwatch.log_links import log_links
from kibana import source_view_id
from model import Verdict
from tests.integration.shop import assert_told_once, trouble
from tests.integration.world import World
from tests.kibana.stub import IMPORT, KEY, StubKibana

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Place:
    """A configuration with a stub Kibana, run through the command line."""

    es_url: str
    namespace: str
    folder: Path
    kibana: StubKibana
    capture: pytest.CaptureFixture[str]

    def run(self, *line: str, space: str = "default", **kibana: Any) -> Said:
        body = {
            "elasticsearch": {"hosts": [self.es_url]},
            "namespace": self.namespace,
            "kibana": {
                "url": self.kibana.url,
                "api_key": KEY,
                "space": space,
                **kibana,
            },
            "sources": [{"name": "shop", "index": f"logs-shop-{self.namespace}"}],
        }
        path = self.folder / "elkwatch.yml"
        path.write_text(yaml.safe_dump(body), "utf-8")
        code = run([*line, "--config", str(path)])
        out, err = self.capture.readouterr()
        return Said(code, out, err)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Its one line on stderr."""
        (line,) = self.err.splitlines()
        return line


@pytest.fixture
def place(
    es: Elasticsearch,
    engine_url: str,
    namespace: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Place]:
    install(es, namespace)
    with StubKibana() as kibana:
        yield Place(engine_url, namespace, tmp_path, kibana, capsys)


def test_install_and_uninstall_survive_between_commands(place: Place) -> None:
    dry = place.run("dashboards", "install", "--dry-run")
    assert (dry.code, place.kibana.store.writes) == (0, 0)
    first = place.run("dashboards", "install")
    assert first.code == 0
    assert "create     dashboard elkwatch-overview (elkwatch: overview)" in first.out
    assert first.out.rstrip().endswith("space default: 7 create")
    again = json.loads(place.run("dashboards", "install", "--json").out)
    assert {one["change"] for one in again["objects"]} == {"unchanged"}
    assert place.run("dashboards", "install", space="ops").code == 0
    gone = place.run("dashboards", "uninstall", "--json")
    assert gone.code == 0
    spaces = {one["space"] for one in json.loads(gone.out)["objects"]}
    assert spaces == {"default", "ops"}
    assert place.kibana.store.objects == {}
    assert "installed nothing" in place.run("dashboards", "uninstall").out


def test_edits_are_told_in_one_line(place: Place) -> None:
    place.run("dashboards", "install")
    place.kibana.store.edit(("dashboard", "elkwatch-overview"), title="Mine")
    refused = place.run("dashboards", "uninstall")
    assert refused.code == 1
    assert "dashboard elkwatch-overview was edited" in refused.line
    assert place.run("dashboards", "uninstall", "--force").code == 0


def test_both_ways_at_once_is_wrong_usage(place: Place) -> None:
    assert place.run("dashboards", "install", "--overwrite", "--keep-edits").code == 2


def test_setup_installs_them_too(place: Place) -> None:
    done = json.loads(place.run("setup", "--json").out)
    changes = {one["change"] for one in done["kibana"]["objects"]}
    assert changes == {"create"}
    place.kibana.store.edit(("dashboard", "elkwatch-overview"), title="Mine")
    again = place.run("setup")
    assert again.code == 0
    assert "kept       dashboard elkwatch-overview" in again.out


def test_setup_leaves_kibana_alone_if_told_to(place: Place) -> None:
    assert place.run("setup", "--no-kibana").code == 0
    assert place.kibana.asked == []


def test_setup_with_kibana_down_does_the_rest(place: Place, es: Elasticsearch) -> None:
    es.indices.delete_index_template(name="elkwatch-dead-letters")
    said = place.run("setup", url="http://127.0.0.1:9")
    assert said.code == 1
    assert "Elasticsearch is set up, Kibana is not: Kibana at http" in said.line
    assert "then run `elkwatch dashboards install`" in said.line
    assert es.indices.exists_index_template(name="elkwatch-dead-letters")


def test_a_kibana_that_cannot_work_is_told_before_anything(place: Place) -> None:
    said = place.run("setup", ca_certs="missing.pem")
    assert said.code == 2
    assert "kibana.ca_certs" in said.line


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_without_kibana_in_the_configuration(place: Place, command: str) -> None:
    path = place.folder / "none.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "elasticsearch": {"hosts": [place.es_url]},
                "sources": [{"name": "a", "index": "logs-a"}],
            }
        )
    )
    assert run(["dashboards", command, "--config", str(path)]) == 2
    assert "kibana.url is not set" in place.capture.readouterr().err


def test_the_key_never_shows(place: Place) -> None:
    place.kibana.key = "another"
    said = place.run("dashboards", "install")
    assert said.code == 1
    assert "check kibana.api_key" in said.line
    assert KEY not in said.line
    assert place.kibana.paths("POST").count(IMPORT) == 0


# Links: the query that a URL holds, asked of Elasticsearch as Kibana asks it.


def _elastic_query(url: str) -> dict[str, Any]:
    """A quoted KQL value is a phrase; Kibana's time range holds both its ends."""
    state = unquote(url.partition("#")[2])
    times = re.search(r"from:'([^']+)',to:'([^']+)'", state)
    found = re.search(r"query:'((?:[^'!]|!.)*)'\)", state)
    assert times is not None
    assert found is not None
    kql = re.sub(r"!(.)", r"\1", found[1])
    filters: list[dict[str, Any]] = [
        {"range": {"@timestamp": {"gte": times[1], "lte": times[2]}}}
    ]
    without = []
    clause = re.compile(
        r'(?:not ([\w.]+): \*|([\w.]+): "((?:[^"\\]|\\.)*)")(?: and |$)'
    )
    at = 0
    while at < len(kql):
        one = clause.match(kql, at)
        assert one is not None, kql[at:]
        if one[1]:
            without.append({"exists": {"field": one[1]}})
        else:
            value = re.sub(r"\\(.)", r"\1", one[3])
            filters.append({"match_phrase": {one[2]: value}})
        at = one.end()
    return {"bool": {"filter": filters, "must_not": without}}


HOSTILE = "it's \"!\" \\ ')),(x:* or *"


def _logs() -> list[tuple[str, Mapping[str, Any]]]:
    """(which unit it belongs to, document); times are apart by a millisecond."""
    rows: list[tuple[str, Mapping[str, Any]]] = []

    def line(unit: str, at_ms: float, message: str, **fields: Any) -> None:
        time = T0 + timedelta(milliseconds=at_ms)
        rows.append(
            (unit, {"@timestamp": time.isoformat(), "message": message, **fields})
        )

    for n in range(3):
        line("field", n, "a", trace={"id": HOSTILE}, service={"name": "s"})
        line("other", n, "b", trace={"id": "it's"}, service={"name": "s"})
        line("pattern", n, f"read blk_-12 of {n}", trace={"id": f"p{n}"})
        line("other", n, f"read blk_-123 of {n}", trace={"id": f"q{n}"})
        line("window", n, "c", service={"name": "a|b"}, host={"name": "h"})
        line("keyless", n, "e", service={"name": "a|b"})
        line("other", n, "e", host={"name": "h"})
    line("next", 3, "c", service={"name": "a|b"}, host={"name": "h"})
    return rows


@pytest.mark.parametrize(
    ("unit", "session", "key"),
    [
        ("field", {"field": "trace.id"}, HOSTILE),
        ("pattern", {"pattern": "blk_-?\\d+"}, "blk_-12"),
        (
            "window",
            {"fields": ["service.name", "host.name"], "window": "5m"},
            join_key(["a|b", "h"]),
        ),
        ("window", None, join_key(["a|b", "h"])),
        ("keyless", {"field": "trace.id"}, join_key([KEYLESS, "a|b", None])),
        (
            "keyless",
            {"fields": ["trace.id", "host.name"], "window": "5m"},
            join_key([KEYLESS, "a|b", None]),
        ),
    ],
)
def test_a_link_shows_exactly_the_lines_of_its_finding(
    place: Place,
    es: Elasticsearch,
    unit: str,
    session: Mapping[str, Any] | None,
    key: str,
) -> None:
    index = f"test-{place.namespace}-lines"
    word = {"type": "keyword"}
    es.indices.create(
        index=index,
        mappings={
            "properties": {
                "@timestamp": {"type": "date"},
                "message": {"type": "text"},
                "trace": {"properties": {"id": word}},
                "service": {"properties": {"name": word}},
                "host": {"properties": {"name": word}},
            }
        },
    )
    rows = _logs()
    helpers.bulk(
        es,
        [{"_index": index, "_id": f"{u}-{n}", **d} for n, (u, d) in enumerate(rows)],
    )
    es.indices.refresh(index=index)
    source: dict[str, Any] = {"name": "shop", "index": index}
    if session is not None:
        source["session"] = session
    path = place.folder / "links.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "elasticsearch": {"hosts": [place.es_url]},
                "kibana": {"url": "https://kibana:5601"},
                "sources": [source],
            }
        ),
        "utf-8",
    )
    config = load_config(path, {})
    link = log_links(config.sources[0], config.kibana, lambda key: key.id)
    end = T0 + timedelta(milliseconds=2)
    verdict = SimpleNamespace(key=key, pattern="new-event", start=T0, end=end)
    url = link(cast(Verdict, verdict))
    assert url is not None
    found = es.search(index=index, query=_elastic_query(url), size=100)["hits"]["hits"]
    assert {hit["_id"].rpartition("-")[0] for hit in found} == {unit}
    assert len(found) == 3


def test_messages_and_findings_lead_into_the_space_that_was_installed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with StubKibana() as kibana:
        world.kibana = {"url": kibana.url, "api_key": KEY, "space": "ops"}
        for space in ("default", "ops"):
            line = ["dashboards", "install", "--space", space]
            assert run([*line, "--config", str(world.config())]) == 0
        there = {
            one.get("originId"): one["id"]
            for one in kibana.store.objects.values()
            if one["namespaces"] == ["ops"]
        }
        world.ship(trouble())
        asked = len(kibana.asked)
        world.run_once()
        assert len(kibana.asked) == asked  # the service needs no Kibana
    assert_told_once(world)
    view, board = there["elkwatch-findings"], there["elkwatch-class-detail"]
    source = there[source_view_id(world.index, "@timestamp")]
    ids = {finding["event"]["id"] for finding in world.findings()}
    for finding in world.findings():
        assert f"{kibana.url}/s/ops/app/discover#/" in finding["event"]["url"]
        assert f"dataViewId:'{source}'" in finding["event"]["url"]
    told = [(mail.text, mail.html) for mail in world.mail.received]
    for form in (form for forms in told for form in forms):
        urls = [unquote(unescape(url)) for url in re.findall(r"http[^\s\"<]+", form)]
        assert any(f"dashboards#/view/{board}?" in url for url in urls)
        assert any("elkwatch.fingerprint: " in u and view in u for u in urls)
        assert any(f'event.id: "{one}"' in url for url in urls for one in ids)
    for call in world.hook.received:
        data = json.loads(call.raw)["data"]
        assert board in data["dashboard_url"]
        assert view in data["samples"][0]["finding_url"]
