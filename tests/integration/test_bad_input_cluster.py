"""What can be wrong with a cluster: one line each that says how to mend it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from elasticsearch import Elasticsearch

from connector import install
from elkwatch.cli import shell
from elkwatch.engine import Engine, EngineOptions, SecurityOptions, User
from tests.integration.conftest import SecuredEngine, StartEngine
from tests.integration.tls import TestAuthority, make_authority
from tests.integration.world import RUN

PASSWORD = "correct horse"
WRONG = "battery staple"
EVERY_COMMAND = (
    ("setup",),
    ("run", "--once", "--device", "cpu"),
    ("report", "--out", "report.html"),
    ("dashboards", "preview", "--out", "drawn"),
    ("alerts", "list"),
    ("train", "--from-es", "shop", "--out", "trained"),
)
Refused = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Place:
    """How to reach a cluster."""

    url: str
    namespace: str = "default"
    keys: Mapping[str, str] | None = None
    index: str = "logs-shop-*"
    session_field: str = "session.id"

    def config(self, folder: Path, bundle: Path) -> Path:
        """The configuration as a file."""
        source = {
            "name": "shop",
            "index": self.index,
            "session": {"field": self.session_field},
            "model": str(bundle),
        }
        body = {
            "elasticsearch": {"hosts": [self.url], **(self.keys or {})},
            "namespace": self.namespace,
            "sources": [source],
            "schedule": {"interval": "1s", "query_delay": "1s"},
        }
        path = folder / "elkwatch.yml"
        path.write_text(yaml.safe_dump(body), "utf-8")
        return path


@pytest.fixture
def refused(
    tmp_path: Path,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Refused:
    """Run a command that must fail: → its one line."""
    monkeypatch.chdir(tmp_path)

    def run(place: Place, *command: str, code: int = 1) -> str:
        config = place.config(tmp_path, bundle)
        exit_code = shell.run([*command, "--config", str(config)])
        told = capsys.readouterr()
        lines = [
            line
            for line in told.err.splitlines()
            if "elastic_transport" not in line  # the client's own log of lost nodes
        ]
        assert exit_code == code, told.err
        assert len(lines) == 1, told.err
        assert told.out == ""
        assert not (tmp_path / "report.html").exists()
        assert not (tmp_path / "trained").exists()
        assert WRONG not in lines[0]
        return lines[0]

    return run


@pytest.fixture(scope="module")
def secured(secured_engine: SecuredEngine, test_authority: TestAuthority) -> Engine:
    users = (User("boss", PASSWORD, ("superuser",)), User("nobody", PASSWORD, ()))
    return secured_engine(SecurityOptions(users, {}, test_authority.files))


@pytest.fixture
def new_data() -> Iterator[Path]:
    """A place for an engine's data that its unprivileged user can enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="elkwatch-test-") as kept:
        Path(kept).chmod(0o755)
        yield Path(kept) / "data"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda c: c[0])
def test_nothing_listens(refused: Refused, command: tuple[str, ...]) -> None:
    line = refused(Place(f"http://127.0.0.1:{free_port()}"), *command)
    assert "connection refused; is Elasticsearch running" in line


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda c: c[0])
@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"username": "boss", "password": WRONG}, "password"),
        ({"api_key": "d3Jvbmc6d3Jvbmc="}, "API key"),
        ({}, "api_key"),
    ],
    ids=["password", "key", "none"],
)
def test_nobody_it_knows(
    refused: Refused,
    secured: Engine,
    test_authority: TestAuthority,
    command: tuple[str, ...],
    keys: Mapping[str, str],
    said: str,
) -> None:
    trusted = {"ca_certs": str(test_authority.files.authority)}
    line = refused(Place(secured.url, keys={**trusted, **keys}), *command)
    assert said in line


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda c: c[0])
def test_an_authority_it_is_not_of(
    refused: Refused, secured: Engine, tmp_path: Path, command: tuple[str, ...]
) -> None:
    other = make_authority(tmp_path / "other", "somebody else").files.authority
    keys = {"username": "boss", "password": PASSWORD, "ca_certs": str(other)}
    assert "ca_certs" in refused(Place(secured.url, keys=keys), *command)


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda c: c[0])
def test_http_where_it_speaks_https(
    refused: Refused, secured: Engine, command: tuple[str, ...]
) -> None:
    keys = {"username": "boss", "password": PASSWORD}
    plain = secured.url.replace("https:", "http:")
    assert "https://" in refused(Place(plain, keys=keys), *command)


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda c: c[0])
def test_https_where_it_speaks_http(
    refused: Refused, engine_url: str, command: tuple[str, ...]
) -> None:
    line = refused(Place(engine_url.replace("http:", "https:")), *command)
    assert "http://" in line


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda c: c[0])
def test_what_nobody_may_is_named(
    refused: Refused,
    secured: Engine,
    test_authority: TestAuthority,
    command: tuple[str, ...],
) -> None:
    keys = {
        "username": "nobody",
        "password": PASSWORD,
        "ca_certs": str(test_authority.files.authority),
    }
    line = refused(Place(secured.url, keys=keys), *command)
    assert "cluster privilege monitor" in line


@pytest.mark.parametrize("command", [EVERY_COMMAND[1], EVERY_COMMAND[5]])
def test_logs_that_are_not_as_the_source_says(
    refused: Refused,
    es: Elasticsearch,
    engine_url: str,
    namespace: str,
    command: tuple[str, ...],
) -> None:
    install(es, namespace)
    index = f"test-{namespace}-logs"
    nothing = Place(engine_url, namespace, index=f"{index}-nowhere-*")
    assert f"{index}-nowhere-*" in refused(nothing, *command)
    es.index(index=index, document=document(0), refresh=True)
    strange = Place(engine_url, namespace, index=index, session_field="sesion.id")
    assert "sesion.id" in refused(strange, *command)
    if command[0] == "train":
        known = Place(engine_url, namespace, index=index)
        empty = refused(known, *command, "--from", "now-9d", "--to", "now-8d")
        assert "no documents between now-9d and now-8d" in empty
        few = refused(known, *command)
        assert "only 1 session" in few
        backwards = refused(known, *command, "--to", "now-8d", code=2)
        assert "--from now-7d is not before --to now-8d" in backwards


def test_report_without_anything_written_is_an_empty_page(
    engine_url: str,
    es: Elasticsearch,
    namespace: str,
    tmp_path: Path,
    bundle: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(es, namespace)
    config = Place(engine_url, namespace).config(tmp_path, bundle)
    out = tmp_path / "report.html"
    assert shell.run(["report", "--out", str(out), "--config", str(config)]) == 0
    assert "0 findings" in capsys.readouterr().out
    assert out.read_text("utf-8").startswith("<!")


def test_the_service_outlives_its_cluster(
    start_engine: StartEngine, new_data: Path, tmp_path: Path, bundle: Path
) -> None:
    port, data = free_port(), new_data
    engine = start_engine(EngineOptions(port=port, data_dir=data))
    place = Place(engine.url, "outage", index="logs-shop")
    with Elasticsearch(engine.url) as es:
        install(es, "outage")
        es.index(index="logs-shop", document=document(0), refresh=True)
    with Running(place.config(tmp_path, bundle), tmp_path / "log") as told:
        told("source done", 1)
        engine.stop()
        told("source failed", 1)
        again = start_engine(EngineOptions(port=port, data_dir=data))
        with Elasticsearch(again.url) as es:
            es.index(index="logs-shop", document=document(1), refresh=True)
        done = told("source done", 0)
        told("source done", done + 1)
    log = (tmp_path / "log").read_text("utf-8")
    assert "Traceback" not in log
    failed = [line for line in log.splitlines() if "source failed" in line]
    assert all("Elasticsearch" in line for line in failed)


def document(number: int) -> dict[str, Any]:
    time_ = datetime.now(UTC) - timedelta(minutes=1)
    return {
        "@timestamp": time_.isoformat(),
        "message": "connection closed",
        "session": {"id": f"s{number}"},
    }


class Running:
    """`elkwatch run` as a process; call it to wait until a text came so often."""

    def __init__(self, config: Path, log: Path) -> None:
        self._log = log
        self._out = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUN, "run", "--config", str(config)],
            stderr=self._out,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Callable[[str, int], int]:
        return self._wait

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0
        self._out.close()

    def _wait(self, text: str, times: int) -> int:
        """Until the log holds the text so often; → how often it does."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            found = self._log.read_text("utf-8").count(text)
            if found >= times:
                return found
            assert self._process.poll() is None, self._log.read_text("utf-8")
            time.sleep(0.2)
        raise AssertionError(self._log.read_text("utf-8"))
