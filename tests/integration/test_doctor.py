"""The doctor on a real Elasticsearch: what is broken is told, nothing is left."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from elasticsearch import Elasticsearch

from alerting import WebhookChannel, build, trial_rows
from connector import (
    Cursor,
    ElasticCursorStore,
    ElasticStateStore,
    Lease,
    Owner,
    Retention,
    install,
)
from elkwatch.alert_store import AlertStateStore
from elkwatch.config import load_config, translate
from elkwatch.doctor import Case, Line, all_checks, examine
from model import LogEvent, Session
from tests.integration.world import World
from tests.model.builders import shop


def recent(sessions: list[Session], until: datetime) -> list[Session]:
    """The same sessions, moved so that the last event is at `until`."""
    shift = until - max(s.end for s in sessions)
    return [_moved(session, shift) for session in sessions]


def _moved(session: Session, shift: timedelta) -> Session:
    events = tuple(replace(e, time=e.time + shift) for e in session.events)
    return replace(session, events=events)


@pytest.fixture
def healthy(world: World) -> World:
    """A shop that is as it should be: installed as configured, logs a minute old."""
    install(world.es, world.namespace, retention=_retention(world))
    world.ship(recent(shop(30), datetime.now(UTC) - timedelta(minutes=1)))
    world.source = {"severity_field": "service.name"}
    return world


def _retention(world: World) -> Retention:
    kept = load_config(world.config(), {}).retention
    return Retention(kept.findings, kept.metrics)


def examined(world: World, **sections: Any) -> dict[str, list[Line]]:
    """What the doctor says, by the names of the checks."""
    body = {**yaml.safe_load(world.config().read_text("utf-8")), **sections}
    file = world.folder / "examined.yml"
    file.write_text(yaml.safe_dump(body), "utf-8")
    file.chmod(0o600)
    case = Case(load_config(file, {}), file, world.clock, "cpu")
    found: dict[str, list[Line]] = {}
    try:
        for line in examine(all_checks(case)):
            found.setdefault(line.name, []).append(line)
    finally:
        case.close()
    return found


def bad(found: dict[str, list[Line]]) -> dict[str, str]:
    """The checks that warn or fail, with all they say."""
    wrong = {name: [x for x in them if x.cure] for name, them in found.items()}
    return {name: " ".join(map(str, them)) for name, them in wrong.items() if them}


def everything(es: Elasticsearch) -> tuple[Any, int]:
    es.indices.refresh(index="*,.ds-*")
    names = es.indices.resolve_index(name="*", expand_wildcards="all").body
    return names, es.count(index="*,.ds-*")["count"]


def test_all_is_well_before_the_first_run_and_after(healthy: World) -> None:
    there = everything(healthy.es)
    found = examined(healthy)
    assert bad(found) == {}
    assert "begins at now-1h" in found["cursor of shop"][0].what
    assert everything(healthy.es) == there
    healthy.run_once()
    there = everything(healthy.es)
    found = examined(healthy)
    assert bad(found) == {}
    assert "read up to" in found["cursor of shop"][0].what
    assert "documents" in found["last run of shop"][0].what
    assert everything(healthy.es) == there
    assert sum(healthy.mail.counts.values()) == 0


def test_the_command(healthy: World) -> None:
    done = healthy.command("doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert sum(told["counts"].values()) == len(told["lines"])
    assert set(told["lines"][0]) == {"name", "status", "what", "cure"}
    for argv in (["--source", "shp"], ["--no-such-option"]):
        done = healthy.command("doctor", *argv)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    healthy.source = {"model": "no/such/model"}
    done = healthy.command("doctor")
    assert done.returncode == 1
    assert "fail     model of shop: " in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 fail, ")


def test_a_missing_index_template(healthy: World) -> None:
    """It is in no stream's use yet, so that it can be removed."""
    name = "elkwatch-dead-letters"
    body = healthy.es.indices.get_index_template(name=name)
    kept = body["index_templates"][0]["index_template"]
    healthy.es.indices.delete_index_template(name=name)
    try:
        found = examined(healthy)
    finally:
        install(healthy.es, healthy.namespace, retention=_retention(healthy))
    assert kept["version"] >= 1
    assert set(bad(found)) == {"index templates"}
    text = bad(found)["index templates"]
    assert f"{name} is missing; run `elkwatch setup`" in text


def test_a_template_that_comes_before_ours(healthy: World) -> None:
    es, stream = healthy.es, healthy.findings_stream
    es.indices.put_index_template(
        name=f"test-{healthy.namespace}-rival",
        index_patterns=[f"logs-*-{healthy.namespace}"],
        priority=900,
        data_stream={},
        template={"mappings": {"properties": {"rule": {"type": "flattened"}}}},
    )
    text = bad(examined(healthy))["index templates"]
    assert f"test-{healthy.namespace}-rival (priority 900)" in text
    assert stream in text
    document = {"@timestamp": datetime.now(UTC).isoformat(), "event": {"risk_score": 1}}
    es.index(index=stream, op_type="create", document=document, refresh=True)
    text = bad(examined(healthy))["mappings"]
    assert "event.risk_score is mapped as long, not float" in text


def test_another_retention_waits_for_setup(healthy: World) -> None:
    found = examined(healthy, retention={"findings": "7d"})
    text = bad(found)["index templates"]
    assert "logs-elkwatch.anomaly is of another version or retention" in text
    assert "metrics-elkwatch.run" not in text


@pytest.fixture
def torn(world: World, tmp_path: Path) -> Path:
    copy = tmp_path / "torn"
    shutil.copytree(world.bundle, copy)
    weights = copy / "network.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return copy


def test_a_truncated_model(healthy: World, torn: Path) -> None:
    healthy.source = {**healthy.source, "model": str(torn)}
    found = examined(healthy)
    assert set(bad(found)) == {"model of shop"}
    assert "network.safetensors is truncated" in bad(found)["model of shop"]
    assert found["fit of the model of shop"][0].status == "skipped"


def test_a_model_of_other_logs(healthy: World) -> None:
    line = LogEvent(datetime.now(UTC), "something else entirely 42", "s1")
    other = [Session(f"s{i}", (line,) * 20) for i in range(40)]
    healthy.ship(other)
    text = bad(examined(healthy))["fit of the model of shop"]
    assert "fail" in text
    assert "elkwatch train --from-es shop" in text


def test_lines_of_the_future_and_lines_of_long_ago(world: World) -> None:
    world.ship(recent(shop(20), datetime.now(UTC) - timedelta(days=2)))
    text = bad(examined(world))["lines of shop"]
    assert "is 2 days old" in text or "is 48 h old" in text
    world.ship(recent(shop(3, seed=5), datetime.now(UTC) + timedelta(hours=3)))
    text = bad(examined(world))["lines of shop"]
    assert "lie in the future" in text
    assert "the furthest 3 h" in text


def test_a_source_that_is_not_there_hides_no_other(healthy: World) -> None:
    healthy.more_sources = ({"name": "gone", "index": f"none-{healthy.namespace}-*"},)
    found = examined(healthy)
    assert set(bad(found)) == {"source gone"}
    assert "no index matches" in bad(found)["source gone"]
    assert found["lines of gone"][0].what == "needs source gone"


def test_fields_that_are_missing_or_hold_nothing(healthy: World) -> None:
    healthy.source = {"message_field": "text", "host_field": "no.host"}
    found = bad(examined(healthy))
    assert "no.host" in found["source shop"]  # and message is a known fall-back
    healthy.source = {"time_field": "no.time"}
    assert "no field no.time" in bad(examined(healthy))["source shop"]
    healthy.source = {"session": {"pattern": r"blk_-?\d+"}}
    assert "0% a session key" in bad(examined(healthy))["lines of shop"]


def test_a_cursor_that_stands_still(healthy: World) -> None:
    cursors = ElasticCursorStore(ElasticStateStore(healthy.es, healthy.namespace))
    ago = datetime.now(UTC) - timedelta(hours=5)
    cursors.save(Cursor("shop", "@timestamp", position=ago))
    text = bad(examined(healthy))["cursor of shop"]
    assert "read up to 5 h ago" in text
    assert "`elkwatch run`" in text


def test_who_holds_the_lease(healthy: World) -> None:
    store = ElasticStateStore(healthy.es, healthy.namespace)
    lease = Lease(store, "run", Owner.this_process(), healthy.clock)
    assert lease.acquire()
    line = examined(healthy)["lease"][0]
    assert line.status == "ok"
    assert f"process {lease.owner.pid}" in line.what
    lease.release()
    assert "free" in examined(healthy)["lease"][0].what


def test_dead_letters_are_counted(healthy: World) -> None:
    now = datetime.now(UTC)
    for age in (timedelta(hours=1), timedelta(days=3)):
        healthy.es.index(
            index=f"elkwatch-dead-letters-{healthy.namespace}",
            document={"@timestamp": (now - age).isoformat(), "message": "bad"},
            refresh=True,
        )
    text = bad(examined(healthy))["dead letters"]
    assert "1 document given up in the last day" in text


def test_a_clock_that_is_wrong(healthy: World) -> None:
    healthy.clock.ahead = timedelta(seconds=12)
    assert "warn" in bad(examined(healthy))["clock"]
    healthy.clock.ahead = timedelta(minutes=-10)
    text = bad(examined(healthy))["clock"]
    assert "fail" in text
    assert "10 min behind Elasticsearch's" in text


def test_indices_that_are_closed_for_writing(healthy: World) -> None:
    """An older backing index of a stream may be closed: nothing is written there."""
    healthy.run_once()
    state = f"elkwatch-cursors-{healthy.namespace}"
    closed = {"index.blocks.read_only_allow_delete": True}
    healthy.es.indices.put_settings(index=state, settings=closed)
    text = bad(examined(healthy))["writing"]
    assert f"{state} is closed for writing: disk usage exceeded" in text
    assert text.count("fail") == 1
    opened = {"index.blocks.read_only_allow_delete": None}
    healthy.es.indices.put_settings(index=state, settings=opened)
    stream = healthy.findings_stream
    document = {"@timestamp": datetime.now(UTC).isoformat()}
    healthy.es.index(index=stream, op_type="create", document=document)
    found = healthy.es.indices.resolve_index(name=stream)["data_streams"]
    (first,) = found[0]["backing_indices"]
    blocked = {"index.blocks.write": True}
    healthy.es.indices.put_settings(index=first, settings=blocked)
    assert f"{first} is closed" in bad(examined(healthy))["writing"]
    healthy.es.indices.rollover(alias=stream)
    assert "writing" not in bad(examined(healthy))


def test_messages_that_are_given_up_or_owed_for_long(healthy: World) -> None:
    healthy.run_once()
    settings = translate.alerting_config(load_config(healthy.config(), {}).alerting)
    store = AlertStateStore(
        ElasticStateStore(healthy.es, healthy.namespace, wait_for_refresh=True)
    )
    outbox = build(settings, store, healthy.clock).outbox
    outbox.owe(trial_rows(settings, datetime.now(UTC) - timedelta(hours=2)))
    text = bad(examined(healthy))["outbox"]
    assert "2 messages owed for up to 2 h" in text
    assert "given up" not in text
    mail, hook = settings.channels
    assert isinstance(hook, WebhookChannel)
    other = replace(hook, secrets=("whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXI=",))
    mended = replace(settings, channels=(mail, other))
    build(mended, store, healthy.clock).outbox.deliver(datetime.now(UTC))
    text = bad(examined(healthy))["outbox"]
    assert "1 message given up (last: " in text
    assert "answered 401" in text
    assert "owed for" not in text


def test_a_model_of_other_sessions(healthy: World, tmp_path: Path) -> None:
    copy = tmp_path / "other"
    shutil.copytree(healthy.bundle, copy)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    learned = {"fields": ["session.id"], "pattern": None, "window_s": None}
    healthy.source = {**healthy.source, "model": str(copy)}
    for changes, wrong in (({}, False), ({"window_s": 300.0}, True)):
        manifest["trained_on"] = {"session": learned | changes}
        (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        text = bad(examined(healthy)).get("model of shop", "")
        assert ("windows of 300 s; the source has them by" in text) == wrong


def test_a_red_cluster(healthy: World) -> None:
    name = f"test-{healthy.namespace}-red"
    nowhere = {"index.routing.allocation.require._name": "nowhere"}
    healthy.es.indices.create(
        index=name, settings=nowhere, wait_for_active_shards=0, timeout="1s"
    )
    try:
        text = bad(examined(healthy))["health"]
    finally:
        healthy.es.indices.delete(index=name)
    assert "fail     health: red" in text


def test_a_source_that_reads_our_own_output(healthy: World) -> None:
    healthy.more_sources = ({"name": "own", "index": "logs-elkwatch.anomaly-*"},)
    found = examined(healthy)
    assert set(bad(found)) == {"source own"}
    assert "what elkwatch itself writes" in bad(found)["source own"]
    assert found["privileges"][0].status == "ok"
