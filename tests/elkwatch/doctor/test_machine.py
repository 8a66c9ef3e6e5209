"""This machine: permissions, packages, port, disk."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from elkwatch.clock import SystemClock
from elkwatch.config import secret_files
from elkwatch.doctor import machine
from elkwatch.monitoring import MonitoringServer, Pulse, ServiceMetrics
from tests.elkwatch.doctor.cases import NOW, StandingClock, case, lines, only_line

_HOOK = {"name": "hook", "kind": "webhook", "url": "https://example.org/x"}


@pytest.mark.parametrize(("mode", "status"), [(0o600, "ok"), (0o644, "warn")])
def test_a_secret_file_that_others_can_read(
    tmp_path: Path, mode: int, status: str
) -> None:
    secret = tmp_path / "es.key"
    secret.write_text("s3cret-s3cret", "utf-8")
    secret.chmod(mode)
    given = case(
        tmp_path,
        elasticsearch={"hosts": ["http://es:9200"], "api_key": {"file": "es.key"}},
    )
    line = only_line(machine.checks(given), "secrets")
    assert line.status == status
    assert ("chmod go-rwx" in line.cure) == (status == "warn")
    assert "s3cret" not in str(line)


def test_a_configuration_with_a_secret_in_it(tmp_path: Path) -> None:
    given = case(
        tmp_path,
        elasticsearch={"hosts": ["http://es:9200"], "api_key": "in-clear-text"},
    )
    given.file.chmod(0o644)
    line = only_line(machine.checks(given), "secrets")
    assert (line.status, str(given.file) in line.what) == ("warn", True)
    assert "in-clear-text" not in str(line)


def test_a_configuration_without_one_may_be_read(tmp_path: Path) -> None:
    given = case(tmp_path)
    given.file.chmod(0o644)
    assert only_line(machine.checks(given), "secrets").status == "ok"


def test_every_place_a_secret_file_can_be_named(tmp_path: Path) -> None:
    names = ["es", "smtp", "hook", "header", "key", "env"]
    for name in names:
        (tmp_path / name).write_text("secret-of-" + name, "utf-8")
    mail = {
        "name": "mail",
        "kind": "email",
        "smtp": {"host": "mx", "username": "u", "password": {"file": "smtp"}},
        "from": "a@example.org",
        "to": ["b@example.org"],
    }
    hook = {
        **_HOOK,
        "secret": {"file": "hook"},
        "headers": {"x-key": {"file": "header"}},
        "client_cert": "key",
        "client_key": "key",
    }
    given = case(
        tmp_path,
        elasticsearch={"hosts": ["http://es:9200"], "api_key": {"file": "es"}},
        alerting={"channels": [mail, hook]},
    )
    override = {"ELKWATCH__KIBANA__API_KEY": "{file: env}"}
    found = secret_files(given.file, override)
    # The address of the webhook is a secret, too, and stands in the file itself.
    assert [path.name for path in found] == sorted([*names, "elkwatch.yml"])


def test_a_package_with_two_owners() -> None:
    owners = {name: ["elkwatch"] for name in machine.OWN_PACKAGES}
    assert [o.status for o in machine._packages(owners)] == ["ok"]
    owners["model"] = ["elkwatch", "model-zoo"]
    (found,) = machine._packages(owners)
    assert found.status == "fail"
    assert "model is also installed by model-zoo" in found.what


def test_a_port_that_is_free_taken_or_the_service_s(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        other.settimeout(0.1)
        section = {"listen": f"127.0.0.1:{port}"}
        given = case(tmp_path, monitoring=section)
        other.close()
        assert only_line(machine.checks(given), "monitoring").status == "ok"
    pulse = Pulse(given.config.monitoring.stale_after, NOW)
    at = ("127.0.0.1", port)
    server = MonitoringServer(at, pulse, ServiceMetrics(), StandingClock())
    server.start()
    try:
        line = only_line(machine.checks(given), "monitoring")
        assert line.status == "warn"
        assert "the service answers" in line.what
        assert "no round has ended yet" in line.what
        pulse.round_ended(NOW, [])
        assert only_line(machine.checks(given), "monitoring").status == "ok"
    finally:
        server.stop()


def test_an_address_that_is_another_machine_s(tmp_path: Path) -> None:
    given = case(tmp_path, monitoring={"listen": "192.0.2.1:9469"})
    line = only_line(machine.checks(given), "monitoring")
    assert line.status == "fail"
    assert "monitoring.listen" in line.cure


def test_disk_and_device_of_this_machine(tmp_path: Path) -> None:
    given = case(
        tmp_path,
        clock=SystemClock(),
        sources=[{"name": "a", "index": "a", "model": "models/none/yet"}],
    )
    (disk,) = lines(machine.checks(given), "disk")
    assert str(tmp_path) in disk.what
    assert only_line(machine.checks(given), "device").what.startswith("cpu")
    assert only_line(machine.checks(given), "memory").status in {"ok", "warn"}


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU that torch can use")
    given = case(tmp_path)
    given.device = "cuda"
    line = only_line(machine.checks(given), "device")
    assert (line.status, "--device cpu" in line.cure) == ("fail", True)
