"""What `elkwatch init` proposes for logs of every shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from elkwatch.config import load_config
from tests.elkwatch.proposals_samples import connections, otel, rsyslog
from tests.integration.init.calls import HOUR, KEYWORDS, LATELY, Init, put_many


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

    def test_a_key_in_the_message(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        steps = ("received {}", "stored {} on disk", "served {} twice", "dropped {}")
        documents = (
            {
                "@timestamp": (LATELY + timedelta(seconds=n)).isoformat(),
                "message": steps[n % 4].format(
                    f"blk_{'-' if n % 8 < 4 else ''}{n // 4:09}"
                ),
            }
            for n in range(2000)
        )
        put_many(es, f"{prefix}blocks", documents)
        source = init("--json").source(f"{prefix}blocks")
        assert source["session"] == {"pattern": r"blk_-?\d+"}

    @pytest.mark.parametrize("shape", ["flattened", "runtime", "alias", "synthetic"])
    def test_keys_that_only_the_mapping_knows(
        self, es: Elasticsearch, init: Init, prefix: str, shape: str
    ) -> None:
        index, settings, mappings, field = _shaped(prefix, shape)
        es.indices.create(index=index, mappings=mappings, settings=settings)
        put_many(es, index, (_traced(n, shape) for n in range(1200)))
        told = init("--json")
        assert told.code == 0, told.err + told.out
        source = told.source(index)
        assert source["session"] == {"field": field}
        assert source["sessions"]["key_share"] == 1.0

    def test_through_an_alias(
        self, es: Elasticsearch, init: Init, prefix: str, namespace: str
    ) -> None:
        put_many(es, f"{prefix}a", otel(1000, start=LATELY))
        es.indices.put_alias(index=f"{prefix}a", name=f"alias-{namespace}")
        told = init("--json", pattern=f"alias-{namespace}")
        source = told.source(f"alias-{namespace}")
        assert source["session"] == {"field": "trace_id"}

    def test_nested_values_are_no_key(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        index = f"{prefix}nested"
        es.indices.create(
            index=index,
            mappings={
                **KEYWORDS,
                "properties": {
                    "@timestamp": {"type": "date"},
                    "calls": {
                        "type": "nested",
                        "properties": {"request_id": {"type": "keyword"}},
                    },
                },
            },
        )
        documents = (
            {**d, "calls": [{"request_id": d["trace_id"]}], "trace_id": "always"}
            for d in otel(800, start=LATELY)
        )
        put_many(es, index, documents)
        source = init("--json").source(index)
        assert "window" in source["session"]


def _traced(n: int, shape: str) -> dict[str, Any]:
    """Four lines a trace, whose id is where the shape says."""
    document: dict[str, Any] = {
        "@timestamp": (LATELY + timedelta(seconds=n)).isoformat(),
        "message": f"{('got', 'read', 'priced', 'sent')[n % 4]} order {n}",
    }
    key = f"t{n // 4}"
    if shape == "flattened":
        return document | {"labels": {"trace": {"id": key}, "team": "shop"}}
    if shape == "alias":
        return document | {"deep": key}
    return document | {"trace": {"id": key}}


def _shaped(prefix: str, shape: str) -> tuple[str, dict[str, Any], dict[str, Any], str]:
    """Index, settings, mappings and the field to be proposed."""
    settings: dict[str, Any] = {}
    properties: dict[str, Any] = {
        "@timestamp": {"type": "date"},
        "message": {"type": "text"},
    }
    mappings: dict[str, Any] = {"properties": properties}
    field = "trace.id"
    if shape == "flattened":
        properties["labels"] = {"type": "flattened"}
        field = "labels.trace.id"
    elif shape == "alias":
        properties["deep"] = {"type": "keyword"}
        properties["trace"] = {"properties": {"id": {"type": "alias", "path": "deep"}}}
    elif shape == "runtime":
        mappings |= {"dynamic": False, "runtime": {"trace.id": {"type": "keyword"}}}
    else:
        settings = {"index.mode": "logsdb"}
        properties["trace"] = {"properties": {"id": {"type": "keyword"}}}
        properties["message"] = {"type": "keyword"}
    return f"{prefix}{shape}", settings, mappings, field


def test_five_thousand_fields(es: Elasticsearch, init: Init, prefix: str) -> None:
    index = f"{prefix}wide"
    es.indices.create(
        index=index,
        settings={"index.mapping.total_fields.limit": 6000},
        mappings={
            "properties": {
                "@timestamp": {"type": "date"},
                "message": {"type": "text"},
                "zz": {"properties": {"session": {"type": "keyword"}}},
                **{f"f{n:04}": {"type": "keyword"} for n in range(5000)},
            }
        },
    )
    put_many(
        es,
        index,
        (
            {
                "@timestamp": d["@timestamp"],
                "message": d["message"],
                "zz": {"session": d["postgresql"]["log"]["session_id"]},
                **{f"f{(n * 7 + k) % 5000:04}": "x" for k in range(20)},
            }
            for n, d in enumerate(connections(150, start=LATELY))
        ),
    )
    source = init("--json").source(index)
    assert source["session"] == {"field": "zz.session"}


def test_sessions_that_outlive_the_newest_lines_are_followed(
    es: Elasticsearch, init: Init, prefix: str
) -> None:
    """Forty connections at any time, ten minutes each: 400 lines are a minute."""
    index, steps = f"{prefix}busy", ("opened", "asked for", "was given", "thanked for")
    start = datetime.now(UTC) - 3 * HOUR
    put_many(
        es,
        index,
        (
            {
                "@timestamp": (start + timedelta(seconds=n)).isoformat(),
                "message": f"client {steps[n // 40 % 4]} part {n}",
                "session": {"id": f"{n % 40}-{n // 600}"},
                "host": {"name": "one"},
                "container": {"id": f"c{n % 40}"},
            }
            for n in range(3 * 3600)
        ),
    )
    source = init("--json", "--sample", "400").source(index)
    assert source["session"] == {"field": "session.id"}
    assert source["sessions"]["events"] == 15
    others = {other["key"]: other["why_not"] for other in source["other_keys"]}
    assert others["container.id"].startswith("it never ends")
