"""Settings that cannot work are refused in one line; secrets never show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting import (
    AlertingConfig,
    AlertingConfigError,
    DeliveryRules,
    EmailChannel,
    Policy,
    WebhookChannel,
    masked_url,
)
from alerting.config import webhook_key
from alerting.masking import without_secrets

MAIL = EmailChannel(
    name="ops-mail",
    host="mail.example.org",
    sender="Elk <elk@example.org>",
    to=("ops@example.org",),
    username="elk",
    password="geheimnis",
)
HOOK = WebhookChannel(
    name="ops-hook",
    url="https://u:pa55word@hooks.example.org:8443/T0PSECRET?token=abc123",
    secrets=("geheimnis",),
    headers=(("X-Key", "very-secret"),),
)


def test_secrets_do_not_show() -> None:
    shown = repr(AlertingConfig(channels=(MAIL, HOOK)))
    for secret in ("geheimnis", "pa55word", "T0PSECRET", "abc123", "very-secret"):
        assert secret not in shown
    assert "https://hooks.example.org:8443/***" in shown
    assert "mail.example.org" in shown
    assert "X-Key" in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a b"}, "name 'a b': use letters"),
        ({"name": ""}, "name '': use letters"),
        ({"security": "ssl"}, "security 'ssl': use none, starttls or tls"),
        ({"host": ""}, "name the SMTP server"),
        ({"port": 0}, "port 0: between 1 and 65535"),
        ({"timeout_s": 0}, "timeout_s 0: over 0"),
        ({"to": ()}, "at least one recipient"),
        ({"to": ("ops",)}, "'ops' is not a mail address"),
        ({"to": ("a@b.org\nBcc: x@y.org",)}, "is not a mail address"),
        ({"to": ("a@",)}, "is not a mail address"),
        ({"sender": "nobody"}, "'nobody' is not a mail address"),
        ({"reply_to": "@"}, "'@' is not a mail address"),
        ({"username": None}, "a password needs a username"),
        ({"ca_certs": Path("/no/such.pem")}, "ca_certs /no/such.pem: cannot be read"),
    ],
)
def test_mail_that_cannot_work(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AlertingConfigError) as caught:
        replace(MAIL, **changes)
    assert words in str(caught.value)
    assert "geheimnis" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "ftp://x.org/pa55word"}, "ops-hook.url: not a web address"),
        ({"url": "https://"}, "ops-hook.url: not a web address"),
        ({"url": "https://x.org/a b"}, "ops-hook.url: not a web address"),
        ({"url": "https://x.org:99999/"}, "ops-hook.url: not a web address"),
        ({"proxy": "x.org:3128"}, "ops-hook.proxy: not a web address"),
        ({"secrets": ("",)}, "ops-hook.secret: is empty"),
        ({"secrets": ("whsec_",)}, "ops-hook.secret: nothing follows whsec_"),
        ({"secrets": ("whsec_gehe!mnis",)}, "what follows whsec_ is not base64"),
        ({"headers": (("Bad Name", "x"),)}, "'Bad Name' is not a header name"),
        ({"headers": (("Webhook-Id", "x"),)}, "Webhook-Id is set by elkwatch itself"),
        ({"headers": (("X-A", "gehe\r\nX-B: y"),)}, "X-A: printable ASCII"),
        ({"client_key": Path("/no.pem")}, "client_key /no.pem: cannot be read"),
        ({"timeout_s": 301}, "timeout_s 301: over 0, at most 300"),
    ],
)
def test_webhooks_that_cannot_work(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AlertingConfigError) as caught:
        replace(HOOK, **changes)
    assert words in str(caught.value)
    for secret in ("gehe", "pa55word"):
        assert secret not in str(caught.value)


def test_names_are_unique() -> None:
    with pytest.raises(AlertingConfigError, match="the name ops-mail is used twice"):
        AlertingConfig(channels=(MAIL, replace(HOOK, name="ops-mail")))


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": Policy(max_alert_age=timedelta(seconds=-1))},
        {"policy": Policy(repeat_interval=timedelta(days=99999))},
        {"rules": DeliveryRules(max_age=timedelta(days=99999))},
    ],
)
def test_lengths_have_bounds(changes: dict[str, Any]) -> None:
    with pytest.raises(AlertingConfigError, match="between 0 and 3650 days"):
        AlertingConfig(**changes)


def test_what_a_secret_means() -> None:
    assert webhook_key("whsec_a2V5") == b"key"
    assert webhook_key("whsec_a2V5cw") == b"keys", "padding may be left out"
    assert webhook_key("a2V5") == b"a2V5", "without the prefix it is text"
    assert webhook_key("密钥") == "密钥".encode()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.org/a?b=c", "https://x.org/***"),
        ("http://u:p@x.org:80/", "http://x.org:80/***"),
        ("http://[::1]:9/x", "http://[::1]:9/***"),
        ("nonsense", "***"),
        ("http://[::1/x", "***"),
    ],
)
def test_masked_addresses(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_masking_takes_the_longest_first() -> None:
    assert without_secrets("abcdefgh abcd ab", ["abcd", "abcdefgh", "ab"]) == (
        "*** *** ab"
    )
