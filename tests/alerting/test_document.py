"""The JSON of a webhook: version 1 holds what it promises."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from alerting import SampleLinks
from alerting.assembly import RowComposer
from alerting.messages.render import Messages
from tests.alerting.makers import T0, Recorder, World, minutes, notice


def _documents(**how: Any) -> dict[str, dict[str, Any]]:
    """One document of each type, as JSON makes it."""
    world = World(channels={"hook": Recorder()}, **how)
    old = T0 - timedelta(hours=3)
    world.tracker.note(
        [notice("a"), notice("old", old, fingerprint="c9/x", class_id="c9")], T0
    )
    world.tracker.catch_up_done("shop-db", T0)
    world.outbox.deliver(T0)
    later = T0 + timedelta(hours=5)
    world.tracker.note([notice("b", later)], later)
    world.outbox.deliver(later)
    world.tracker.advance("shop-db", later + minutes(20), later + minutes(20))
    world.outbox.deliver(later + minutes(20))
    posted = [
        json.loads(json.dumps(m.document)) for m in world.channels["hook"].messages
    ]
    return {document["type"]: document for document in posted}


def test_every_type() -> None:
    documents = _documents()
    assert set(documents) == {
        "episode.opened",
        "episode.ongoing",
        "episode.resolved",
        "catchup.done",
    }
    for document in documents.values():
        assert document["version"] == 1
        assert document["test"] is False
        assert document["timestamp"].endswith("Z")
        assert document["subject"].startswith("[elkwatch]")
        assert document["text"]


def test_an_episode() -> None:
    documents = _documents()
    opened, resolved = documents["episode.opened"], documents["episode.resolved"]
    assert opened["id"] == f"{opened['data']['episode_id']}-1-hook"
    data = opened["data"]
    assert set(data) == {
        "episode_id",
        "source",
        "fingerprint",
        "number",
        "sequence",
        "state",
        "resolution",
        "severity",
        "risk",
        "advice",
        "services",
        "hosts",
        "findings",
        "withdrawn",
        "first_seen",
        "last_seen",
        "resolved_at",
        "reason",
        "class",
        "samples",
        "findings_url",
        "dashboard_url",
    }
    assert data["class"] == {
        "id": "c07",
        "name": "missing step: COMMIT",
        "pattern": "missing-step",
        "known": True,
    }
    assert (data["first_seen"], data["last_seen"]) == (
        "2026-03-04T09:59:00Z",
        "2026-03-04T10:00:00Z",
    )
    assert (data["state"], data["resolved_at"]) == ("opened", None)
    (sample,) = data["samples"]
    assert sample["finding_id"] == "a"
    assert sample["evidence"][0]["surprise_nats"] == 9.1
    assert sample["evidence"][0]["expected"][0] == {
        "template": "statement: COMMIT",
        "probability": 0.71,
    }
    assert resolved["data"]["episode_id"] == data["episode_id"]
    assert resolved["data"]["resolution"] == "quiet"
    assert resolved["data"]["findings"] == 2
    assert [documents[f"episode.{kind}"]["data"]["sequence"] for kind in KINDS] == [
        1,
        2,
        3,
    ]


KINDS = ("opened", "ongoing", "resolved")


def test_a_catch_up() -> None:
    document = _documents()["catchup.done"]
    assert document["id"] == "catchup-shop-db-1-hook"
    data = document["data"]
    assert set(data) == {
        "source",
        "number",
        "findings",
        "episodes",
        "first_seen",
        "last_seen",
        "max_alert_age_s",
        "severity",
        "classes",
        "more_classes",
        "worst",
        "findings_url",
        "dashboard_url",
    }
    assert data["max_alert_age_s"] == 3600
    assert data["classes"][0]["class_id"] == "c9"
    assert data["worst"][0]["finding_id"] == "old"


def test_links_lead_to_findings_and_dashboard() -> None:
    documents = _documents(composer=RowComposer(Messages(), SampleLinks()))
    opened, caught_up = documents["episode.opened"], documents["catchup.done"]
    base = "https://kibana.example.org/app"
    for data, page in ((opened["data"], "class"), (caught_up["data"], "overview")):
        assert data["findings_url"] == f"{base}/discover#/findings/sample"
        assert data["dashboard_url"] == f"{base}/dashboards#/{page}/sample"
    (sample,) = opened["data"]["samples"]
    assert sample["finding_url"] == f"{base}/discover#/finding/a"
    assert caught_up["data"]["worst"][0]["finding_url"].endswith("/finding/old")
    (one,) = caught_up["data"]["classes"]
    assert one["dashboard_url"] == f"{base}/dashboards#/class/sample"


def test_without_links_they_are_null() -> None:
    data = _documents()["episode.opened"]["data"]
    assert data["findings_url"] is data["dashboard_url"] is None
    assert data["samples"][0]["finding_url"] is None


def test_control_characters_do_not_get_through() -> None:
    world = World(channels={"hook": Recorder()})
    hostile = notice(
        "a", session="x\x1b[31m\u202ey", advice="\x00ok", log_url="javascript:x"
    )
    world.tracker.note([hostile], T0)
    world.outbox.deliver(T0)
    (message,) = world.channels["hook"].messages
    data = message.document["data"]
    assert data["samples"][0]["session"] == "xy"
    assert data["advice"] == "ok"
    assert data["samples"][0]["log_url"] is None
