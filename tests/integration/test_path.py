"""The whole path on a real Elasticsearch, a real SMTP server and a real receiver."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from connector import SourceSpec, install, roles
from connector.records import SessionRule
from connector.setup import FEEDBACK_ROLE
from elkwatch.demo.sinks import MailSink, WebhookSink
from elkwatch.engine import EngineOptions, SecurityOptions, User
from tests.integration.conftest import SecuredEngine, StartEngine
from tests.integration.shop import (
    EPISODES,
    MINUTE,
    ODD,
    assert_told_once,
    moved,
    recent,
    trouble,
)
from tests.integration.world import RUN, SECRET, World
from tests.model.builders import cut_off, deadlocked, session, shop, shop_session


def test_the_first_run_finds_and_tells_and_the_second_is_silent(world: World) -> None:
    shipped = world.ship(trouble())
    first = world.run_once()
    outcome = first.sources[0]
    assert outcome.failure is None
    assert outcome.counts.documents == shipped
    assert outcome.progress.sessions == 35
    assert_told_once(world)
    streams = world.es.indices.resolve_index(name=world.findings_stream)
    assert [s["name"] for s in streams["data_streams"]] == [world.findings_stream]
    finding = next(
        f for f in world.findings() if "dead" in str(f["elkwatch"]["session"])
    )
    assert finding["rule"]["name"] == "PostgreSQL deadlock"
    assert finding["event"]["kind"] == "alert"
    assert finding["elkwatch"]["class"]["known"]
    assert any("Make all" in mail.text for mail in world.mail.received)
    assert any(b"deadlock" in call.raw for call in world.hook.received)
    second = world.run_once()
    assert second.sources[0].progress.created == 0
    assert second.sources[0].counts.documents == 0
    assert second.delivery.attempts == ()
    assert_told_once(world)
    assert world.mail.duplicates == world.hook.duplicates == 0


@pytest.mark.parametrize(
    ("module", "owner", "method", "done"),
    [
        ("alerting.episodes", "EpisodeTracker", "note", False),
        ("elkwatch.source_run", "Reading", "save", False),
        ("elkwatch.source_run", "Reading", "save", True),
        ("alerting.outbox", "Outbox", "deliver", False),
        ("alerting.outbox", "Outbox", "owe_all", True),
        ("alerting.keeper", "Keeper", "put_all", True),
        ("connector.sink", "FindingSink", "write", True),
    ],
)
def test_killed_at_any_point_nothing_is_lost_or_doubled(
    world: World, module: str, owner: str, method: str, done: bool
) -> None:
    world.ship(trouble())
    status = world.killed_at(module, owner, method, done=done)
    assert status == -signal.SIGKILL
    world.run_once()
    assert_told_once(world)
    assert world.mail.duplicates == world.hook.duplicates == 0


def test_killed_in_the_send_itself_it_comes_again_under_the_same_id(
    world: World,
) -> None:
    world.ship(trouble())
    status = world.killed_at(
        "alerting.notifiers.webhook", "WebhookNotifier", "send", done=True
    )
    assert status == -signal.SIGKILL
    assert len(world.hook.received) == 1
    world.run_once()
    assert_told_once(world)
    assert world.hook.duplicates == 1


def test_a_late_document_withdraws_its_finding_and_tells_nobody_twice(
    world: World,
) -> None:
    # Past the session's timeout, and well within the overlap.
    end = datetime.now(UTC) - MINUTE / 2
    whole = moved(shop_session("late", random.Random(8)), end)
    cut = replace(whole, events=whole.events[:3])
    rest = replace(whole, events=whole.events[3:])
    world.ship([*recent(shop(20, seed=50)), cut])
    world.run_once()
    assert world.finding_counts() == {"late": 1}
    told = len(world.mail.received)
    assert told == 1
    world.ship([rest])
    tick = world.run_once()
    assert tick.sources[0].counts.late == len(rest.events)
    (finding,) = world.findings()
    assert finding["elkwatch"]["status"] == "withdrawn"
    assert finding["elkwatch"]["session"]["events"] == len(whole.events)
    subjects = [mail.subject for mail in world.mail.received[told:]]
    assert len(subjects) <= 1
    assert not any(subject.startswith("HIGH") for subject in subjects)


def test_an_open_session_survives_a_restart(world: World) -> None:
    now = datetime.now(UTC)
    whole = moved(cut_off("open", random.Random(9)), now - timedelta(seconds=5))
    world.ship([*recent(shop(20, seed=51)), whole])
    assert world.run_once().sources[0].open_sessions == 1
    assert world.finding_counts() == {}
    world.clock.ahead = MINUTE
    tick = world.run_once()
    assert tick.sources[0].progress.sessions >= 1
    (finding,) = world.findings()
    assert finding["elkwatch"]["session"] == {"id": "open", "events": 3}


def test_sinks_that_are_down_get_everything_once_when_they_are_back(
    world: World,
) -> None:
    with MailSink() as mail, WebhookSink(SECRET) as hook:
        world.mail, world.hook = mail, hook
    mail_port, hook_port = mail.port, hook.port  # nobody listens there any more
    world.ship(trouble())
    down = world.run_once()
    assert down.sources[0].failure is None
    assert down.delivery.sent == 0
    assert down.delivery.retried >= 2
    assert world.finding_counts() == ODD
    with MailSink(port=mail_port) as mail, WebhookSink(SECRET, port=hook_port) as hook:
        world.mail, world.hook = mail, hook
        world.clock.ahead = 2 * MINUTE
        world.run_once()
        world.clock.ahead = 4 * MINUTE
        world.run_once()
        assert_told_once(world)
        assert mail.duplicates == hook.duplicates == 0


def test_old_findings_are_summed_up_in_one_message(world: World) -> None:
    world.source = {"start": "earliest"}
    rng = random.Random(4)
    old = recent([deadlocked(f"d{i}", rng) for i in range(5)], ago=300 * MINUTE)
    world.ship([*old, *recent(shop(10, seed=60))])
    world.run_once()
    assert len(world.findings()) == 5
    assert len(world.mail.received) == 1
    assert len(world.hook.received) == 1
    assert "5" in world.mail.received[0].text
    world.run_once()
    assert len(world.mail.received) == 1


def test_run_refuses_to_start_without_index_templates(
    start_engine: StartEngine, namespace: str, tmp_path: Path, bundle: Path
) -> None:
    engine = start_engine(EngineOptions())
    with (
        Elasticsearch(engine.url) as es,
        MailSink() as mail,
        WebhookSink(SECRET) as hook,
    ):
        bare = World(es, engine.url, namespace, tmp_path, bundle, mail, hook)
        bare.prepare(installed=False)
        bare.ship(trouble())
        done = bare.command("run", "--once")
    assert done.returncode == 1
    assert "elkwatch setup" in done.stderr
    assert done.stderr.count("\n") == 1


def test_sigterm_ends_the_service_cleanly(world: World) -> None:
    world.ship(trouble())
    line = [sys.executable, "-c", RUN, "run", "--config", str(world.config())]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as service:
        deadline = time.monotonic() + 120
        while len(world.hook.received) < EPISODES and time.monotonic() < deadline:
            time.sleep(0.2)
        service.send_signal(signal.SIGTERM)
        _, told = service.communicate(timeout=60)
    assert service.returncode == 0, told
    assert "service stopped" in told
    assert_told_once(world)


def test_the_least_privileged_role_is_enough(
    secured_engine: SecuredEngine, namespace: str, tmp_path: Path, bundle: Path
) -> None:
    spec = SourceSpec("shop", "logs-shop-*", session=SessionRule(field="session.id"))
    granted = roles([spec], namespace)
    run_role = next(name for name in granted if "run" in name)
    engine = secured_engine(
        SecurityOptions(
            users=(
                User("admin", "admin-password", ("superuser",)),
                User("watcher", "watcher-password", (run_role,)),
                User("judge", "judge-password", (FEEDBACK_ROLE,)),
                User("blind", "blind-password", ("monitoring",)),
            ),
            roles={**granted, "monitoring": {"cluster": ["monitor"]}},
        )
    )
    admin = ("admin", "admin-password")
    with (
        Elasticsearch(engine.url, basic_auth=admin, request_timeout=60) as es,
        MailSink() as mail,
        WebhookSink(SECRET) as hook,
    ):
        world = World(es, engine.url, namespace, tmp_path, bundle, mail, hook)
        world.prepare()
        install(es, namespace)
        world.ship(trouble())
        world.credentials = {"username": "watcher", "password": "watcher-password"}
        assert world.run_once().failures == []
        assert_told_once(world)
        world.run_once()
        assert_told_once(world)
        world.credentials = {"username": "judge", "password": "judge-password"}
        judged = world.command("feedback", "add", "dead-0", "--false-alarm", "--json")
        unfit = world.command("feedback", "apply")
        world.credentials = {"username": "blind", "password": "blind-password"}
        unseen = world.command("feedback", "add", "dead-0", "--false-alarm")
        refused = world.command("run", "--once")
        world.credentials = {"username": "watcher", "password": "wrong-password"}
        wrong = world.command("run", "--once")
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["session"] == "dead-0"
    assert "index" in unfit.stderr
    assert "read" in unseen.stderr
    assert "read" in refused.stderr
    assert wrong.returncode == 1
    assert "password" in wrong.stderr or "credentials" in wrong.stderr
    assert "wrong-password" not in wrong.stderr
    for done in (unfit, unseen, refused, wrong):
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1


def test_a_source_that_cannot_be_read_does_not_stop_the_others(world: World) -> None:
    world.more_sources = [{"name": "gone", "index": f"nowhere-{world.namespace}"}]
    world.ship(trouble())
    tick = world.run_once()
    assert [s.source for s in tick.sources] == ["shop", "gone"]
    assert tick.failures == [tick.sources[1].failure]
    assert "nowhere-" in tick.failures[0]
    assert_told_once(world)


def test_a_model_of_other_logs_is_told_of(world: World) -> None:
    strange = [f"reactor {word} melted" for word in ("alpha", "beta", "gamma")]
    then = datetime.now(UTC) - 5 * MINUTE
    world.ship([session(f"x{i}", strange, then) for i in range(5)])
    done = world.command("run", "--once")
    assert done.returncode == 0
    assert "does not fit: it knows no template for 100% of these lines" in done.stderr


def test_a_run_that_reads_nothing_says_since_when(world: World) -> None:
    rng = random.Random(4)
    world.ship(recent([deadlocked("old", rng)], ago=600 * MINUTE))
    done = world.command("run", "--once")
    assert done.returncode == 0
    assert "nothing new since 20" in done.stdout
    assert "its `start`" in done.stdout
