"""Retention on clusters that have data stream lifecycle: asked first, then set."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from connector import ClientConfig, Retention, connect, install, templates
from connector.errors import PrivilegeMissing
from tests.connector.replies import Reply, Request, answering

KEPT = Retention(findings=timedelta(days=7), metrics=timedelta(minutes=90))
STREAMS = {"logs-elkwatch.anomaly-prod": "7d", "metrics-elkwatch.run-prod": "90m"}


class Cluster:
    """Has our templates, and two streams that remember their retention."""

    def __init__(self, retention: dict[str, str | None], status: int = 200) -> None:
        self.retention = retention
        self.status = status
        self.writes: list[str] = []

    def __call__(self, request: Request) -> Reply:
        path = request.path.strip("/").split("/")
        if path[0] == "_index_template":
            body = templates(KEPT)[path[1]]
            return Reply(200, {"index_templates": [{"index_template": body}]})
        if request.method == "HEAD":
            return Reply(200 if path[0] in self.retention else 404, "")
        assert path[0] == "_data_stream"
        if self.status != 200:
            return Reply(self.status, {"error": {"type": "x", "reason": "no"}})
        return self._lifecycle(request, path[1])

    def _lifecycle(self, request: Request, stream: str) -> Reply:
        if request.method == "PUT":
            self.writes.append(stream)
            self.retention[stream] = json.loads(request.body)["data_retention"]
            return Reply(200, {"acknowledged": True})
        kept = self.retention[stream]
        entry: dict[str, Any] = {"name": stream}
        if kept is not None:
            entry["lifecycle"] = {"enabled": True, "data_retention": kept}
        return Reply(200, {"data_streams": [entry]})


def told(cluster: Cluster, *, dry_run: bool = False) -> list[str]:
    """What `install` says beside the templates."""
    with answering(cluster) as url, connect(ClientConfig((url,))) as client:
        actions = install(client, "prod", dry_run, KEPT)
    assert {a.change for a in actions[:4]} == {"unchanged"}
    return [str(action) for action in actions[4:]]


def test_streams_that_are_there_are_told_once() -> None:
    cluster = Cluster(dict.fromkeys(STREAMS))
    expected = [
        f"update     retention of data stream {name}: {kept}"
        for name, kept in STREAMS.items()
    ]
    assert told(cluster, dry_run=True) == expected
    assert cluster.writes == []
    assert told(cluster) == expected
    assert cluster.retention == STREAMS
    assert told(cluster) == []
    assert cluster.writes == list(STREAMS)


def test_only_what_differs_is_told() -> None:
    cluster = Cluster({**STREAMS, "logs-elkwatch.anomaly-prod": "365d"})
    told(cluster)
    assert cluster.writes == ["logs-elkwatch.anomaly-prod"]


def test_streams_that_are_not_there_have_it_from_their_template() -> None:
    assert told(Cluster({})) == []


def test_an_engine_without_lifecycle_is_named() -> None:
    lines = told(Cluster(dict.fromkeys(STREAMS), status=405))
    assert lines == [
        f"left out   retention of data stream {name}: "
        "this Elasticsearch has no data stream lifecycle"
        for name in STREAMS
    ]


def test_a_refusal_is_none_of_that() -> None:
    with pytest.raises(PrivilegeMissing):
        told(Cluster(dict.fromkeys(STREAMS), status=403))


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(days=90), "90d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=61), "61s"),
        (timedelta(milliseconds=3), "1s"),
    ],
)
def test_lengths_as_elasticsearch_writes_them(length: timedelta, written: str) -> None:
    bodies = templates(Retention(findings=length, metrics=timedelta(days=1)))
    body = bodies["logs-elkwatch.anomaly"]
    assert body["template"]["lifecycle"]["data_retention"] == written
    other = templates()["logs-elkwatch.anomaly"]
    assert body["_meta"]["hash"] != other["_meta"]["hash"]
