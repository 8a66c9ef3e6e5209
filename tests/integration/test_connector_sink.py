"""Findings in a real data stream: each once, amended, withdrawn, never lost."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connector import (
    ClientConfig,
    DeadLetter,
    DecodeProblem,
    Finding,
    FindingChanger,
    FindingSink,
    IndexBlocked,
    Results,
    RetryPolicy,
    RunFigures,
    RunMetricsSink,
    SinkUnavailable,
    WrittenFinding,
    connect,
    finding_from,
    install,
    run_stream_name,
    state_index,
    stream_name,
)
from connector.bulk import MAX_DOCUMENTS
from tests.connector.contracts import FindingSinkContract, RunMetricsContract
from tests.connector.indexed import IMPATIENT
from tests.connector.samples import NOON, at, finding
from tests.connector.trouble import out_of_memory, set_breaker


@pytest.fixture
def client(engine_url: str, namespace: str) -> Iterator[Elasticsearch]:
    """The client under test, on a cluster that is set up."""
    with connect(ClientConfig((engine_url,))) as made:
        install(made, namespace)
        yield made


@pytest.fixture
def sink(client: Elasticsearch, namespace: str) -> FindingSink:
    return FindingSink(client, namespace, retry=IMPATIENT)


class TestFindingSink(FindingSinkContract):
    @pytest.fixture
    def findings(self, sink: FindingSink) -> FindingSink:
        return sink


class TestRunMetricsSink(RunMetricsContract):
    @pytest.fixture
    def metrics(self, client: Elasticsearch, namespace: str) -> RunMetricsSink:
        return RunMetricsSink(client, namespace, retry=IMPATIENT)


def stored(es: Elasticsearch, namespace: str) -> dict[str, Mapping[str, Any]]:
    """Everything in the stream; fails should an id be there twice."""
    name = stream_name(namespace)
    es.indices.refresh(index=name)
    hits = es.search(index=name, size=1000)["hits"]["hits"]
    assert len({hit["_id"] for hit in hits}) == len(hits)
    return {hit["_id"]: hit["_source"] for hit in hits}


def backing_indices(es: Elasticsearch, namespace: str) -> list[str]:
    name = stream_name(namespace)
    [stream] = es.indices.resolve_index(name=name)["data_streams"]
    return list(stream["backing_indices"])


def dead_letters(es: Elasticsearch, namespace: str) -> list[Mapping[str, Any]]:
    name = state_index("dead-letters", namespace)
    es.indices.refresh(index=name, ignore_unavailable=True)
    hits = es.search(index=name, ignore_unavailable=True)["hits"]["hits"]
    return [hit["_source"] for hit in hits]


def several(count: int, **changes: Any) -> list[Finding]:
    return [finding(session=f"s{i}", **changes) for i in range(count)]


def test_the_first_write_creates_the_data_stream(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    report = sink.write([finding()])
    assert report.outcomes == {finding().finding_id: "created"}
    assert len(backing_indices(es, namespace)) == 1
    [document] = stored(es, namespace).values()
    assert document["elkwatch"]["session"]["id"] == "s1"
    mapping = es.indices.get_mapping(index=stream_name(namespace))
    [index] = mapping.values()
    score = index["mappings"]["properties"]["elkwatch"]["properties"]["score"]
    assert score == {"type": "double"}


def test_the_same_findings_again_make_nothing(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    assert sink.write(several(5)).count("created") == 5
    before = stored(es, namespace)
    report = sink.write(several(5, detected_at=at(9999)))
    assert set(report.outcomes.values()) == {"exists"}
    assert stored(es, namespace) == before


def test_a_changed_finding_is_amended_in_place(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    sink.write(several(3))
    changed = finding(session="s1", events=22, end=at(3), detected_at=at(500))
    report = sink.write([*several(1), changed])
    assert report.outcomes[changed.finding_id] == "amended"
    assert report.count("exists") == 1
    document = stored(es, namespace)[changed.finding_id]
    assert len(stored(es, namespace)) == 3
    assert document["elkwatch"]["session"]["events"] == 22
    assert document["elkwatch"]["revision"] == 1
    assert document["elkwatch"]["amended_at"] == "2026-11-22T12:08:20.000000Z"
    assert document["event"]["ingested"] == "2026-11-22T12:01:00.000000Z"
    assert sink.write([changed]).count("exists") == 1


def test_what_somebody_changed_meanwhile_stays_as_that_one_wrote_it(
    client: Elasticsearch, es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    sink.write(several(2))
    stored(es, namespace)
    read = list(Results(client, namespace).written(NOON, at(60)))
    sink.write([finding(session="s1", events=22)])
    changer = FindingChanger(client, namespace)

    def suppressed(written: list[WrittenFinding]) -> list[str]:
        changes = [
            (one, replace(finding_from(one.document), status="suppressed"))
            for one in sorted(written, key=lambda one: one.document["event"]["id"])
        ]
        return sorted(changer.change(changes, at(90)))

    assert suppressed(read) == ["changed", "conflict"]
    assert suppressed(changer.newest(read)) == ["changed", "equal"]
    changed = stored(es, namespace)[finding(session="s1").finding_id]
    assert changed["elkwatch"]["session"]["events"] == 22
    assert changed["elkwatch"]["status"] == "suppressed"
    assert changed["elkwatch"]["revision"] == 2


def test_withdrawn_and_found_again(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    gone = finding(status="withdrawn", score=1.0)
    never = finding(session="never", status="withdrawn")
    sink.write([finding()])
    report = sink.write([gone, never])
    assert report.outcomes == {
        gone.finding_id: "withdrawn",
        never.finding_id: "absent",
    }
    [document] = stored(es, namespace).values()
    assert document["elkwatch"]["status"] == "withdrawn"
    assert sink.write([gone]).count("exists") == 1
    assert sink.write([finding()]).count("amended") == 1
    [document] = stored(es, namespace).values()
    assert document["elkwatch"]["status"] == "open"
    assert document["elkwatch"]["revision"] == 2


@pytest.mark.parametrize("another_process", [True, False])
def test_a_finding_is_found_across_a_rollover(
    es: Elasticsearch,
    client: Elasticsearch,
    sink: FindingSink,
    namespace: str,
    another_process: bool,
) -> None:
    """By another process once searches see it; by the same one at once."""
    sink.write([finding(session="first")])
    stream = stream_name(namespace)
    es.indices.put_settings(index=stream, settings={"refresh_interval": "-1"})
    sink.write(several(2))
    if another_process:
        es.indices.refresh(index=stream)
        sink = FindingSink(client, namespace)
    es.indices.rollover(alias=stream)
    assert len(backing_indices(es, namespace)) == 2
    changed = finding(session="s1", events=30)
    report = sink.write([*several(1), changed, finding(session="new")])
    assert list(report.outcomes.values()) == ["exists", "amended", "created"]
    assert len(stored(es, namespace)) == 4
    assert stored(es, namespace)[changed.finding_id]["elkwatch"]["revision"] == 1


def test_the_last_of_equal_ids_counts(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    sink.write([finding(events=1), finding(events=2)])
    [document] = stored(es, namespace).values()
    assert document["elkwatch"]["session"]["events"] == 2


def test_what_another_writer_created_meanwhile_is_amended(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    """It came after the look-up, so that creating it meets a conflict."""
    sink.write([finding(events=1)])
    report = _LookUpBlind(sink).write([finding(), finding(session="other")])
    assert list(report.outcomes.values()) == ["amended", "created"]
    document = stored(es, namespace)[finding().finding_id]
    assert document["elkwatch"]["session"]["events"] == 21
    assert _LookUpBlind(sink).write([finding()]).count("exists") == 1


def test_what_can_never_be_indexed_becomes_a_dead_letter(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    """The others are written; a replay keeps one letter."""
    impossible = finding(session="broken", events=2**70)
    for expected in ("created", "exists"):
        report = sink.write([finding(session="a"), impossible, finding(session="b")])
        assert list(report.outcomes.values()) == [expected, "dead", expected]
        assert "out of range" in report.reasons[impossible.finding_id]
    [letter] = dead_letters(es, namespace)
    assert letter["message"] == report.reasons[impossible.finding_id]
    assert letter["elkwatch"]["where"] == "findings"
    assert letter["elkwatch"]["doc_id"] == impossible.finding_id
    assert "broken" in letter["elkwatch"]["document"]
    assert set(stored(es, namespace)) == {
        finding(session=name).finding_id for name in "ab"
    }


def test_a_log_document_that_cannot_be_used_is_kept(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    problems = [
        DecodeProblem("d1", "logs-1", "no @timestamp", '{"message":"when?"}'),
        DecodeProblem("", "", "no @timestamp", '{"message":"a"}'),
        DecodeProblem("", "", "no @timestamp", '{"message":"b"}'),
    ]
    letters = [DeadLetter.of_problem(p, source="db", at=NOON) for p in problems]
    assert sink.dead_letter(letters) == 3
    assert sink.dead_letter(letters) == 0
    kept = dead_letters(es, namespace)
    assert {letter["elkwatch"]["document"] for letter in kept} == {
        problem.document for problem in problems
    }


def test_texts_that_are_not_valid_unicode(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    assert sink.write([finding(advice="lone \ud800 one")]).count("created") == 1
    assert len(stored(es, namespace)) == 1


def test_many_findings(es: Elasticsearch, sink: FindingSink, namespace: str) -> None:
    findings = several(MAX_DOCUMENTS + 50)
    assert sink.write(findings).count("created") == len(findings)
    assert sink.write(findings).count("exists") == len(findings)
    es.indices.refresh(index=stream_name(namespace))
    assert es.count(index=stream_name(namespace))["count"] == len(findings)


def test_no_findings(sink: FindingSink) -> None:
    assert sink.write([]).outcomes == {}


def test_busy_then_recovered(
    es: Elasticsearch, client: Elasticsearch, namespace: str
) -> None:
    pauses: list[float] = []

    def recover(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) == 2:
            set_breaker(es, None)

    sink = FindingSink(client, namespace, retry=RetryPolicy(sleep=recover))
    with out_of_memory(es):
        report = sink.write(several(5))
    assert report.count("created") == 5
    assert len(pauses) >= 2
    assert len(stored(es, namespace)) == 5


def test_busy_for_good(es: Elasticsearch, sink: FindingSink) -> None:
    with (
        out_of_memory(es),
        pytest.raises(SinkUnavailable, match=r"429 .*after 3 tries") as caught,
    ):
        sink.write([finding()])
    assert caught.value.recoverable


def test_a_full_disk_is_waited_for(
    es: Elasticsearch, client: Elasticsearch, namespace: str
) -> None:
    """Elasticsearch answers 200, and 429 for each item."""
    FindingSink(client, namespace).write([finding(session="first")])
    [index] = backing_indices(es, namespace)
    block = "index.blocks.read_only_allow_delete"
    pauses: list[float] = []

    def recover(pause_s: float) -> None:
        pauses.append(pause_s)
        es.indices.put_settings(index=index, settings={block: None})

    sink = FindingSink(client, namespace, retry=RetryPolicy(sleep=recover))
    es.indices.put_settings(index=index, settings={block: True})
    try:
        assert sink.write(several(3)).count("created") == 3
        es.indices.put_settings(index=index, settings={block: True})
        impatient = FindingSink(client, namespace, retry=IMPATIENT)
        with pytest.raises(SinkUnavailable, match="flood-stage"):
            impatient.write([finding(session="later")])
    finally:
        es.indices.put_settings(index=index, settings={block: None})
    assert len(pauses) == 1
    assert len(stored(es, namespace)) == 4


def test_an_index_closed_for_writing(
    es: Elasticsearch, sink: FindingSink, namespace: str
) -> None:
    sink.write([finding(session="first")])
    [index] = backing_indices(es, namespace)
    es.indices.put_settings(index=index, settings={"index.blocks.write": True})
    try:
        with pytest.raises(IndexBlocked, match="writing is blocked"):
            sink.write([finding()])
    finally:
        es.indices.put_settings(index=index, settings={"index.blocks.write": None})


def test_figures_of_a_run_once(
    es: Elasticsearch, client: Elasticsearch, namespace: str
) -> None:
    sink = RunMetricsSink(client, namespace, retry=IMPATIENT)
    figures = [
        RunFigures(
            "r1",
            name,
            NOON,
            at(2),
            documents_read=7,
            durations_s={"read": 1.5},
            findings_by_class={"c01": 2, "db.time-out": 1},
        )
        for name in ("db", "web")
    ]
    assert sink.write(*figures) == 2
    assert sink.write(*figures) == 0
    name = run_stream_name(namespace)
    es.indices.refresh(index=name)
    assert es.count(index=name)["count"] == 2
    found = es.search(
        index=name,
        query={"term": {"elkwatch.source": "db"}},
        aggs={
            "read": {"sum": {"field": "elkwatch.run.durations_s.read"}},
            "c01": {"sum": {"field": "elkwatch.run.findings.classes.c01"}},
        },
    )
    assert found["hits"]["total"]["value"] == 1
    assert found["aggregations"]["read"]["value"] == 1.5
    assert found["aggregations"]["c01"]["value"] == 2


class _LookUpBlind(FindingSink):
    """A sink whose first look-up sees nothing, as before a refresh."""

    def __init__(self, sink: FindingSink) -> None:
        self.__dict__ = {**sink.__dict__, "_lately": OrderedDict()}

    def _look_up(self, finding_ids: object) -> dict[str, Any]:
        return {}
