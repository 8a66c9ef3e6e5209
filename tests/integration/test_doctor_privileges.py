"""Each privilege of the run role, tried on a secured Elasticsearch; nothing is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from elasticsearch import Elasticsearch

from connector import roles, try_privileges
from connector.setup import RUN_ROLE
from elkwatch.cli.shell import run
from elkwatch.engine import Engine
from tests.connector.indexed import spec
from tests.integration import test_connector_security as secured
from tests.integration.test_connector_security import LESS, PASSWORD, SOURCE, client_of
from tests.integration.tls import TestAuthority, make_authority

engine = secured.engine


def taken(namespace: str) -> set[tuple[str, str]]:
    """What a role lacks of the whole: privileges and what they are on."""
    return _held(roles([SOURCE], namespace)[RUN_ROLE]) - _held(LESS[namespace])


def _held(role: dict[str, Any]) -> set[tuple[str, str]]:
    held = {(name, "") for name in role["cluster"]}
    for entry in role["indices"]:
        held |= {(p, on) for p in entry["privileges"] for on in entry["names"]}
    return held


def everything(boss: Elasticsearch) -> tuple[Any, int]:
    """All indices and streams there are, and how many documents they hold."""
    boss.indices.refresh(index="*,.ds-*")
    names = boss.indices.resolve_index(name="*", expand_wildcards="all").body
    return names, boss.count(index="*,.ds-*")["count"]


@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("namespace", sorted(LESS))
def test_a_missing_privilege_is_named_and_no_other(
    engine: Engine, test_authority: TestAuthority, namespace: str, written: bool
) -> None:
    """Before anything was written, and when streams and indices are there."""
    with client_of(engine, "boss", test_authority) as boss:
        if written:
            _write(boss, namespace)
        there = everything(boss)
        with client_of(engine, namespace, test_authority) as client:
            trials = list(try_privileges(client, [SOURCE], namespace))
        assert everything(boss) == there
    missing = {
        (t.privilege.name, t.privilege.on) for t in trials if t.standing == "missing"
    }
    assert missing == taken(namespace)
    assert [t for t in trials if t.standing == "unknown"] == []


def _write(boss: Elasticsearch, namespace: str) -> None:
    now = {"@timestamp": "2026-01-01T00:00:00Z"}
    for stream in ("logs-elkwatch.anomaly", "metrics-elkwatch.run"):
        boss.index(index=f"{stream}-{namespace}", op_type="create", document=now)
    for kind in ("cursors", "leases", "dead-letters"):
        boss.index(index=f"elkwatch-{kind}-{namespace}", document=now)


def test_a_whole_role_is_whole(engine: Engine, test_authority: TestAuthority) -> None:
    with client_of(engine, "runner", test_authority) as client:
        trials = list(try_privileges(client, [SOURCE], "prod"))
    assert {t.standing for t in trials} == {"held"}
    held = {(t.privilege.name, t.privilege.on) for t in trials}
    assert held == _held(roles([SOURCE], "prod")[RUN_ROLE])


def test_a_source_that_is_yet_to_come_is_no_missing_privilege(
    engine: Engine, test_authority: TestAuthority
) -> None:
    source = spec("app-logs-none*")
    with client_of(engine, "runner", test_authority) as client:
        trials = list(try_privileges(client, [source], "prod"))
    assert {t.standing for t in trials} == {"held"}


def configured(folder: Path, engine: Engine, user: str, **changes: Any) -> Path:
    body: dict[str, Any] = {
        "elasticsearch": {
            "hosts": [engine.url],
            "username": user,
            "password": PASSWORD,
            **changes,
        },
        "namespace": "prod" if user == "runner" else user,
        "sources": [{"name": "db", "index": SOURCE.index, "start": "earliest"}],
    }
    file = folder / "elkwatch.yml"
    file.write_text(yaml.safe_dump(body), "utf-8")
    return file


def told(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Exit code, and the lines of the doctor by their names."""
    code = run(["doctor", "--json", "--config", str(file)])
    out = capsys.readouterr().out
    assert PASSWORD not in out
    lines: dict[str, list[dict[str, str]]] = {}
    for line in json.loads(out)["lines"]:
        lines.setdefault(line["name"], []).append(line)
    return code, lines


def failures(lines: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {
        name: " ".join(o["what"] + o["cure"] for o in found if o["status"] == "fail")
        for name, found in lines.items()
        if any(o["status"] == "fail" for o in found)
    }


@pytest.mark.parametrize("namespace", sorted(LESS))
def test_the_doctor_names_it(
    engine: Engine,
    test_authority: TestAuthority,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    namespace: str,
) -> None:
    ca = str(test_authority.files.authority)
    code, lines = told(configured(tmp_path, engine, namespace, ca_certs=ca), capsys)
    assert code == 1
    name = "elasticsearch" if namespace == "lessmonitor" else "privileges"
    text = failures(lines)[name]
    for privilege, on in taken(namespace):
        assert f"privilege {privilege}" in text
        assert on in text
    others = {name for name, _ in _held(roles([SOURCE], "x")[RUN_ROLE])}
    for privilege in others - {name for name, _ in taken(namespace)}:
        assert f"privilege {privilege} " not in text


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"password": "wrong-password"}, "check elasticsearch.api_key"),
        ({"ca_certs": None}, "name its CA file as elasticsearch.ca_certs"),
        ({"hosts": ["https://127.0.0.1:9"]}, "is Elasticsearch running"),
        ({"hosts": ["https://no-such-host.invalid:9200"]}, "check hosts"),
    ],
)
def test_a_connection_that_fails_skips_what_needs_it(
    engine: Engine,
    test_authority: TestAuthority,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    advice: str,
) -> None:
    wish = {"ca_certs": str(test_authority.files.authority), **changes}
    wish = {name: value for name, value in wish.items() if value is not None}
    code, lines = told(configured(tmp_path, engine, "runner", **wish), capsys)
    assert code == 1
    assert advice in failures(lines)["elasticsearch"]
    for name in ("version", "health", "clock", "privileges", "lease", "source db"):
        assert lines[name][0]["status"] == "skipped", name
    assert lines["messages"][0]["status"] == "ok"


def test_another_authority(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(make_authority(tmp_path / "other").files.authority)
    _, lines = told(configured(tmp_path, engine, "runner", ca_certs=other), capsys)
    assert "elasticsearch.ca_certs" in failures(lines)["elasticsearch"]


def test_a_certificate_that_ends_soon(
    engine: Engine,
    test_authority: TestAuthority,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also where only its fingerprint is known; that of the tests is for a week."""
    for way in (
        {"ca_certs": str(test_authority.files.authority)},
        {"ssl_assert_fingerprint": test_authority.fingerprint},
    ):
        _, lines = told(configured(tmp_path, engine, "runner", **way), capsys)
        (line,) = lines["certificate"]
        assert line["status"] == "warn"
        assert "days from now" in line["what"]
        assert "renew" in line["cure"]


def test_the_run_role_is_all_the_doctor_needs(
    engine: Engine,
    test_authority: TestAuthority,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The model is missing here, and nothing else; a run key reads no figures."""
    ca = str(test_authority.files.authority)
    with client_of(engine, "boss", test_authority) as boss:
        _write(boss, "prod")
        there = everything(boss)
        _, lines = told(configured(tmp_path, engine, "runner", ca_certs=ca), capsys)
        assert everything(boss) == there
    assert set(failures(lines)) == {"model of db"}
    assert "elkwatch train --from-es db" in failures(lines)["model of db"]
    assert lines["last run of db"][0]["status"] == "skipped"
    assert lines["fit of the model of db"][0]["what"] == "needs model of db"


def test_one_bad_line_about_a_ca_file(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none = str(tmp_path / "none.crt")
    _, lines = told(configured(tmp_path, engine, "runner", ca_certs=none), capsys)
    assert "no file" in failures(lines)["elasticsearch"]
