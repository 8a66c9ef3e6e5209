"""`elkwatch backtest` as a command: its privileges, refusals and interruption."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from elkwatch.demo.sinks import MailSink, WebhookSink
from elkwatch.engine import SecurityOptions, User
from tests.integration.conftest import SecuredEngine
from tests.integration.past import state_of
from tests.integration.shop import ODD, trouble
from tests.integration.world import RUN, SECRET, World


def test_reading_the_sources_is_all_it_needs(
    secured_engine: SecuredEngine, namespace: str, tmp_path: Path, bundle: Path
) -> None:
    """No `monitor`, no setup, and no privilege on anything of elkwatch."""
    reader = {"indices": [{"names": ["logs-shop-*"], "privileges": ["read"]}]}
    engine = secured_engine(
        SecurityOptions(
            users=(
                User("admin", "admin-password", ("superuser",)),
                User("reader", "reader-password", ("only_read",)),
            ),
            roles={"only_read": reader},
        )
    )
    admin = ("admin", "admin-password")
    with (
        Elasticsearch(engine.url, basic_auth=admin, request_timeout=60) as es,
        MailSink() as mail,
        WebhookSink(SECRET) as hook,
    ):
        world = World(es, engine.url, namespace, tmp_path, bundle, mail, hook)
        world.prepare(installed=False)
        world.ship(trouble())
        world.credentials = {"username": "reader", "password": "reader-password"}
        before = state_of(es)
        done = world.command("backtest", "--days", "1", "--every", "15m", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["findings"] == sum(ODD.values())
        assert state_of(es) == before
        assert mail.received == []
        assert hook.received == []
        assert hook.rejected == []


def test_one_of_two_sources_cannot_be_read(world: World) -> None:
    world.more_sources = [{"name": "gone", "index": f"nowhere-{world.namespace}"}]
    world.ship(trouble())
    done = world.command("backtest", "--from", "now-1h", "--every", "1m")
    assert done.returncode == 1
    assert "NOT READ to the end: source gone: no index matches" in done.stdout
    last = done.stdout.splitlines()[-2:]
    assert last[0].startswith("A source is missing in this: source gone")
    assert last[1].startswith("You would have been told ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--days 7"),
        (("--days", "0"), 2, "1<=x<=366"),
        (("--days", "-3"), 2, "1<=x<=366"),
        (("--days", "100000"), 2, "1<=x<=366"),
        (("--days", "1", "--from", "now-1h"), 2, "not both"),
        (("--from", "now-1h", "--to", "now-2h"), 2, "is not before"),
        (("--from", "1900-01-01"), 2, "more than 366 days"),
        (("--from", "earliest"), 2, "name a time"),
        (("--days", "1", "--to", "2999-01-01"), 2, "in the future"),
        (("--days", "1", "--source", "nobody"), 2, "nobody"),
        (("--days", "1", "--model", "/nowhere"), 1, "/nowhere"),
        (("--days", "1"), 1, "no source holds a line between"),
        (("--days", "1", "--source", "bare"), 2, "elkwatch train"),
    ],
)
def test_what_cannot_work_is_told_in_one_line(
    world: World, arguments: tuple[str, ...], code: int, said: str
) -> None:
    world.ship(trouble()[:1])
    bare = {"name": "bare", "index": world.index, "model": None}
    if "bare" in arguments:
        world.more_sources = [bare]
    if arguments == ("--days", "1"):
        arguments = ("--from", "now-4h", "--to", "now-2h", "--every", "1h")
    done = world.command("backtest", *arguments)
    assert done.returncode == code
    lines = done.stderr.splitlines()
    assert said in lines[-1]
    assert sum(line.startswith("elkwatch: ") for line in lines) == 1
    assert done.stdout == ""


def test_ctrl_c_tells_what_was_found_by_then(world: World) -> None:
    world.ship(trouble())
    line = [sys.executable, "-c", RUN, "backtest", "--from", "now-30m", "--every", "1s"]
    with subprocess.Popen(
        [*line, "--config", str(world.config())],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        assert "backtest: " in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        told_by_then, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "STOPPED at" in told_by_then
    assert "You would have been told" in told_by_then.splitlines()[-1]
