"""From the configuration to the records the packages take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pydantic import SecretStr

from alerting.config import AlertingConfig, EmailChannel, WebhookChannel
from alerting.lifecycle import Policy
from connector.client import ClientConfig
from connector.records import SessionRule, SourceSpec
from elkwatch.config.channels import AlertingSettings
from elkwatch.config.channels import EmailChannel as EmailSettings
from elkwatch.config.channels import WebhookChannel as WebhookSettings
from elkwatch.config.places import ElasticsearchSettings, KibanaSettings
from elkwatch.config.sources import SessionSettings, SourceSettings
from kibana import KibanaConfig


def source_spec(source: SourceSettings) -> SourceSpec:
    """What the connector needs to know of a source."""
    return SourceSpec(
        name=source.name,
        index=source.index,
        message_field=source.message_field,
        time_field=source.time_field,
        severity_field=source.severity_field,
        service_field=source.service_field,
        host_field=source.host_field,
        sequence_field=source.sequence_field,
        session=session_rule(source.session),
    )


def session_rule(session: SessionSettings | None) -> SessionRule:
    """What makes lines one session; None: windows per service and host."""
    if session is None:
        return SessionRule()
    return SessionRule(
        field=session.field,
        pattern=session.pattern,
        fields=session.fields,
        window_s=_seconds(session.window),
    )


def file_session_rule(
    fields: Sequence[str], pattern: str | None, window: timedelta | None
) -> SessionRule:
    """The rule for files: one field or several, or a pattern, cut on windows or not.

    Several fields make a key that is *not* cut unless `window` is given; the rule needs
    a window all the same, so what groups events must go by `window`, not by the rule.
    """
    if len(fields) > 1:
        window_s = _seconds(window) or SessionRule().unit_s
        return SessionRule(fields=tuple(fields), window_s=window_s)
    field = fields[0] if fields else None
    return SessionRule(field=field, pattern=pattern, window_s=_seconds(window))


def client_config(
    elasticsearch: ElasticsearchSettings, *, api_key: str | None = None
) -> ClientConfig:
    """How to connect; `api_key` takes the place of the configured identity."""
    own = api_key is None
    ca_certs = elasticsearch.ca_certs
    return ClientConfig(
        hosts=elasticsearch.hosts,
        api_key=_clear(elasticsearch.api_key) if own else api_key,
        username=elasticsearch.username if own else None,
        password=_clear(elasticsearch.password) if own else None,
        ca_certs=None if ca_certs is None else str(ca_certs),
        ssl_assert_fingerprint=elasticsearch.ssl_assert_fingerprint,
        request_timeout_s=elasticsearch.request_timeout.total_seconds(),
        compress=elasticsearch.compress,
    )


def kibana_config(
    kibana: KibanaSettings, *, space: str | None = None, api_key: str | None = None
) -> KibanaConfig:
    """How to reach Kibana; `space` and `api_key` take the place of the configured."""
    own = api_key is None
    ca_certs = kibana.ca_certs
    return KibanaConfig(
        url=str(kibana.url),
        space=space or kibana.space,
        api_key=_clear(kibana.api_key) if own else api_key,
        username=kibana.username if own else None,
        password=_clear(kibana.password) if own else None,
        ca_certs=None if ca_certs is None else str(ca_certs),
        ssl_assert_fingerprint=kibana.ssl_assert_fingerprint,
    )


def alerting_config(settings: AlertingSettings) -> AlertingConfig:
    """What alerting needs to know. Raises AlertingConfigError (a file that is not)."""
    return AlertingConfig(
        channels=tuple(map(_channel, settings.channels)),
        policy=Policy(
            max_alert_age=settings.max_alert_age,
            resolve_after=settings.resolve_after,
            repeat_interval=settings.repeat_interval,
            catch_up_interval=settings.catch_up_interval,
        ),
        language=settings.language,
        zone=settings.time_zone,
        templates=settings.templates,
    )


def _channel(
    channel: EmailSettings | WebhookSettings,
) -> EmailChannel | WebhookChannel:
    if isinstance(channel, EmailSettings):
        return _email(channel)
    return _webhook(channel)


def _email(channel: EmailSettings) -> EmailChannel:
    smtp = channel.smtp
    return EmailChannel(
        name=channel.name,
        host=smtp.host,
        port=smtp.port_number,
        security=smtp.security,
        username=smtp.username,
        password=_clear(smtp.password),
        ca_certs=smtp.ca_file,
        timeout_s=smtp.timeout.total_seconds(),
        sender=channel.sender,
        to=channel.to,
        reply_to=channel.reply_to,
        language=channel.language,
        zone=channel.time_zone,
    )


def _webhook(channel: WebhookSettings) -> WebhookChannel:
    secrets = (channel.secret, channel.previous_secret)
    return WebhookChannel(
        name=channel.name,
        url=channel.url.get_secret_value(),
        secrets=tuple(s.get_secret_value() for s in secrets if s is not None),
        headers=tuple(
            (name, value.get_secret_value()) for name, value in channel.headers.items()
        ),
        ca_certs=channel.ca_file,
        client_cert=channel.client_cert,
        client_key=channel.client_key,
        timeout_s=channel.timeout.total_seconds(),
        proxy=_clear(channel.proxy),
        language=channel.language,
        zone=channel.time_zone,
    )


def _clear(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
