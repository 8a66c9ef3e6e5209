"""Webhooks: signed JSON over HTTP, as Standard Webhooks describes.

webhook-id         the outbox row: the same in every attempt
webhook-timestamp  seconds since the epoch, of this attempt
webhook-signature  v1,<base64 HMAC-SHA256 of "id.timestamp.body">, one per secret
"""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import orjson
import requests
from standardwebhooks import Webhook

from alerting.config import WebhookChannel, webhook_key
from alerting.errors import AlertingConfigError, DeliveryError
from alerting.masking import masked_url, url_secrets, without_secrets
from alerting.messages.clean import one_line
from alerting.notifiers import OutgoingMessage, Receipt
from alerting.notifiers.reasons import why

MAX_ANSWER = 2048


class WebhookNotifier:
    """Posts messages to one address. Raises AlertingConfigError for unusable TLS files.

    Redirects are not followed, and neither proxies nor ``.netrc`` of the environment
    are used: where an alert goes is only what the configuration says.
    """

    def __init__(self, channel: WebhookChannel) -> None:
        self._channel = channel
        self._signers = [Webhook(webhook_key(secret)) for secret in channel.secrets]
        self._hidden = (
            *channel.secrets,
            *(value for _, value in channel.headers),
            *url_secrets(channel.url),
        )
        _check_tls(channel)

    def send(self, message: OutgoingMessage) -> Receipt:
        """Posts the document. Raises DeliveryError.

        2xx is success. Time-outs, broken connections, 408, 429 and 5xx may be retried
        (``Retry-After`` is passed on); every other answer is final.
        """
        body = orjson.dumps(message.document)
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = self._post(session, body, message)
                with answer:
                    return self._judged(answer, message.sent_at)
        except requests.RequestException as error:
            # Without its cause: that quotes the whole address, path and query.
            raise DeliveryError(
                f"{masked_url(self._channel.url)}: {why(error)}", recoverable=True
            ) from None

    def probe(self) -> Receipt:
        """Connects, with TLS where it is configured; posts nothing.

        Where there is a proxy, only that one is reached. Raises DeliveryError.
        """
        channel = self._channel
        target = urlsplit(channel.proxy or channel.url)
        port = target.port or {"https": 443}.get(target.scheme, 80)
        where = masked_url(channel.proxy or channel.url)
        try:
            with socket.create_connection(
                (target.hostname or "", port), channel.timeout_s
            ) as plain:
                if channel.proxy is not None:
                    return Receipt(f"{where} answers (a proxy; not tried beyond it)")
                if target.scheme != "https":
                    return Receipt(f"{where} answers (unencrypted)")
                with _tls_context(channel).wrap_socket(
                    plain, server_hostname=target.hostname
                ) as secured:
                    return Receipt(f"{where} answers ({secured.version()})")
        except (OSError, UnicodeError) as error:
            raise DeliveryError(f"{where}: {why(error)}", recoverable=True) from None

    def _post(
        self, session: requests.Session, body: bytes, message: OutgoingMessage
    ) -> requests.Response:
        channel = self._channel
        certificate = None
        if channel.client_cert is not None and channel.client_key is not None:
            certificate = (str(channel.client_cert), str(channel.client_key))
        proxies = {"http": channel.proxy, "https": channel.proxy}
        return session.post(
            channel.url,
            data=body,
            headers=self._headers(body, message),
            timeout=channel.timeout_s,
            allow_redirects=False,
            stream=True,
            verify=str(channel.ca_certs) if channel.ca_certs else True,
            cert=certificate
            or (str(channel.client_cert) if channel.client_cert else None),
            proxies={key: url for key, url in proxies.items() if url is not None},
        )

    def _headers(self, body: bytes, message: OutgoingMessage) -> dict[str, str]:
        sent_at = message.sent_at.astimezone(UTC)
        headers = {
            "user-agent": "elkwatch",
            **dict(self._channel.headers),
            "content-type": "application/json",
            "webhook-id": message.row_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
        }
        if self._signers:
            text = body.decode()
            headers["webhook-signature"] = " ".join(
                signer.sign(message.row_id, sent_at, text) for signer in self._signers
            )
        return headers

    def _judged(self, answer: requests.Response, now: datetime) -> Receipt:
        code = answer.status_code
        if 200 <= code < 300:
            return Receipt(f"answered {code}")
        where = masked_url(self._channel.url)
        if 300 <= code < 400:
            raise DeliveryError(
                f"{where}: answered {code}; redirects are not followed, configure the "
                "final address",
                recoverable=False,
            )
        raise DeliveryError(
            f"{where}: answered {code}{self._said(answer)}",
            recoverable=code in (408, 429) or code >= 500,
            retry_after_s=retry_after_s(answer.headers.get("retry-after"), now),
        )

    def _said(self, answer: requests.Response) -> str:
        """The start of a short answer; long or endless ones are not read."""
        length = answer.headers.get("content-length", "")
        if not length.isdigit() or not 0 < int(length) <= MAX_ANSWER:
            return ""
        try:
            text = answer.content.decode("utf-8", "replace")
        except requests.RequestException:
            return ""
        return f": {without_secrets(one_line(text, 200), self._hidden)}"


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds that ``Retry-After`` asks for: a number or an HTTP date; else None."""
    if value is None:
        return None
    value = value.strip()
    if value.isdecimal() and value.isascii():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _tls_context(channel: WebhookChannel) -> ssl.SSLContext:
    """Trusts what `requests` trusts for this channel, and shows our certificate."""
    trusted = (
        str(channel.ca_certs)
        if channel.ca_certs
        else requests.utils.DEFAULT_CA_BUNDLE_PATH
    )
    context = ssl.create_default_context(cafile=trusted)
    if channel.client_cert is not None:
        context.load_cert_chain(channel.client_cert, channel.client_key)
    return context


def _check_tls(channel: WebhookChannel) -> None:
    where = f"alerting.channels.{channel.name}"
    try:
        path = channel.ca_certs
        context = ssl.create_default_context(cafile=str(path) if path else None)
    except ssl.SSLError as error:
        raise AlertingConfigError(
            f"{where}.ca_certs {channel.ca_certs}: holds no certificate in PEM form"
        ) from error
    if channel.client_cert is None:
        return
    try:
        context.load_cert_chain(channel.client_cert, channel.client_key)
    except ssl.SSLError as error:
        raise AlertingConfigError(
            f"{where}.client_cert {channel.client_cert}: not a certificate with its "
            "key in PEM form"
        ) from error
