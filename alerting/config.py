"""Settings of alerting: frozen, checked when made, secrets hidden in every repr.

The composition root fills these from the user's configuration. Whatever cannot work
raises ``AlertingConfigError`` here, before anything is sent.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import timedelta
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from alerting.errors import AlertingConfigError
from alerting.lifecycle import Policy
from alerting.masking import masked_url
from alerting.rows import DeliveryRules

Security = Literal["none", "starttls", "tls"]

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LONGEST = timedelta(days=3650)
_OURS = frozenset(
    (
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    )
)


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Mail over SMTP.

    sender: ``Name <address>`` or an address. timeout_s: per network operation.
    ca_certs: PEM file to trust instead of the system's. ehlo_name: what we call
    ourselves (default: this machine's name). language, zone: None = as the rest.
    """

    name: str
    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: Path | None = None
    timeout_s: float = 15.0
    reply_to: str | None = None
    ehlo_name: str | None = None
    language: str | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        where = _channel_name(self.name)
        if self.security not in ("none", "starttls", "tls"):
            raise AlertingConfigError(
                f"{where}.security {self.security!r}: use none, starttls or tls"
            )
        if not self.host:
            raise AlertingConfigError(f"{where}.host: name the SMTP server")
        _port(where, self.port)
        _positive(where, "timeout_s", self.timeout_s)
        if not self.to:
            raise AlertingConfigError(f"{where}.to: name at least one recipient")
        for address in (self.sender, *self.to, *filter(None, [self.reply_to])):
            _mail_address(where, address)
        if self.password is not None and self.username is None:
            raise AlertingConfigError(f"{where}: a password needs a username")
        _readable(where, "ca_certs", self.ca_certs)


@dataclass(frozen=True, slots=True, repr=False)
class WebhookChannel:
    """JSON over HTTP, signed as Standard Webhooks says.

    secrets: one, or two while they are changed; the first is the new one. Each is
    ``whsec_<base64 of the key>``, or any other text, whose UTF-8 bytes are the key. No
    secret: no signature. headers: sent along (values hidden). timeout_s: to connect,
    and again between bytes. proxy: an address; the environment's is not used.

    A redirect is never followed: it would turn the POST into a GET, the alert lost.
    """

    name: str
    url: str
    secrets: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    ca_certs: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    timeout_s: float = 10.0
    proxy: str | None = None
    language: str | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        where = _channel_name(self.name)
        _web_address(f"{where}.url", self.url)
        if self.proxy is not None:
            _web_address(f"{where}.proxy", self.proxy)
        _positive(where, "timeout_s", self.timeout_s)
        for secret in self.secrets:
            try:
                webhook_key(secret)
            except ValueError as error:
                # Without its cause: that could quote the secret.
                raise AlertingConfigError(f"{where}.secret: {error}") from None
        for key, value in self.headers:
            _header(where, key, value)
        for setting in ("ca_certs", "client_cert", "client_key"):
            _readable(where, setting, getattr(self, setting))
        if self.client_key is not None and self.client_cert is None:
            raise AlertingConfigError(f"{where}: client_key needs client_cert")

    def __repr__(self) -> str:
        names = ", ".join(key for key, _ in self.headers)
        return (
            f"WebhookChannel(name={self.name!r}, url={masked_url(self.url)!r}, "
            f"secrets={len(self.secrets)}, headers=[{names}])"
        )


@dataclass(frozen=True, slots=True)
class AlertingConfig:
    """Everything that alerting can be told.

    language (en, zh), zone (IANA) and templates (a folder of message files) hold for
    every channel that does not say otherwise. policy, rules: when, and how stubbornly.
    """

    channels: tuple[EmailChannel | WebhookChannel, ...] = ()
    policy: Policy = field(default_factory=Policy)
    rules: DeliveryRules = field(default_factory=DeliveryRules)
    language: str = "en"
    zone: str = "UTC"
    templates: Path | None = None

    def __post_init__(self) -> None:
        names = [channel.name for channel in self.channels]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise AlertingConfigError(
                f"alerting.channels: the name {twice[0]} is used twice; names tell "
                "what is owed to whom, so give each channel its own"
            )
        for setting in (
            "max_alert_age",
            "resolve_after",
            "repeat_interval",
            "catch_up_interval",
        ):
            _length(f"alerting.{setting}", getattr(self.policy, setting))
        for setting in ("claim_timeout", "max_age"):
            _length(f"alerting.{setting}", getattr(self.rules, setting))


def webhook_key(secret: str) -> bytes:
    """The signing key that a secret stands for. Raises ValueError, never quoting it.

    >>> webhook_key("whsec_a2V5")
    b'key'
    >>> webhook_key("correct horse")
    b'correct horse'
    """
    if not secret:
        raise ValueError("is empty")
    if not secret.startswith("whsec_"):
        return secret.encode()
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what follows whsec_ is not base64") from None
    if not key:
        raise ValueError("nothing follows whsec_")
    return key


def _channel_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise AlertingConfigError(
            f"alerting.channels: name {name!r}: use letters, digits, '.', '_' and '-'"
        )
    return f"alerting.channels.{name}"


def _port(where: str, port: int) -> None:
    if not 0 < port < 65536:
        raise AlertingConfigError(f"{where}.port {port}: between 1 and 65535")


def _positive(where: str, setting: str, seconds: float) -> None:
    if not 0 < seconds <= 300:
        raise AlertingConfigError(f"{where}.{setting} {seconds:g}: over 0, at most 300")


def _length(where: str, length: timedelta) -> None:
    if not timedelta() <= length <= _LONGEST:
        raise AlertingConfigError(f"{where}: between 0 and 3650 days")


def _mail_address(where: str, text: str) -> None:
    address = parseaddr(text)[1]
    try:
        Address(addr_spec=address)
    except Exception as error:  # the parser raises what its bugs make of bad input
        bad: Exception | None = error
    else:
        bad = None
    broken = any(ord(character) < 32 for character in text)
    if bad is not None or broken or "@" not in address or address.endswith("@"):
        raise AlertingConfigError(
            f"{where}: {text!r} is not a mail address; write ops@example.org or "
            "'Ops <ops@example.org>'"
        ) from bad


def _web_address(where: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or any(ord(character) <= 32 for character in url):
        raise AlertingConfigError(
            f"{where}: not a web address; write https://host/path (value not shown)"
        )


def _header(where: str, key: str, value: str) -> None:
    if not _HEADER.fullmatch(key):
        raise AlertingConfigError(f"{where}.headers: {key!r} is not a header name")
    if key.lower() in _OURS:
        raise AlertingConfigError(f"{where}.headers: {key} is set by elkwatch itself")
    unfit = value != value.strip() or any(not 32 <= ord(c) < 127 for c in value)
    if unfit:
        raise AlertingConfigError(
            f"{where}.headers.{key}: printable ASCII without spaces at its ends only"
        )


def _readable(where: str, setting: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise AlertingConfigError(
            f"{where}.{setting} {path}: cannot be read ({error.strerror})"
        ) from error
