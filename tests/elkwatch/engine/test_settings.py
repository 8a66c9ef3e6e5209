"""What is written into the directory of a node."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from pathlib import Path

import pytest
import yaml

from elkwatch.engine import EngineOptions, SecurityOptions, User
from elkwatch.engine.errors import EngineConfigError
from elkwatch.engine.node import NodeDirectory
from elkwatch.engine.settings import write_settings


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
