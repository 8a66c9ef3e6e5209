"""`elkwatch init` against real clusters: what it proposes, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from elkwatch.cli.shell import run
from elkwatch.config import load_config
from tests.connector.indexed import put
from tests.elkwatch.proposals_samples import connections, otel, rsyslog

KEYWORDS = {
    "dynamic_templates": [
        {
            "texts": {
                "match_mapping_type": "string",
                "mapping": {"type": "keyword", "ignore_above": 1024},
            }
        }
    ],
    "properties": {"@timestamp": {"type": "date"}},
}
HOUR = timedelta(hours=1)
LATELY = datetime.now(UTC) - HOUR


@dataclass(frozen=True, slots=True)
class Told:
    """What a call of `init` said, and the file it wrote."""

    code: int
    out: str
    err: str
    file: Path

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as JSON."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer

    def source(self, index: str) -> dict[str, Any]:
        """The source proposed for this pattern."""
        return next(s for s in self.json["sources"] if s["index"] == index)

    def reason(self, index: str) -> str:
        """Why this one is not proposed."""
        passed = self.json["not_proposed"]
        return next(str(p["reason"]) for p in passed if p["name"] == index)


Init = Callable[..., Told]


@pytest.fixture
def init(
    engine_url: str,
    prefix: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Init:
    """Calls the command, by default on what bears the test's own prefix."""
    monkeypatch.chdir(tmp_path)

    def call(*more: str, url: str = engine_url, pattern: str = f"{prefix}*") -> Told:
        capsys.readouterr()
        code = run(["init", "--hosts", url, "--index", pattern, *more])
        said = capsys.readouterr()
        return Told(code, said.out, said.err, tmp_path / "elkwatch.yml")

    return call


def put_many(
    es: Elasticsearch,
    index: str,
    documents: Iterable[Mapping[str, Any]],
    mappings: Mapping[str, Any] | None = KEYWORDS,
) -> None:
    rest = iter(documents)
    while batch := list(islice(rest, 2000)):
        put(es, index, batch, mappings)


class TestShapes:
    def test_ecs_with_a_key_that_ends(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        for day in ("2026.11.21", "2026.11.22"):
            put_many(es, f"{prefix}db-{day}", connections(150, start=LATELY))
        told = init("--json")
        assert told.code == 0, told.err
        source = told.source(f"{prefix}db-*")
        assert source["fit"] == "good"
        assert source["session"] == {"field": "postgresql.log.session_id"}
        assert source["members"] == [
            f"{prefix}db-2026.11.21",
            f"{prefix}db-2026.11.22",
        ]
        (written,) = load_config(told.file, {}).sources
        assert written.session is not None
        assert written.session.field == "postgresql.log.session_id"

    def test_dotted_keys_of_rsyslog(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        put_many(es, f"{prefix}syslog", rsyslog(2000, start=LATELY))
        source = init("--json").source(f"{prefix}syslog")
        assert source["session"] == {
            "fields": ["log.syslog.appname", "host.name"],
            "window": "5m",
        }
        assert source["severity_field"] == "log.level"

    def test_opentelemetry(self, es: Elasticsearch, init: Init, prefix: str) -> None:
        put_many(es, f"{prefix}otel", otel(2000, start=LATELY))
        source = init("--json").source(f"{prefix}otel")
        assert source["message_field"] == "body.text"
        assert source["service_field"] == "resource.attributes.service.name"
        assert source["session"] == {"field": "trace_id"}
