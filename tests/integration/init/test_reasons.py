"""Why `elkwatch init` proposes nothing, or with reservations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from elasticsearch import Elasticsearch

from tests.elkwatch.proposals_samples import connections, otel, rsyslog
from tests.integration.init.calls import HOUR, KEYWORDS, LATELY, Init, put_many


class TestReasons:
    """Why what is there is no source."""

    def test_metrics(self, es: Elasticsearch, init: Init, prefix: str) -> None:
        put_many(
            es,
            f"{prefix}cpu",
            (
                {"@timestamp": LATELY.isoformat(), "cpu": {"a": n, "b": n, "c": n / 7}}
                for n in range(300)
            ),
        )
        told = init("--json")
        assert told.code == 1
        assert told.reason(f"{prefix}cpu").startswith("metrics only: 3 number fields")
        assert not told.file.exists()
        assert told.err.count("\n") == 1
        assert "nothing at" in told.err

    def test_no_logs_at_all(self, init: Init) -> None:
        told = init()
        assert told.code == 1
        assert told.err.startswith("elkwatch: nothing at ")

    def test_an_empty_index_and_one_with_few_lines(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        put_many(es, f"{prefix}few", connections(20, start=LATELY))
        es.indices.create(index=f"{prefix}none", mappings=KEYWORDS)
        told = init("--json")
        assert told.reason(f"{prefix}few").startswith("too few documents")
        assert told.reason(f"{prefix}none") == "holds no document yet"

    def test_no_time(self, es: Elasticsearch, init: Init, prefix: str) -> None:
        mappings = {"properties": {"@timestamp": {"type": "keyword"}}}
        put_many(es, f"{prefix}untimed", rsyslog(300), mappings)
        reason = init("--json").reason(f"{prefix}untimed")
        assert reason.startswith("no date field")
        assert "@timestamp is mapped as keyword" in reason

    def test_all_in_the_future(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        tomorrow = datetime.now(UTC) + timedelta(days=400)
        put_many(es, f"{prefix}future", rsyslog(300, start=tomorrow))
        reason = init("--json").reason(f"{prefix}future")
        assert reason.startswith("every document is dated in the future by @timestamp")

    def test_some_in_the_future_are_left_out(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        index = f"{prefix}clock"
        put_many(es, index, connections(150, start=LATELY))
        put_many(es, index, rsyslog(50, start=datetime.now(UTC) + HOUR))
        source = init("--json").source(index)
        assert source["session"] == {"field": "postgresql.log.session_id"}
        assert source["sessions"]["key_share"] == 1.0
        assert source["notes"][0].startswith("50 documents are dated in the future")

    def test_the_key_is_only_in_some(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        index = f"{prefix}some"
        documents = list(otel(2000, start=LATELY))
        for n, document in enumerate(documents):
            if n // 4 % 3 == 0:  # every third trace
                del document["trace_id"]
        put_many(es, index, documents)
        source = init("--json").source(index)
        assert source["fit"] == "fair"
        assert any("have no key" in reason for reason in source["reasons"])

    def test_own_output_is_never_proposed(self, init: Init) -> None:
        told = init("--json", pattern="logs-elkwatch.*,metrics-elkwatch.*,elkwatch-*")
        assert told.code == 1
        assert told.json["sources"] == []
