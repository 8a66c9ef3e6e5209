"""What a source is told before it is read; nothing of our own is."""

from __future__ import annotations

import pytest
from elasticsearch import Elasticsearch

from connector import (
    FieldMissing,
    FieldUnfit,
    IndexMissing,
    LogSource,
    OwnOutputRefused,
    SessionRule,
)
from tests.connector.indexed import IMPATIENT, line, put, read, spec


class TestCheck:
    def test_a_missing_index(self, client: Elasticsearch, prefix: str) -> None:
        source = LogSource(client, spec(f"{prefix}none"), retry=IMPATIENT)
        with pytest.raises(IndexMissing, match=f"{prefix}none") as caught:
            source.check()
        assert "\n" not in str(caught.value)

    def test_a_wildcard_that_matches_nothing(
        self, client: Elasticsearch, prefix: str
    ) -> None:
        source = LogSource(client, spec(f"{prefix}none-*"), retry=IMPATIENT)
        with pytest.raises(IndexMissing, match="no index matches"):
            source.check()

    def test_a_wildcard_that_matches_nothing_any_more(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        """Gone after the check: nothing to read, and no error."""
        put(es, f"{prefix}a", [line(0)])
        named = LogSource(client, spec(f"{prefix}a"), retry=IMPATIENT)
        pattern = LogSource(client, spec(f"{prefix}*"), retry=IMPATIENT)
        named.check()
        pattern.check()
        es.indices.delete(index=f"{prefix}a")
        assert read(pattern) == []
        with pytest.raises(IndexMissing, match=f"{prefix}a"):
            read(named)

    def test_every_missing_field_is_named(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(0)])
        wrong = spec(
            f"{prefix}a",
            time_field="when",
            sequence_field="nr",
            session=SessionRule(field="trace.id"),
        )
        with pytest.raises(FieldMissing) as caught:
            LogSource(client, wrong).check()
        assert caught.value.fields == ("when", "nr", "trace.id")
        for named in ("when (time_field)", "nr (sequence_field)", "trace.id (session)"):
            assert named in str(caught.value)

    def test_no_text_at_all(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        textless = {"@timestamp": "2026-11-22", "session": "s", "n": 1}
        put(es, f"{prefix}a", [textless], None)
        with pytest.raises(FieldMissing, match=r"message \(message_field\)"):
            LogSource(client, spec(f"{prefix}a")).check()

    def test_a_time_field_that_is_no_date(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(0)])
        with pytest.raises(FieldUnfit, match=r"session is mapped as keyword"):
            LogSource(client, spec(f"{prefix}a", time_field="session")).check()

    def test_what_it_reports(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        put(es, f"{prefix}a", [line(0, host={"name": "h"})])
        put(es, f"{prefix}b", [{"@timestamp": "2026-11-22", "message": "x"}], None)
        report = LogSource(client, spec(f"{prefix}*")).check()
        assert (report.indices, report.empty) == (2, False)
        assert report.cursor_field == "@timestamp"
        types = {field.role: field.types for field in report.fields}
        assert types["message"] == ("text",)
        assert types["session"] == ("keyword",)
        assert types["severity"] == ()
        assert any("log.level" in warning for warning in report.warnings)
        assert any("session" in warning for warning in report.warnings)

    def test_an_empty_index_is_not_blamed_for_its_fields(
        self, es: Elasticsearch, client: Elasticsearch, prefix: str
    ) -> None:
        es.indices.create(index=f"{prefix}a")
        source = LogSource(client, spec(f"{prefix}a"))
        assert source.check().empty
        assert read(source) == []


class TestOwnOutput:
    def test_is_never_read(
        self, es: Elasticsearch, client: Elasticsearch, namespace: str, prefix: str
    ) -> None:
        """Neither under a wildcard, nor through an alias, nor by backing index."""
        put(es, f"{prefix}a", [line(0, message="theirs")])
        ours = line(0, message="ours")
        es.create(index=f"logs-elkwatch.anomaly-{namespace}", id="1", document=ours)
        for index in (f"elkwatch-cursors-{namespace}", f"elkwatch-x-{namespace}"):
            es.index(index=index, document=ours)
            es.indices.put_alias(index=index, name=f"{prefix}alias")
        es.indices.refresh(index=f"*{namespace}*", expand_wildcards="all")
        patterns = [f"*{namespace}*", f"{prefix}*", f".ds-*{namespace}*,{prefix}*"]
        patterns.append(f"{prefix}a,{prefix}alias")
        for pattern in patterns:
            messages = {d.message for d in read(LogSource(client, spec(pattern)))}
            assert messages == {"theirs"}, pattern

    @pytest.mark.parametrize(
        "index",
        [
            "logs-elkwatch.anomaly-default",
            "logs-elkwatch.*",
            "logs-*,elkwatch-cursors-default",
            ".ds-metrics-elkwatch.run-default-2026.11.22-000001",
            "remote:logs-elkwatch.anomaly-default",
        ],
    )
    def test_is_refused_by_name(self, client: Elasticsearch, index: str) -> None:
        with pytest.raises(OwnOutputRefused, match="elkwatch itself writes"):
            LogSource(client, spec(index))

    def test_the_only_match_of_a_pattern_is_no_match(
        self, es: Elasticsearch, client: Elasticsearch, namespace: str
    ) -> None:
        es.index(index=f"elkwatch-cursors-{namespace}", document=line(0), refresh=True)
        with pytest.raises(IndexMissing):
            LogSource(client, spec(f"*cursors-{namespace}*")).check()
