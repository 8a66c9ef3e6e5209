"""Email over SMTP: one mail a row to all recipients of the channel.

The ``Message-ID`` is made of the row, so a mail that is sent again after a crash can be
told from a second one; every mail of an episode refers to the one that opened it.
"""

from __future__ import annotations

import base64
import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from email.headerregistry import HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from alerting.config import EmailChannel
from alerting.errors import AlertingConfigError, DeliveryError
from alerting.masking import without_secrets
from alerting.messages.clean import one_line
from alerting.notifiers import OutgoingMessage, Receipt
from alerting.notifiers.reasons import why

# Left to itself, Python encodes long ids in these two as if they were words, and the
# thread is lost.
_HEADERS = HeaderRegistry()
for _name in ("in-reply-to", "references"):
    # The stubs want a whole header; the registry takes such a half and completes it.
    _HEADERS.map_to_type(_name, MessageIDHeader)  # type: ignore[arg-type]
_POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)

Refusals = Mapping[str, tuple[int, bytes]]


class EmailNotifier:
    """Sends messages as mail. Raises AlertingConfigError for an unusable CA file."""

    def __init__(self, channel: EmailChannel) -> None:
        self._channel = channel
        try:
            self._context()
        except ssl.SSLError as error:
            raise AlertingConfigError(
                f"alerting.channels.{channel.name}.ca_certs {channel.ca_certs}: "
                "holds no certificate in PEM form"
            ) from error

    def send(self, message: OutgoingMessage) -> Receipt:
        """Hands the mail to the SMTP server. Raises DeliveryError.

        Codes 4xx, time-outs and broken connections may be retried, codes 5xx not. If
        some recipients accepted, only the others stay owed.
        """
        recipients = message.remaining or self._channel.to
        mail = self._mail(message)
        refused: Refusals
        try:
            with self._failures_told(), self._session() as server:
                refused = server.send_message(
                    mail, parseaddr(self._channel.sender)[1], _addresses(recipients)
                )
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except ValueError as error:
            raise self._error(
                "the mail has an address that this server cannot take",
                recoverable=False,
            ) from error
        return self._receipt(recipients, refused)

    def probe(self) -> Receipt:
        """Connects, encrypts and logs in; sends nothing. Raises DeliveryError."""
        with self._failures_told(), self._session() as server:
            code, answer = server.noop()
        if not 200 <= code < 300:
            raise self._error(self._answer(code, answer), recoverable=True)
        channel = self._channel
        login = "" if channel.username is None else ", logged in"
        secured = {"none": "unencrypted"}.get(channel.security, channel.security)
        return Receipt(f"{channel.host}:{channel.port} answers ({secured}{login})")

    @contextlib.contextmanager
    def _failures_told(self) -> Iterator[None]:
        """What the connection fails with, as DeliveryError; refused mails pass."""
        try:
            yield
        except smtplib.SMTPRecipientsRefused:
            raise
        except smtplib.SMTPException as error:
            raise self._failed(error) from error
        except OSError as error:
            raise self._error(why(error), recoverable=True) from error

    @contextlib.contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """Connected, encrypted and logged in as configured.

        How the server answers the goodbye no longer matters: the mail is accepted.
        """
        server = self._connected()
        try:
            if self._channel.security == "starttls":
                server.starttls(context=self._context())
            if self._channel.username is not None:
                server.login(self._channel.username, self._channel.password or "")
            yield server
        except BaseException:
            server.close()
            raise
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()

    def _connected(self) -> smtplib.SMTP:
        channel = self._channel
        host, port, name = channel.host, channel.port, channel.ehlo_name
        if channel.security == "tls":
            return smtplib.SMTP_SSL(
                host, port, name, timeout=channel.timeout_s, context=self._context()
            )
        return smtplib.SMTP(host, port, name, timeout=channel.timeout_s)

    def _context(self) -> ssl.SSLContext:
        path = self._channel.ca_certs
        return ssl.create_default_context(cafile=str(path) if path else None)

    def _mail(self, message: OutgoingMessage) -> EmailMessage:
        channel = self._channel
        domain = parseaddr(channel.sender)[1].rpartition("@")[2]
        mail = EmailMessage(policy=_POLICY)
        mail["From"] = one_line(channel.sender)
        mail["To"] = ", ".join(one_line(address) for address in channel.to)
        if channel.reply_to is not None:
            mail["Reply-To"] = one_line(channel.reply_to)
        mail["Subject"] = one_line(message.subject)
        mail["Date"] = format_datetime(message.sent_at.astimezone(UTC))
        mail["Message-ID"] = f"<{message.row_id}@{domain}>"
        if message.thread_id != message.row_id:
            mail["In-Reply-To"] = f"<{message.thread_id}@{domain}>"
            mail["References"] = f"<{message.thread_id}@{domain}>"
        mail["List-Id"] = f"elkwatch alerts <elkwatch.{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["X-Elkwatch-Id"] = message.row_id
        if message.severity in ("high", "critical"):
            mail["Importance"] = "high"
        mail.set_content(message.text, charset="utf-8")
        mail.add_alternative(message.html, subtype="html", charset="utf-8")
        return mail

    def _receipt(self, recipients: Sequence[str], refused: Refusals) -> Receipt:
        """What was accepted; raises DeliveryError if anything is still owed."""
        by_address = {parseaddr(one)[1]: one for one in recipients}
        accepted = len(by_address) - len(refused)
        words = [f"accepted for {accepted} of {len(by_address)}"]
        words += [f"{one}: {self._answer(*refused[one])}" for one in refused]
        detail = "; ".join(words)
        later = [one for one, (code, _) in refused.items() if 400 <= code < 500]
        if later:
            remaining = tuple(by_address.get(one, one) for one in later)
            raise self._error(detail, recoverable=True, remaining=remaining)
        if accepted == 0:
            raise self._error(detail, recoverable=False)
        return Receipt(detail)

    def _failed(self, error: smtplib.SMTPException) -> DeliveryError:
        if isinstance(error, smtplib.SMTPResponseException):
            answer = self._answer(error.smtp_code, error.smtp_error)
            final = 500 <= error.smtp_code < 600
            return self._error(answer, recoverable=not final)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return self._error(
                "the server does not offer what is configured (STARTTLS, AUTH or "
                "SMTPUTF8); mend security, username or addresses",
                recoverable=True,
            )
        if isinstance(error, smtplib.SMTPServerDisconnected):
            under = error.__context__
            closed = "the server closed the connection"
            reason = why(under) if isinstance(under, OSError) else closed
            return self._error(reason, recoverable=True)
        return self._error(f"SMTP failed ({type(error).__name__})", recoverable=True)

    def _answer(self, code: int, answer: bytes | str) -> str:
        text = (
            answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        )
        return one_line(f"answered {code} {text}", 200)

    def _error(
        self, reason: str, *, recoverable: bool, remaining: tuple[str, ...] = ()
    ) -> DeliveryError:
        channel = self._channel
        reason = without_secrets(reason, _forms(channel.password))
        return DeliveryError(
            f"SMTP {channel.host}:{channel.port}: {reason}",
            recoverable=recoverable,
            remaining=remaining,
        )


def _addresses(recipients: Sequence[str]) -> list[str]:
    return [parseaddr(one)[1] for one in recipients]


def _forms(password: str | None) -> tuple[str, ...]:
    """The password as it may come back from a server that quotes what it got."""
    if password is None:
        return ()
    return password, base64.b64encode(password.encode()).decode()
