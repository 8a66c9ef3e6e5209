"""The sinks are judges, so they are judged first: over real SMTP and HTTP."""

from __future__ import annotations

import smtplib
import socket
import ssl
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest
import requests
from standardwebhooks import Webhook

from elkwatch.demo.sinks import Answer, MailSink, SinkError, WebhookSink
from tests.integration.tls import make_authority

SECRET = "whsec_" + b64encode(b"a secret of this test only").decode()


def mail(message_id: str = "<1@test>", text: str = "what happened") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "elkwatch@example.org"
    message["To"] = "ops@example.org"
    message["Subject"] = "missing step — 缺失步骤"
    message["Message-ID"] = message_id
    message.set_content(text)
    message.add_alternative("<p>what &amp; where</p>", subtype="html")
    return message


def call(sink: WebhookSink, webhook_id: str, body: str = '{"n": 1}') -> int:
    return post(sink, webhook_id, body, Webhook(SECRET)).status_code


def post(
    sink: WebhookSink, webhook_id: str, body: str, signer: Webhook
) -> requests.Response:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer.sign(webhook_id, now, body),
    }
    return requests.post(sink.url, body.encode(), headers=headers, timeout=10)


def test_a_mail_is_kept_in_its_parts() -> None:
    with MailSink() as sink, smtplib.SMTP(sink.host, sink.port) as client:
        client.send_message(mail())
    (kept,) = sink.received
    assert kept.message_id == "<1@test>"
    assert kept.subject == "missing step — 缺失步骤"
    assert kept.sender == "elkwatch@example.org"
    assert kept.recipients == ("ops@example.org",)
    assert kept.text == "what happened\n"
    assert kept.html == "<p>what &amp; where</p>\n"


def test_a_mail_that_comes_twice_is_a_duplicate() -> None:
    with MailSink() as sink, smtplib.SMTP(sink.host, sink.port) as client:
        for message_id in ("<1@test>", "<2@test>", "<1@test>"):
            client.send_message(mail(message_id))
    assert sink.counts == {"<1@test>": 2, "<2@test>": 1}
    assert sink.duplicates == 1


def test_a_mail_is_refused_as_often_as_was_asked_for() -> None:
    with (
        MailSink(answers=["451 4.3.0 later"]) as sink,
        smtplib.SMTP(sink.host, sink.port) as client,
    ):
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.send_message(mail())
        client.send_message(mail())
    assert refusal.value.smtp_code == 451
    assert len(sink.refused) == len(sink.received) == 1


def test_mail_in_clear_is_refused_where_starttls_is_offered(tmp_path: Path) -> None:
    files = make_authority(tmp_path).files
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(files.certificate, files.key)
    with (
        MailSink(starttls=served) as sink,
        smtplib.SMTP(sink.host, sink.port) as client,
    ):
        with pytest.raises(smtplib.SMTPException, match="STARTTLS"):
            client.send_message(mail())
        client.starttls(context=ssl.create_default_context(cafile=files.authority))
        client.send_message(mail())
    assert len(sink.received) == 1


@pytest.mark.parametrize("kind", ["tls", "starttls"])
def test_mail_over_tls_asks_for_the_right_password(kind: str, tmp_path: Path) -> None:
    files = make_authority(tmp_path).files
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(files.certificate, files.key)
    trust = ssl.create_default_context(cafile=str(files.authority))
    sink = MailSink(
        tls=served if kind == "tls" else None,
        starttls=served if kind == "starttls" else None,
        credentials=("elk", "watch"),
    )
    with sink:
        client: smtplib.SMTP
        if kind == "tls":
            client = smtplib.SMTP_SSL(sink.host, sink.port, context=trust)
        else:
            client = smtplib.SMTP(sink.host, sink.port)
            with pytest.raises(smtplib.SMTPException):
                client.send_message(mail("<clear@test>"))
            client.starttls(context=trust)
        with client:
            with pytest.raises(smtplib.SMTPSenderRefused, match="authentication"):
                client.send_message(mail("<nobody@test>"))
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("elk", "wrong")
            client.login("elk", "watch")
            client.send_message(mail())
    assert list(sink.counts) == ["<1@test>"]


def test_a_mail_sink_comes_back_on_its_port() -> None:
    with MailSink() as first:
        port = first.port
    with pytest.raises(OSError, match="refused"):
        smtplib.SMTP("127.0.0.1", port)
    with MailSink(port=port) as second, smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(mail())
    assert second.counts == {"<1@test>": 1}


def test_a_mail_sink_ends_while_a_client_is_connected() -> None:
    with MailSink() as sink:
        client = smtplib.SMTP(sink.host, sink.port)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.noop()


@pytest.mark.parametrize("sink", [MailSink, partial(WebhookSink, SECRET)])
def test_a_taken_port_is_one_line(sink: Callable[..., MailSink | WebhookSink]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SinkError, match=f"port {port}"), sink(port=port):
            pass


def test_a_signed_call_is_kept() -> None:
    with WebhookSink(SECRET) as sink:
        assert call(sink, "msg_1", '{"text": "缺失步骤"}') == 200
    (kept,) = sink.received
    assert (kept.webhook_id, kept.body) == ("msg_1", {"text": "缺失步骤"})
    assert sink.rejected == []


def test_a_call_with_another_secret_is_turned_away() -> None:
    other = Webhook(b64encode(b"another secret").decode())
    with WebhookSink(SECRET) as sink:
        assert post(sink, "msg_1", "{}", other).status_code == 401
    assert [rejected.webhook_id for rejected in sink.rejected] == ["msg_1"]
    assert sink.received == []


def test_a_call_without_a_signature_or_json_is_turned_away() -> None:
    with WebhookSink(SECRET) as sink:
        assert requests.post(sink.url, b"\xff", timeout=10).status_code == 401
        assert call(sink, "msg_1", "not json") == 401
    assert len(sink.rejected) == 2
    assert all(rejected.reason for rejected in sink.rejected)


def test_answers_are_given_in_order_and_a_repeat_is_no_duplicate() -> None:
    answers = [Answer(429, retry_after="3"), Answer(503)]
    with WebhookSink(SECRET, answers=answers) as sink:
        first = post(sink, "msg_1", "{}", Webhook(SECRET))
        assert (first.status_code, first.headers["Retry-After"]) == (429, "3")
        assert [call(sink, "msg_1"), call(sink, "msg_1")] == [503, 200]
    assert len(sink.refused) == 2
    assert sink.counts == {"msg_1": 1}
    assert sink.duplicates == 0


def test_a_call_that_is_accepted_twice_is_a_duplicate() -> None:
    with WebhookSink(SECRET) as sink:
        for webhook_id in ("msg_1", "msg_2", "msg_1"):
            call(sink, webhook_id)
    assert sink.counts == {"msg_1": 2, "msg_2": 1}
    assert sink.duplicates == 1


def test_a_webhook_over_tls(tmp_path: Path) -> None:
    files = make_authority(tmp_path).files
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(files.certificate, files.key)
    with WebhookSink(SECRET, tls=served) as sink:
        answer = requests.post(sink.url, b"{}", verify=str(files.authority), timeout=10)
        assert answer.status_code == 401
        with pytest.raises(requests.exceptions.SSLError):
            requests.post(sink.url, b"{}", verify=True, timeout=10)
    assert len(sink.rejected) == 1


def test_a_missing_smtp_server_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtpd.smtp", None)
    with (
        pytest.raises(SinkError, match=r"pip install 'elkwatch\[engine\]'"),
        MailSink(),
    ):
        pass
