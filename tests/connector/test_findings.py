"""The identity of a finding, and the ECS document it becomes."""

import json
from datetime import timedelta
from importlib import resources
from typing import Any

import pytest

from connector import (
    FeedbackMark,
    Finding,
    Signature,
    finding_document,
    finding_from,
    finding_id,
    stream_name,
)
from connector.run_figures import (
    RunFigures,
    TickFigures,
    run_document,
    tick_document,
)
from tests.connector.samples import NOON, at, finding


def test_identity_is_source_session_and_window() -> None:
    first = finding()
    same = finding(score=1.0, class_id="c1", end=at(99), events=3, evidence=())
    assert first.finding_id == same.finding_id == finding_id("shop-db", "s1", None)
    others = [
        finding(source="web"),
        finding(session="s2"),
        finding(window_start=NOON),
        finding(window_start=at(300)),
        finding(source="shop-d", session="bs1"),
    ]
    assert len({f.finding_id for f in [first, *others]}) == 6
    assert len(first.finding_id) == 32


def test_the_id_of_a_window_does_not_depend_on_its_zone() -> None:
    from zoneinfo import ZoneInfo

    east = NOON.astimezone(ZoneInfo("Asia/Shanghai"))
    assert finding_id("a", "b", east) == finding_id("a", "b", NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window_start": NOON, "service": None, "host": None, "log_url": None},
        {"shown_session": "<card>", "causes": (), "evidence": (), "missing": ()},
        {
            "status": "suppressed",
            "feedback": FeedbackMark("f1", "false-alarm", "a", ""),
        },
        {"feedback": FeedbackMark("f1", "kind", "ada", "why", "c01"), "known": False},
        {"signature": Signature("0123", "c07/x", ("+ odd", "= usual"))},
    ],
)
def test_what_was_written_is_read_back(changes: dict[str, Any]) -> None:
    first = finding(**changes)
    document = json.loads(json.dumps(finding_document(first, "prod")))
    again = finding_from(document)
    assert finding_document(again, "prod") == document
    assert again.finding_id == first.finding_id


def test_a_finding_in_ecs() -> None:
    document = finding_document(finding(), "prod")
    assert document["@timestamp"] == "2026-11-22T12:00:02.500000Z"
    assert document["event"] == {
        "kind": "alert",
        "id": finding().finding_id,
        "module": "elkwatch",
        "dataset": "elkwatch.anomaly",
        "action": "anomaly-found",
        "start": "2026-11-22T12:00:00.000000Z",
        "end": "2026-11-22T12:00:02.500000Z",
        "duration": 2_500_000_000,
        "severity": 73,
        "risk_score": 87,
        "reason": "missing step after commit: 1 unexpected and 1 missing among 21 "
        "events of session s1 (score 7.31 against a threshold of 5.2).",
        "ingested": "2026-11-22T12:01:00.000000Z",
        "url": "https://kibana.example.org/app/discover#/?_a=1",
    }
    assert document["rule"] == {
        "id": "c07",
        "name": "missing step after commit",
        "category": "missing-step",
        "version": "m1",
        "description": "Look at the disk.",
    }
    assert document["elkwatch"]["class"] == {
        "id": "c07",
        "name": "missing step after commit",
        "known": True,
        "confidence": 0.93,
    }
    assert document["elkwatch"]["evidence"][0]["expected"] == [
        ["statement: <*>", 0.71],
        ["end", 0.2],
    ]
    assert document["related"] == {"hosts": ["db-1"]}
    assert document["data_stream"]["namespace"] == "prod"
    assert stream_name("prod") == "logs-elkwatch.anomaly-prod"


def test_what_is_not_known_is_left_out() -> None:
    document = finding_document(finding(service=None, host=None, log_url=None), "d")
    assert not {"service", "host", "related"} & set(document)
    assert "url" not in document["event"]
    assert document["message"] == "missing step after commit, session s1"


@pytest.mark.parametrize(
    ("severity", "number"),
    [("low", 21), ("medium", 47), ("high", 73), ("critical", 99)],
)
def test_severities(severity: str, number: int) -> None:
    event = finding_document(finding(severity=severity), "d")["event"]
    assert event["severity"] == number


def test_windows_withdrawals_and_normal_sessions() -> None:
    window = finding_document(finding(window_start=NOON), "d")
    assert window["elkwatch"]["session"]["window_start"].startswith("2026-11-22T12:00")
    withdrawn = finding_document(finding(status="withdrawn"), "d")
    assert withdrawn["elkwatch"]["status"] == "withdrawn"
    assert withdrawn["event"]["action"] == "anomaly-withdrawn"
    assert withdrawn["event"]["reason"].startswith("Withdrawn")
    assert finding_document(finding(anomaly=False), "d")["event"]["kind"] == "event"


def _paths(document: dict[str, Any], prefix: str = "") -> set[str]:
    paths = set()
    for name, value in document.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict):
            paths |= _paths(first, f"{prefix}{name}.")
        else:
            paths.add(prefix + name)
    return paths


def _mapped(properties: dict[str, Any], prefix: str = "") -> set[str]:
    paths = set()
    for name, field in properties.items():
        if "properties" in field:
            paths |= _mapped(field["properties"], f"{prefix}{name}.")
        else:
            paths.add(prefix + name)
    return paths


def _template_paths(name: str) -> set[str]:
    file = resources.files("connector.index_templates") / f"{name}.json"
    body = json.loads(file.read_text("utf-8"))
    return _mapped(body["template"]["mappings"]["properties"])


def test_every_field_of_a_finding_is_mapped() -> None:
    full: Finding = finding(window_start=NOON)
    written = _paths(finding_document(full, "d"))
    assert written - _template_paths("logs-elkwatch.anomaly") == set()


def test_every_field_of_a_run_is_mapped() -> None:
    figures = RunFigures(
        "r1", "db", NOON, at(5), lag_s=30.0, model_age_s=1.0, failure="down"
    )
    of_round = TickFigures("r1", NOON, at(5), memory_bytes=1, gpu_memory_bytes=1)
    written = _paths(run_document(figures, "d")) | _paths(tick_document(of_round, "d"))
    assert written - _template_paths("metrics-elkwatch.run") == set()


def test_figures_of_a_run() -> None:
    figures = RunFigures(
        "r1", "db", NOON, at(1.5), documents_read=7, durations_s={"read": 0.5}
    )
    document = run_document(figures, "d")
    assert document["event"]["outcome"] == "success"
    assert document["event"]["duration"] == 1_500_000_000
    assert document["elkwatch"]["run"]["documents"]["read"] == 7
    assert "lag_s" not in document["elkwatch"]["run"]
    other = RunFigures("r1", "web", NOON, NOON + timedelta(1))
    assert other.figures_id != figures.figures_id


def test_findings_by_class_are_few_fields_without_dots() -> None:
    found = {f"c{i:02}": 1 for i in range(80)} | {"db.time-out": 5, ".": 2}
    run = RunFigures("r1", "db", NOON, NOON, findings_by_class=found)
    classes = run_document(run, "d")["elkwatch"]["run"]["findings"]["classes"]
    assert classes["db_time-out"] == 5
    assert classes["_"] == 2
    assert classes["other"] == 80 + 2 - 50
    assert sum(classes.values()) == sum(found.values())
    assert not any("." in name for name in classes)


def test_figures_of_a_round_belong_to_no_source() -> None:
    figures = TickFigures("r1", NOON, at(1), sent=3, retried=2, failed=1)
    document = tick_document(figures, "d")
    assert document["event"]["action"] == "round"
    assert document["elkwatch"]["run"] == {
        "id": "r1",
        "notifications": {"sent": 3, "retried": 2, "failed": 1},
    }
    assert figures.figures_id != RunFigures("r1", "db", NOON, NOON).figures_id
