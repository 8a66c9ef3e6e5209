"""What is said of a cluster's version, by what its nodes tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector import EngineInfo
from elkwatch.doctor import cluster
from elkwatch.doctor.certificates import is_loopback
from tests.elkwatch.doctor.cases import case, only_line


@pytest.mark.parametrize(
    ("versions", "status", "told"),
    [
        (("8.19.8",), "ok", "8.19.8"),
        (("9.2.4",), "ok", "9.2.4"),
        (("9.3.0-SNAPSHOT",), "ok", "9.3.0"),
        (("8.13.0",), "warn", "others may do"),
        (("10.0.0",), "warn", "others may do"),
        (("8.19.8", "9.2.4"), "warn", "finish the upgrade"),
    ],
)
def test_versions(
    tmp_path: Path, versions: tuple[str, ...], status: str, told: str
) -> None:
    given = case(tmp_path)
    given.info = EngineInfo("es", "green", versions)
    line = only_line(cluster.checks(given), "version")
    assert (line.status, told in str(line)) == (status, True)


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("es.example.org", False),
    ],
)
def test_whether_a_connection_leaves_the_machine(host: str, alone: bool) -> None:
    assert is_loopback(host) == alone


def test_passwords_in_the_clear(tmp_path: Path) -> None:
    plain = {"hosts": ["http://es.example.org:9200"]}
    line = only_line(cluster.checks(case(tmp_path, elasticsearch=plain)), "certificate")
    assert (line.status, "use https://" in line.cure) == ("warn", True)
