"""The script that makes elkwatch's role and user.

Its refusals come from a real secured Elasticsearch. That one cannot keep users (it
lacks the analysis module that the index of users needs), so the calls that succeed go
to a receiver on loopback that writes them down.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from elkwatch.engine import Engine, SecurityOptions, User
from tests.integration.conftest import SecuredEngine

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
SECRETS = {
    "elastic_password": "for-the-administrator",
    "kibana_password": "for-kibana-itself",
    "elkwatch_password": "for-the-service",
}


@pytest.fixture(scope="module")
def engine(secured_engine: SecuredEngine) -> Engine:
    administrator = User("adm", SECRETS["elastic_password"], ("superuser",))
    return secured_engine(SecurityOptions(users=(administrator,)))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name, secret in SECRETS.items():
        (tmp_path / name).write_text(secret + "\n", "utf-8")
    return tmp_path


def _grant(url: str, secrets: Path) -> subprocess.CompletedProcess[str]:
    around = {
        **os.environ,
        "SECRETS_DIR": str(secrets),
        "ROLE_FILE": str(COMPOSE / "role.json"),
        "ELASTICSEARCH_URL": url,
        "ADMIN_NAME": "adm",
    }
    return subprocess.run(
        ["bash", COMPOSE / "grants.sh"],
        env=around,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@dataclass(slots=True)
class Receiver:
    """What the script asked for: method, path, user and password, body."""

    url: str
    calls: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def _keep(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            user = b64decode(self.headers["Authorization"].split()[1]).decode()
            kept.calls.append((self.command, self.path, user, json.loads(body)))
            self.send_response(200)
            self.end_headers()

        do_PUT = do_POST = _keep  # noqa: N815 - the names of http.server

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def test_the_script_grants_the_least_role(receiver: Receiver, secrets: Path) -> None:
    done = _grant(receiver.url, secrets)
    assert done.returncode == 0, done.stderr
    by = f"adm:{SECRETS['elastic_password']}"
    role = json.loads((COMPOSE / "role.json").read_text("utf-8"))
    user = {
        "password": SECRETS["elkwatch_password"],
        "roles": ["elkwatch_run"],
        "full_name": "elkwatch",
    }
    kibana = {"password": SECRETS["kibana_password"]}
    assert receiver.calls == [
        ("POST", "/_security/user/kibana_system/_password", by, kibana),
        ("PUT", "/_security/role/elkwatch_run", by, role),
        ("PUT", "/_security/user/elkwatch", by, user),
    ]
    assert not any(secret in done.stdout for secret in SECRETS.values())


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("elastic_password", "wrong", "HTTP 401"),
        ("kibana_password", "short", "at least [6] characters"),
        ("elkwatch_password", "", "is empty"),
        ("elkwatch_password", 'with "quotes"', "without quotes"),
    ],
)
def test_a_secret_that_cannot_be_used_is_told_in_one_line(
    engine: Engine, secrets: Path, name: str, text: str, told: str
) -> None:
    (secrets / name).write_text(text, "utf-8")
    done = _grant(engine.url, secrets)
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not any(secret in done.stderr for secret in SECRETS.values())


def test_a_missing_secret_and_a_dead_cluster(engine: Engine, secrets: Path) -> None:
    done = _grant("http://127.0.0.1:9", secrets)
    assert done.returncode == 1
    assert "grants: /_security/user/kibana_system/_password" in done.stderr
    (secrets / "kibana_password").unlink()
    assert "cannot be read" in _grant(engine.url, secrets).stderr
