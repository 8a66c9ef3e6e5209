"""The engine for real: used, secured, killed, kept and found again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from elastic_transport import TlsError
from elasticsearch import AuthenticationException, AuthorizationException, Elasticsearch

from elkwatch.engine import (
    Engine,
    EngineOptions,
    EngineStartError,
    SecurityOptions,
    User,
    chosen_version,
)
from tests.integration.conftest import SecuredEngine, StartEngine, remove_all_named
from tests.integration.tls import TestAuthority, make_authority

PATIENCE_S = 60.0


def test_it_answers_and_keeps_documents(es: Elasticsearch, prefix: str) -> None:
    index = f"{prefix}a"
    es.index(index=index, id="1", document={"message": "hello"}, refresh=True)
    assert es.count(index=index)["count"] == 1


def test_each_test_has_its_own_names(es: Elasticsearch, prefix: str) -> None:
    assert re.fullmatch(r"test-t[0-9a-f]{12}-", prefix)
    assert es.indices.resolve_index(name=f"{prefix}*")["indices"] == []


# --- lives


def test_what_is_stopped_leaves_nothing_and_kept_data_stays(
    start_engine: StartEngine, open_directory: Path
) -> None:
    options = EngineOptions(data_dir=open_directory / "data")
    engine = start_engine(options)
    server = psutil.Process(engine.pid)
    directory = engine.directory.path
    assert server.uids().effective != 0
    with Elasticsearch(engine.url, max_retries=0) as client:
        client.index(index="kept", id="1", document={"n": 1})
    engine.stop()
    assert not server.is_running()
    assert not directory.exists()
    again = start_engine(options)
    with Elasticsearch(again.url, max_retries=0) as client:
        assert client.get(index="kept", id="1")["_source"] == {"n": 1}


def test_a_server_that_cannot_start_says_why(start_engine: StartEngine) -> None:
    with pytest.raises(EngineStartError, match="Java heap space") as caught:
        start_engine(EngineOptions(heap_mb=8))
    assert "\n" not in str(caught.value)


def test_a_killed_starter_leaves_nobody(start_engine: StartEngine) -> None:
    program = (
        "import json, time\n"
        "from elkwatch.engine import start\n"
        "with start() as engine:\n"
        "    log = str(engine.server_log)\n"
        "    print(json.dumps({'pid': engine.pid, 'log': log}), flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        told = json.loads(starter.stdout.readline())
        server = psutil.Process(told["pid"])
        family = [server, *server.parents()[:2]]  # the launcher and the keeper
        starter.kill()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_S)
    assert alive == []
    assert not Path(told["log"]).exists()


# --- the background


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def elkwatch(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path, engine_programs: Path
) -> Callable[..., Answer]:
    """Run commands as a user does, with a cache that knows no other engine."""
    (open_directory / "dist").symlink_to(engine_programs)
    monkeypatch.setenv("ELKWATCH_CACHE", str(open_directory))
    version = os.environ.get("TEST_ELASTICSEARCH_VERSION")
    if version:
        monkeypatch.setenv("ELKWATCH_ENGINE_VERSION", version)

    def run(*words: str) -> Answer:
        program = "from elkwatch.cli.shell import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, "engine", *words],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


def test_a_background_engine_from_start_to_stop(
    elkwatch: Callable[..., Answer],
) -> None:
    try:
        started = elkwatch("start")
        assert started.code == 0, started.err
        url = started.out.strip()
        again = elkwatch("start")
        assert (again.out.strip(), again.code) == (url, 0)
        assert "runs already" in again.err

        status = json.loads(elkwatch("status", "--json").out)
        (engine,) = status["engines"]
        assert engine["url"] == url
        assert engine["version"] == chosen_version(None)
        assert engine["health"] in {"green", "yellow"}

        server = psutil.Process(engine["pid"])
        server.kill()
        server.parents()[1].wait(PATIENCE_S)  # the keeper
        ended = elkwatch("status")
        assert ended.out == "no engine is running\n"
        assert "exit code 137" in ended.err

        fresh = elkwatch("start")
        assert fresh.code == 0, fresh.err
        pid = json.loads(elkwatch("status", "--json").out)["engines"][0]["pid"]
        url = fresh.out.strip()
        port = url.rpartition(":")[2]
        other = elkwatch("stop", "--port", str(int(port) - 1))
        assert f"one runs at {url}" in other.out
        stopped = elkwatch("stop", "--port", port)
        assert stopped.out == f"stopped {url}\n"
        assert not psutil.pid_exists(pid)
        assert elkwatch("status").out == "no engine is running\n"
    finally:
        elkwatch("stop")


# --- security


@pytest.fixture
def security(test_authority: TestAuthority) -> SecurityOptions:
    return SecurityOptions(
        users=(
            User("boss", "correct horse", ("superuser",)),
            User("reader", "battery staple", ("read_logs",)),
        ),
        roles={
            "read_logs": {"indices": [{"names": ["logs-*"], "privileges": ["read"]}]}
        },
        tls=test_authority.files,
    )


def client_of(
    engine: Engine, name: str, password: str, ca_certs: Path | None = None
) -> Elasticsearch:
    return Elasticsearch(
        engine.url,
        basic_auth=(name, password),
        ca_certs=str(ca_certs or engine.ca_certs),
        max_retries=0,
    )


def test_users_have_their_roles_and_no_more(
    secured_engine: SecuredEngine, security: SecurityOptions
) -> None:
    engine = secured_engine(security)
    assert engine.url.startswith("https://")
    with client_of(engine, "boss", "correct horse") as boss:
        boss.index(index="logs-a", document={"n": 1}, refresh=True)
        boss.index(index="other", document={"n": 1}, refresh=True)
    with client_of(engine, "reader", "battery staple") as reader:
        assert reader.count(index="logs-a")["count"] == 1
        with pytest.raises(AuthorizationException, match="security_exception"):
            reader.count(index="other")
        with pytest.raises(AuthorizationException, match="security_exception"):
            reader.index(index="logs-a", document={"n": 2})
    with (
        client_of(engine, "reader", "wrong") as stranger,
        pytest.raises(AuthenticationException),
    ):
        stranger.count(index="logs-a")


def test_only_its_own_authority_vouches_for_it(
    secured_engine: SecuredEngine,
    security: SecurityOptions,
    test_authority: TestAuthority,
    tmp_path: Path,
) -> None:
    engine = secured_engine(security)
    with Elasticsearch(
        engine.url,
        basic_auth=("boss", "correct horse"),
        ssl_assert_fingerprint=test_authority.fingerprint,
        max_retries=0,
    ) as pinned:
        assert pinned.cluster.health()["status"] in {"green", "yellow"}
    other = make_authority(tmp_path).files.authority
    with (
        client_of(engine, "boss", "correct horse", other) as misled,
        pytest.raises(TlsError),
    ):
        misled.cluster.health()


# --- the fixtures themselves


def test_cleaning_up_removes_what_bears_the_name_and_nothing_else(
    es: Elasticsearch, namespace: str, prefix: str
) -> None:
    name = f"{namespace}x"
    stream, index, other = f"logs-test-{name}", f"{prefix}{name}", f"{prefix}other"
    es.indices.put_index_template(
        name=f"template-{name}", index_patterns=[stream], data_stream={}, priority=999
    )
    es.cluster.put_component_template(name=f"component-{name}", template={})
    es.index(index=stream, document={"@timestamp": "2026-01-01"}, op_type="create")
    for plain in (index, other):
        es.index(index=plain, document={"n": 1}, refresh=True)
    remove_all_named(es, name)
    assert es.count(index=f"{stream}*")["count"] == 0
    assert not es.indices.exists(index=index)
    assert not es.cluster.exists_component_template(name=f"component-{name}")
    assert es.count(index=other)["count"] == 1
