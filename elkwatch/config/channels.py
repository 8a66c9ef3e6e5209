"""Whom to tell: mails and webhooks, and how often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from elkwatch.config.base import Name, Settings, refuse_twice
from elkwatch.config.secrets import ConfigPath, Secret, SecretAddress
from elkwatch.config.values import PositiveDuration, ZoneName

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _mail_address(text: str) -> str:
    address = parseaddr(text)[1]
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(c.isspace() for c in address):
        raise ValueError(f"expected a mail address, found {text!r}")
    if "\n" in text or "\r" in text:
        raise ValueError("expected a mail address on one line")
    return text


def _alone_or_several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


MailAddress = Annotated[str, AfterValidator(_mail_address)]
Language = Literal["en", "zh"]
Port = Annotated[int, Field(ge=1, le=65_535)]


class SmtpSettings(Settings):
    """A mail server."""

    host: str = Field(min_length=1, description="Name or address of the server.")
    port: Port | None = Field(
        None, description="587 for starttls, 465 for tls, 25 for none."
    )
    security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="How the connection is protected."
    )
    username: str | None = Field(None, description="Without it, no log-in.")
    password: Secret | None = Field(None, description="Of that user.")
    ca_file: ConfigPath | None = Field(
        None, description="PEM file of the CA; the system's own without it."
    )
    timeout: PositiveDuration = Field(
        timedelta(seconds=30), description="For connecting and for each answer."
    )

    @model_validator(mode="after")
    def _name_with_password(self) -> SmtpSettings:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self

    @property
    def port_number(self) -> int:
        """The port: as given, or the usual one of `security`."""
        return self.port or {"none": 25, "starttls": 587, "tls": 465}[self.security]


class EmailChannel(Settings):
    """Mails to people."""

    name: Name = Field(description="Unique; messages that are owed refer to it.")
    kind: Literal["email"] = Field(description="A channel to people.")
    smtp: SmtpSettings
    sender: MailAddress = Field(alias="from", description="The sender.")
    to: Annotated[
        tuple[MailAddress, ...], BeforeValidator(_alone_or_several), Field(min_length=1)
    ] = Field(description="The receivers.")
    reply_to: MailAddress | None = Field(None, description="Where answers go.")
    language: Language | None = Field(None, description="Other than that of the rest.")
    time_zone: ZoneName | None = Field(None, description="Other than that of the rest.")


class WebhookChannel(Settings):
    """Signed calls to a program (Standard Webhooks)."""

    name: Name = Field(description="Of a webhook; unique among all channels.")
    kind: Literal["webhook"] = Field(description="A channel to a program.")
    url: SecretAddress = Field(description="Where to; only its host is ever shown.")
    secret: Secret = Field(
        description="Signs every call: `whsec_` and base64, or any text."
    )
    previous_secret: Secret | None = Field(
        None, description="Signs as well, while the receiver changes to the new one."
    )
    headers: Mapping[str, Secret] = Field({}, description="Further headers; masked.")
    ca_file: ConfigPath | None = Field(
        None, description="PEM file of the CA; the usual ones without it."
    )
    timeout: PositiveDuration = Field(
        timedelta(seconds=10), description="For connecting and for the answer."
    )
    client_cert: ConfigPath | None = Field(
        None, description="PEM file of our own certificate, where one is asked for."
    )
    client_key: ConfigPath | None = Field(None, description="PEM file of its key.")
    proxy: SecretAddress | None = Field(None, description="Go through this proxy.")
    language: Language | None = Field(None, description="Other than that of the rest.")
    time_zone: ZoneName | None = Field(None, description="Other than that of the rest.")

    @field_validator("headers")
    @classmethod
    def _header_lines(cls, headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is no header name")
            if not value.get_secret_value().isprintable():
                raise ValueError(f"the value of {name} does not fit on a line")
        return headers


Channel = Annotated[EmailChannel | WebhookChannel, Field(discriminator="kind")]


class AlertingSettings(Settings):
    """Whom to tell, and how often."""

    max_alert_age: PositiveDuration = Field(
        timedelta(hours=1), description="Older findings are summed up in one message."
    )
    resolve_after: PositiveDuration = Field(
        timedelta(minutes=15),
        description="An episode is over after this long without a finding, while the "
        "source kept delivering.",
    )
    repeat_interval: PositiveDuration = Field(
        timedelta(hours=4),
        description="An episode that goes on is told again after this.",
    )
    catch_up_interval: PositiveDuration = Field(
        timedelta(hours=1), description="At most one such message in this time."
    )
    language: Language = Field("en", description="Of the messages.")
    time_zone: ZoneName = Field("UTC", description="IANA name; for times in messages.")
    templates: ConfigPath | None = Field(
        None, description="Folder with own message templates (Jinja2)."
    )
    channels: tuple[Channel, ...] = Field((), description="email and webhook.")

    @field_validator("channels")
    @classmethod
    def _unique(cls, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        refuse_twice("channels", (channel.name for channel in channels))
        return channels

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of messages."""
        return ZoneInfo(self.time_zone)
