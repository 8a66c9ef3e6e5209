"""Webhooks against a real HTTP receiver on loopback; standardwebhooks verifies them."""

from __future__ import annotations

import base64
import json
import socket
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from alerting import (
    AlertingConfig,
    AlertingConfigError,
    DeliveryError,
    InMemoryAlertStore,
    OutgoingMessage,
    WebhookChannel,
    build,
)
from alerting.notifiers.webhook import WebhookNotifier, retry_after_s
from tests.alerting.makers import T0, FakeClock, notice
from tests.alerting.servers import Certificates, Post, receiver

WHSEC = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, really").decode()
NOW = datetime.now(UTC)  # the verifier looks at the wall clock
MESSAGE = OutgoingMessage(
    row_id="0123-1-ops-hook",
    kind="opened",
    thread_id="0123-1-ops-hook",
    sent_at=NOW,
    severity="high",
    subject="s",
    text="t",
    html="h",
    document={"version": 1, "type": "episode.opened", "text": "缺少步骤 “x” \u00e9"},
)


def _channel(url: str, **changes: Any) -> WebhookChannel:
    return replace(WebhookChannel(name="ops-hook", url=url, timeout_s=5), **changes)


def _send(url: str, **changes: Any) -> str:
    return WebhookNotifier(_channel(url, **changes)).send(MESSAGE).detail


def _failure(url: str, **changes: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        _send(url, **changes)
    return caught.value


def test_a_post_as_it_arrives() -> None:
    with receiver() as hook:
        detail = _send(
            f"{hook.url}/in?x=1",
            secrets=(WHSEC,),
            headers=(("X-Team", "ops"), ("Authorization", "Bearer abc")),
        )
    assert detail == "answered 204"
    (post,) = hook.posts
    assert post.path == "/in?x=1"
    assert post.headers["content-type"] == "application/json"
    assert post.headers["webhook-id"] == "0123-1-ops-hook"
    assert post.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert post.headers["x-team"] == "ops"
    assert post.headers["authorization"] == "Bearer abc"
    assert json.loads(post.body) == MESSAGE.document
    assert Webhook(WHSEC).verify(post.body, post.headers) == MESSAGE.document


def test_a_plain_secret_is_its_own_bytes() -> None:
    with receiver() as hook:
        _send(hook.url, secrets=("correct horse",))
    (post,) = hook.posts
    Webhook(b"correct horse").verify(post.body, post.headers)


def test_two_secrets_while_they_are_changed() -> None:
    with receiver() as hook:
        _send(hook.url, secrets=(WHSEC, "the old one"))
    (post,) = hook.posts
    assert len(post.headers["webhook-signature"].split()) == 2
    Webhook(WHSEC).verify(post.body, post.headers)
    Webhook(b"the old one").verify(post.body, post.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(b"another one").verify(post.body, post.headers)


def test_a_changed_body_or_id_does_not_verify() -> None:
    with receiver() as hook:
        _send(hook.url, secrets=(WHSEC,))
    (post,) = hook.posts
    with pytest.raises(WebhookVerificationError):
        Webhook(WHSEC).verify(post.body + b" ", post.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(WHSEC).verify(post.body, {**post.headers, "webhook-id": "other"})


def test_a_time_with_another_offset_is_signed_as_utc() -> None:
    east = NOW.astimezone(tz=timezone_of(8))
    with receiver() as hook:
        notifier = WebhookNotifier(_channel(hook.url, secrets=(WHSEC,)))
        notifier.send(replace(MESSAGE, sent_at=east))
    (post,) = hook.posts
    Webhook(WHSEC).verify(post.body, post.headers)


def timezone_of(hours: int) -> Any:
    from datetime import timezone

    return timezone(timedelta(hours=hours))


def test_no_secret_no_signature() -> None:
    with receiver() as hook:
        _send(hook.url)
    assert "webhook-signature" not in hook.posts[0].headers
    assert hook.posts[0].headers["webhook-id"] == MESSAGE.row_id


@pytest.mark.parametrize(
    ("code", "recoverable"),
    [
        (301, False),
        (307, False),
        (400, False),
        (401, False),
        (404, False),
        (408, True),
        (410, False),
        (413, False),
        (429, True),
        (500, True),
        (503, True),
    ],
)
def test_answers(code: int, recoverable: bool) -> None:
    with receiver() as hook:
        hook.answer = lambda post: (code, {"location": "/elsewhere"}, b"")
        error = _failure(hook.url)
    assert error.recoverable is recoverable
    assert f"answered {code}" in error.reason
    assert len(hook.posts) == 1, "redirects are not followed"


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_passed_on(code: int) -> None:
    with receiver() as hook:
        hook.answer = lambda post: (code, {"retry-after": "120"}, b"")
        assert _failure(hook.url).retry_after_s == 120
        hook.answer = lambda post: (code, {}, b"")
        assert _failure(hook.url).retry_after_s is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 90 ", 90),
        ("Wed, 04 Mar 2026 10:02:00 GMT", 120),
        ("Wed, 04 Mar 2026 09:00:00 GMT", 0),
        ("Wednesday, 04-Mar-26 10:02:00 GMT", 120),
        ("Wed, 04 Mar 2026 10:02:00", 120),
        ("soon", None),
        ("-5", None),
        ("1e9999", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_what_retry_after_means(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, T0) == seconds


def test_the_receivers_words_are_shown_without_secrets() -> None:
    def echo(post: Post) -> tuple[int, dict[str, str], bytes]:
        text = f"bad\r\n{post.path} {post.headers['authorization']} {WHSEC}"
        return 400, {}, text.encode()

    with receiver() as hook:
        hook.answer = echo
        error = _failure(
            f"{hook.url}/services/T0PSECRET?token=abcdefgh12",
            secrets=(WHSEC,),
            headers=(("Authorization", "Bearer very-secret"),),
        )
    assert error.reason.startswith(f"{hook.url}/***: answered 400: bad ")
    for secret in ("T0PSECRET", "abcdefgh12", "very-secret", WHSEC):
        assert secret not in error.reason


def test_no_secret_in_any_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://user:pa55word@127.0.0.1:{port}/T0PSECRET?token=abc123"
    error = _failure(url, secrets=(WHSEC,), headers=(("X-Key", "very-secret"),))
    assert error.reason == f"http://127.0.0.1:{port}/***: connection refused"
    shown = "".join(traceback.format_exception(error)) + repr(_channel(url))
    for secret in ("T0PSECRET", "abc123", "pa55word", "very-secret", WHSEC):
        assert secret not in shown


def test_a_receiver_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = _failure(f"http://127.0.0.1:{port}/x", timeout_s=0.2)
    assert error.recoverable
    assert error.reason == f"http://127.0.0.1:{port}/***: timed out"


def test_a_host_that_does_not_exist() -> None:
    error = _failure("http://nowhere.invalid/x")
    assert error.recoverable
    assert error.reason == "http://nowhere.invalid/***: host name not found"


def test_https_with_its_own_authority(certificates: Certificates) -> None:
    with receiver(tls=certificates.server) as hook:
        assert _send(hook.url, ca_certs=certificates.ca) == "answered 204"
        for ca in (certificates.other_ca, None):
            error = _failure(hook.url, ca_certs=ca)
            assert error.recoverable
            assert "certificate not trusted: self" in error.reason
    assert len(hook.posts) == 1


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with receiver() as hook:
        assert _send(hook.url) == "answered 204"
    with receiver() as proxy:
        _send("http://somewhere.invalid/x", proxy=proxy.url)
    assert proxy.posts[0].path == "http://somewhere.invalid/x"


def test_unusable_tls_files(tmp_path: Path, certificates: Certificates) -> None:
    path = tmp_path / "no.pem"
    path.write_text("no")
    with pytest.raises(AlertingConfigError, match=r"ops-hook\.ca_certs"):
        WebhookNotifier(_channel("https://example.org", ca_certs=path))
    with pytest.raises(AlertingConfigError, match=r"ops-hook\.client_cert"):
        WebhookNotifier(_channel("https://example.org", client_cert=path))


def test_the_whole_way_is_retried_under_one_id() -> None:
    """500, then 429 with Retry-After, then taken: one id, one body, three times."""
    answers = iter([(500, {}, b""), (429, {"retry-after": "300"}, b""), (204, {}, b"")])
    with receiver() as hook:
        hook.answer = lambda post: next(answers)
        clock = FakeClock(NOW)
        config = AlertingConfig(channels=(_channel(hook.url, secrets=(WHSEC,)),))
        alerting = build(config, InMemoryAlertStore(), clock)
        alerting.tracker.note([notice("a", NOW)], NOW)
        outcomes = []
        for _ in range(9):
            report = alerting.outbox.deliver(clock.now())
            outcomes += [one.outcome for one in report.attempts]
            clock.forward(timedelta(seconds=60))
    assert outcomes == ["retry", "retry", "sent"]
    assert len({post.headers["webhook-id"] for post in hook.posts}) == 1
    assert len({post.body for post in hook.posts}) == 1
    first, second, third = (int(p.headers["webhook-timestamp"]) for p in hook.posts)
    assert second > first
    assert third - second >= 300
    body = Webhook(WHSEC).verify(hook.posts[0].body, hook.posts[0].headers)
    assert (body["version"], body["type"]) == (1, "episode.opened")
    assert body["id"] == hook.posts[0].headers["webhook-id"]
