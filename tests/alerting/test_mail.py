"""Email against a real SMTP server on loopback."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from alerting import (
    AlertingConfig,
    AlertingConfigError,
    DeliveryError,
    EmailChannel,
    InMemoryAlertStore,
    OutgoingMessage,
    build,
)
from alerting.notifiers.mail import EmailNotifier
from tests.alerting.makers import T0, FakeClock, minutes, notice
from tests.alerting.servers import Certificates, MailServer, mail_server

FIRST = "ops@example.org"
SECOND = "Zweite <second@example.org>"
MESSAGE = OutgoingMessage(
    row_id="0123456789abcdef0123456789abcdef-2-ops-mail",
    kind="ongoing",
    thread_id="0123456789abcdef0123456789abcdef-1-ops-mail",
    sent_at=datetime(2026, 3, 4, 10, 0, 5, tzinfo=UTC),
    severity="high",
    subject="【高】缺少步骤 · shop-db",
    text="处理建议: check it\n",
    html="<p>处理建议: check it</p>\n",
    document={},
)


def _channel(server: MailServer, **changes: Any) -> EmailChannel:
    channel = EmailChannel(
        name="ops-mail",
        host="127.0.0.1",
        port=server.port,
        security="none",
        sender="elkwatch 看板 <elk@watch.example.org>",
        to=(FIRST, SECOND),
        timeout_s=5,
        ehlo_name="localhost",
    )
    return replace(channel, **changes)


def _parts(mail: EmailMessage) -> dict[str, str]:
    return {
        part.get_content_type(): part.get_content().replace("\r\n", "\n")
        for part in mail.walk()
        if not part.is_multipart()
    }


def test_a_mail_as_it_arrives() -> None:
    with mail_server() as server:
        receipt = EmailNotifier(_channel(server)).send(MESSAGE)
    assert receipt.detail == "accepted for 2 of 2"
    (mail,) = server.mails
    assert server.recipients == [["ops@example.org", "second@example.org"]]
    assert mail["Subject"] == "【高】缺少步骤 · shop-db"
    assert mail["From"] == "elkwatch 看板 <elk@watch.example.org>"
    assert mail["To"] == "ops@example.org, Zweite <second@example.org>"
    assert mail["Date"] == "Wed, 04 Mar 2026 10:00:05 +0000"
    assert mail["Message-ID"] == f"<{MESSAGE.row_id}@watch.example.org>"
    assert mail["In-Reply-To"] == f"<{MESSAGE.thread_id}@watch.example.org>"
    assert mail["References"] == mail["In-Reply-To"]
    assert mail["List-Id"] == "elkwatch alerts <elkwatch.watch.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    assert mail.get_content_type() == "multipart/alternative"
    assert _parts(mail) == {
        "text/plain": "处理建议: check it\n",
        "text/html": "<p>处理建议: check it</p>\n",
    }


def test_a_probe_sends_nothing_and_waits_for_an_answer() -> None:
    with mail_server() as server:
        notifier = EmailNotifier(_channel(server))
        assert "answers (unencrypted)" in notifier.probe().detail
        server.noop_answer = "451 not today"
        with pytest.raises(DeliveryError, match="answered 451 not today") as caught:
            notifier.probe()
    assert caught.value.recoverable
    assert server.mails == []


def test_the_opening_mail_answers_nothing() -> None:
    with mail_server() as server:
        first = replace(MESSAGE, thread_id=MESSAGE.row_id)
        EmailNotifier(_channel(server)).send(first)
    assert server.mails[0]["In-Reply-To"] is None


def test_long_ids_stay_whole() -> None:
    """Python would encode them as words, and mail programs lose the thread."""
    domain = "a-rather-long-subdomain.of-a.company.with-a-name.example.org"
    with mail_server() as server:
        channel = _channel(server, sender=f"elk@{domain}")
        EmailNotifier(channel).send(MESSAGE)
    raw = server.raw[0].decode().replace("\r\n ", " ")
    assert f"\nReferences: <{MESSAGE.thread_id}@{domain}>" in raw
    assert f"\nIn-Reply-To: <{MESSAGE.thread_id}@{domain}>" in raw


def test_line_breaks_cannot_add_headers() -> None:
    evil = "x\r\nBcc: victim@example.org\r\n\r\nbody\u2028\x00\x1b[31m"
    with mail_server() as server:
        EmailNotifier(_channel(server)).send(replace(MESSAGE, subject=evil))
    (mail,) = server.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "x Bcc: victim@example.org body"
    assert server.recipients == [["ops@example.org", "second@example.org"]]


def test_starttls_and_login(certificates: Certificates) -> None:
    with mail_server(starttls=certificates.server, auth=True) as server:
        channel = _channel(
            server,
            security="starttls",
            ca_certs=certificates.ca,
            username="elk",
            password="correct horse",
        )
        EmailNotifier(channel).send(MESSAGE)
    assert len(server.mails) == 1
    assert server.logins == ["elk"]


def test_tls_from_the_start(certificates: Certificates) -> None:
    with mail_server(tls=certificates.server) as server:
        channel = _channel(server, security="tls", ca_certs=certificates.ca)
        EmailNotifier(channel).send(MESSAGE)
    assert len(server.mails) == 1


@pytest.mark.parametrize("ca", ["other_ca", None])
def test_an_unknown_authority_is_not_trusted(
    certificates: Certificates, ca: str | None
) -> None:
    path = getattr(certificates, ca) if ca else None
    with mail_server(starttls=certificates.server) as server:
        channel = _channel(server, security="starttls", ca_certs=path)
        error = _failure(channel)
    assert error.recoverable
    assert "certificate not trusted: self" in error.reason
    assert server.mails == []


def test_a_wrong_password_is_final_and_not_shown(certificates: Certificates) -> None:
    with mail_server(starttls=certificates.server, auth=True) as server:
        channel = _channel(
            server,
            security="starttls",
            ca_certs=certificates.ca,
            username="elk",
            password="geheimnis",
        )
        error = _failure(channel)
    assert not error.recoverable
    assert "answered 535" in error.reason
    assert "geheimnis" not in error.reason + repr(channel)


def test_no_starttls_where_it_is_asked_for() -> None:
    with mail_server() as server:
        error = _failure(_channel(server, security="starttls"))
    assert error.recoverable
    assert "does not offer what is configured (STARTTLS" in error.reason
    assert server.mails == []


def test_some_recipients_refused_for_now_stay_owed() -> None:
    with mail_server() as server:
        server.refuse = {"second@example.org": "450 greylisted, come back later"}
        channel = _channel(server)
        error = _failure(channel)
        assert error.recoverable
        assert error.remaining == ("Zweite <second@example.org>",)
        assert "accepted for 1 of 2" in error.reason
        assert "answered 450 greylisted" in error.reason
        server.refuse = {}
        again = replace(MESSAGE, remaining=error.remaining)
        assert EmailNotifier(channel).send(again).detail == "accepted for 1 of 1"
    assert server.recipients == [["ops@example.org"], ["second@example.org"]]
    assert server.mails[0]["Message-ID"] == server.mails[1]["Message-ID"]


def test_some_recipients_refused_for_good_are_told_of() -> None:
    with mail_server() as server:
        server.refuse = {"second@example.org": "550 no such user"}
        receipt = EmailNotifier(_channel(server)).send(MESSAGE)
    assert receipt.detail == (
        "accepted for 1 of 2; second@example.org: answered 550 no such user"
    )


@pytest.mark.parametrize(
    ("answers", "recoverable", "remaining"),
    [
        (("550 no", "550 no"), False, ()),
        (
            ("450 later", "451 later"),
            True,
            ("ops@example.org", "Zweite <second@example.org>"),
        ),
        (("450 later", "550 no"), True, ("ops@example.org",)),
    ],
)
def test_every_recipient_refused(
    answers: tuple[str, str], recoverable: bool, remaining: tuple[str, ...]
) -> None:
    with mail_server() as server:
        server.refuse = dict(
            zip(("ops@example.org", "second@example.org"), answers, strict=True)
        )
        error = _failure(_channel(server))
    assert (error.recoverable, error.remaining) == (recoverable, remaining)
    assert server.mails == []


@pytest.mark.parametrize(("code", "recoverable"), [(451, True), (554, False)])
def test_the_data_refused(code: int, recoverable: bool) -> None:
    with mail_server() as server:
        server.data_answer = f"{code} not this one"
        error = _failure(_channel(server))
    assert error.recoverable is recoverable
    assert error.reason == f"SMTP 127.0.0.1:{server.port}: answered {code} not this one"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = _failure(_channel(MailServer(port=port)))
    assert error.recoverable
    assert error.reason == f"SMTP 127.0.0.1:{port}: connection refused"


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = _failure(_channel(MailServer(port=port), timeout_s=0.2))
    assert error.recoverable
    assert error.reason.endswith("timed out")


def test_a_host_that_does_not_exist() -> None:
    error = _failure(_channel(MailServer(port=25), host="nowhere.invalid"))
    assert error.recoverable
    assert error.reason == "SMTP nowhere.invalid:25: host name not found"


def test_an_unusable_authority_file(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("this is no certificate")
    with pytest.raises(
        AlertingConfigError, match=r"ops-mail\.ca_certs .*no certificate"
    ):
        EmailNotifier(_channel(MailServer(port=25), ca_certs=path))


def test_the_whole_way_threads() -> None:
    """Opened and resolved, through tracker and outbox, arrive as one thread."""
    with mail_server() as server:
        clock = FakeClock()
        config = AlertingConfig(channels=(_channel(server, language="zh"),))
        alerting = build(config, InMemoryAlertStore(), clock)
        alerting.tracker.note([notice("a")], T0)
        alerting.outbox.deliver(T0)
        later = clock.forward(minutes(30))
        alerting.tracker.advance("shop-db", later, later)
        assert alerting.outbox.deliver(later).sent == 1
    opened, resolved = server.mails
    assert resolved["In-Reply-To"] == opened["Message-ID"]
    assert opened["Subject"].startswith("[elkwatch] 【高】")
    assert "已恢复" in resolved["Subject"]
    assert "could not send data to client" in _parts(opened)["text/plain"]


def _failure(channel: EmailChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        EmailNotifier(channel).send(MESSAGE)
    return caught.value
