"""Mail and webhooks through the production code, against real servers on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elkwatch.doctor import Case, Line, channels
from tests.alerting.servers import (
    Certificates,
    mail_server,
    make_certificates,
    receiver,
)
from tests.elkwatch.doctor.cases import case, lines, only_line

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Bound and not listened at: nobody else gets it, and it refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def _mail(folder: Path, port: int, send: bool = False, **smtp: Any) -> Case:
    channel = {
        "name": "ops",
        "kind": "email",
        "smtp": {"host": "127.0.0.1", "port": port, "security": "none", **smtp},
        "from": "elkwatch@example.org",
        "to": ["ops@example.org"],
    }
    return case(folder, send=send, alerting={"channels": [channel]})


def _hook(folder: Path, url: str, send: bool = False, **more: Any) -> Case:
    channel = {"name": "ops", "kind": "webhook", "url": url, "secret": "whsec-of-mine"}
    return case(folder, send=send, alerting={"channels": [{**channel, **more}]})


def _line(given: Case) -> Line:
    line = only_line(channels.checks(given), "channel ops")
    assert PASSWORD not in str(line)
    assert "whsec-of-mine" not in str(line)
    return line


def test_a_mail_server_that_works_gets_no_mail(
    tmp_path: Path, certificates: Certificates
) -> None:
    with mail_server(starttls=certificates.server, auth=True) as server:
        given = _mail(
            tmp_path,
            server.port,
            security="starttls",
            ca_file=str(certificates.ca),
            username="elk",
            password=PASSWORD,
        )
        line = _line(given)
    assert line.status == "ok"
    assert "starttls, logged in" in line.what
    assert server.logins == ["elk"]
    assert server.mails == []


def test_a_wrong_password(tmp_path: Path, certificates: Certificates) -> None:
    with mail_server(starttls=certificates.server, auth=True) as server:
        given = _mail(
            tmp_path,
            server.port,
            security="starttls",
            ca_file=str(certificates.ca),
            username="elk",
            password="not the password",
        )
        line = _line(given)
    assert line.status == "fail"
    assert "answered 535" in line.what
    assert "not the password" not in str(line)


def test_a_server_without_starttls(tmp_path: Path) -> None:
    with mail_server() as server:
        line = _line(_mail(tmp_path, server.port, security="starttls"))
    assert line.status == "fail"
    assert "STARTTLS" in line.what


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_that_refuses(
    tmp_path: Path, closed_port: int, security: str
) -> None:
    line = _line(_mail(tmp_path, closed_port, security=security))
    assert (line.status, "connection refused" in line.what) == ("fail", True)
    assert "under smtp" in line.cure


def test_an_unknown_mail_host(tmp_path: Path) -> None:
    line = _line(_mail(tmp_path, 25, host="no-such-host.invalid"))
    assert (line.status, "host name not found" in line.what) == ("fail", True)


def test_a_mail_server_of_another_authority(
    tmp_path: Path, certificates: Certificates
) -> None:
    with mail_server(tls=certificates.server) as server:
        ca = str(certificates.other_ca)
        line = _line(_mail(tmp_path, server.port, security="tls", ca_file=ca))
    assert (line.status, "certificate not trusted" in line.what) == ("fail", True)


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    none = tmp_path / "none.pem"
    none.write_text("nothing", "utf-8")
    line = _line(_mail(tmp_path, 25, security="tls", ca_file=str(none)))
    assert (line.status, "no certificate in PEM form" in str(line)) == ("fail", True)


def test_a_test_mail_only_when_asked_for(tmp_path: Path) -> None:
    with mail_server() as server:
        line = _line(_mail(tmp_path, server.port, send=True))
        assert line.status == "ok"
        assert len(server.mails) == 1
        server.data_answer = "554 no"
        line = _line(_mail(tmp_path, server.port, send=True))
    assert (line.status, "answered 554" in line.what) == ("fail", True)


def test_a_webhook_is_reached_and_not_called(
    tmp_path: Path, certificates: Certificates
) -> None:
    with receiver(certificates.server) as hook:
        url = f"{hook.url}/T0/very-secret-path"
        line = _line(_hook(tmp_path, url, ca_file=str(certificates.ca)))
        assert hook.posts == []
    assert (line.status, "TLSv1" in line.what) == ("ok", True)
    assert "very-secret-path" not in str(line)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://no-such-host.invalid/x", "host name not found"),
        ("http://127.0.0.1:{closed}/x", "connection refused"),
    ],
)
def test_a_webhook_that_cannot_be_reached(
    tmp_path: Path, closed_port: int, url: str, told: str
) -> None:
    line = _line(_hook(tmp_path, url.format(closed=closed_port)))
    assert (line.status, told in line.what) == ("fail", True)


def test_a_webhook_of_an_unknown_authority(
    tmp_path: Path, certificates: Certificates
) -> None:
    with receiver(certificates.server) as hook:
        assert "certificate not trusted" in _line(_hook(tmp_path, hook.url)).what


def test_a_webhook_that_speaks_no_tls(tmp_path: Path) -> None:
    with receiver() as hook:
        url = hook.url.replace("http:", "https:")
        line = _line(_hook(tmp_path, url))
    assert (line.status, "TLS failed" in line.what) == ("fail", True)


def test_behind_a_proxy_only_that_one_is_reached(
    tmp_path: Path, closed_port: int
) -> None:
    with receiver() as proxy:
        given = _hook(tmp_path, "https://no-such-host.invalid/x", proxy=proxy.url)
        line = _line(given)
        assert (line.status, "a proxy" in line.what) == ("ok", True)
        assert proxy.posts == []
    given = _hook(
        tmp_path, "https://example.org/x", proxy=f"http://127.0.0.1:{closed_port}"
    )
    assert _line(given).status == "fail"


def test_a_test_call_only_when_asked_for(tmp_path: Path) -> None:
    with receiver() as hook:
        assert _line(_hook(tmp_path, hook.url, send=True)).status == "ok"
        assert len(hook.posts) == 1
        hook.answer = lambda post: (403, {}, b"")
        line = _line(_hook(tmp_path, hook.url, send=True))
    assert (line.status, "answered 403" in line.what) == ("fail", True)


def test_one_channel_does_not_hide_another(tmp_path: Path) -> None:
    broken = {
        "name": "broken",
        "kind": "webhook",
        "url": "https://example.org/x",
        "secret": "whsec_not-base64!",
    }
    with mail_server() as server:
        good = _mail(tmp_path, server.port).config.alerting.channels[0]
        given = case(
            tmp_path,
            alerting={
                "channels": [broken, good.model_dump(mode="json", by_alias=True)]
            },
        )
        found = channels.checks(given)
        assert only_line(found, "channel broken").status == "fail"
        assert only_line(found, "channel ops").status == "ok"


def test_nobody_is_told(tmp_path: Path) -> None:
    line = only_line(channels.checks(case(tmp_path)), "channels")
    assert (line.status, "alerting.channels" in line.cure) == ("warn", True)


def test_message_files_that_cannot_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    given = case(tmp_path, alerting={"templates": str(folder)})
    assert only_line(channels.checks(given), "messages").status == "ok"
    (folder / "opened.text.j2").write_text("{{ no.such.thing }}", "utf-8")
    (folder / "resolved.subject.j2").write_text("{% if %}", "utf-8")
    found = lines(channels.checks(given), "messages")
    assert [line.status for line in found] == ["fail", "fail"]
    assert "opened.text.j2" in found[0].what
    assert "resolved.subject.j2" in found[1].what
