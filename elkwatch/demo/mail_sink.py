"""An SMTP server on loopback that keeps what it is given."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern_policy
from types import TracebackType
from typing import Any, Self

from elkwatch.demo.errors import SinkError

_LOOPBACK = "127.0.0.1"
_START_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it arrived. `text` and `html` are "" where it has no such part."""

    message_id: str
    subject: str
    sender: str
    recipients: tuple[str, ...]
    text: str
    html: str
    message: EmailMessage = field(repr=False)


class MailSink:
    """An SMTP server that keeps what it is given.

    `tls` speaks TLS from the first byte, `starttls` offers it and insists on it,
    `credentials` are asked for where given. `answers` are replies to whole messages,
    such as "451 4.3.0 try again later".
    """

    def __init__(
        self,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
        answers: Iterable[str] = (),
    ) -> None:
        self.host = _LOOPBACK
        self.port = port
        self.received: list[Mail] = []
        self.refused: list[Mail] = []
        self._tls = tls
        self._starttls = starttls
        self._credentials = credentials
        self._answers = deque(answers)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def counts(self) -> Counter[str]:
        """How often each Message-ID was accepted."""
        return Counter(mail.message_id for mail in self.received)

    @property
    def duplicates(self) -> int:
        """Mails accepted beyond the first of their Message-ID."""
        return len(self.received) - len(self.counts)

    def __enter__(self) -> Self:
        try:
            from aiosmtpd.smtp import SMTP
        except ImportError as e:
            raise SinkError(
                "no SMTP server (aiosmtpd); install it with: "
                "pip install 'elkwatch[engine]'"
            ) from e
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(SMTP, started)), name="mail-sink"
        )
        self._thread.start()
        try:
            self.port = started.result(_START_TIMEOUT_S)
        except OSError as e:
            self._thread.join()
            raise SinkError(
                f"the mail sink cannot listen on port {self.port}: {e}"
            ) from e
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._ended is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._ended.set)
        if self._thread is not None:
            self._thread.join()

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Let nobody send who has not given the credentials."""
        # Not left to aiosmtpd: it demands STARTTLS for that, even within TLS.
        if self._credentials is not None and not session.authenticated:
            return "530 5.7.0 authentication required"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        """Keep a mail, or refuse it where an answer says so."""
        mail = _parsed(envelope)
        if self._answers:
            self.refused.append(mail)
            return self._answers.popleft()
        self.received.append(mail)
        return "250 2.0.0 kept"

    async def _serve(self, smtp: Any, started: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        try:
            server = await self._loop.create_server(
                lambda: self._protocol(smtp), self.host, self.port, ssl=self._tls
            )
        except OSError as e:
            started.set_exception(e)
            return
        started.set_result(server.sockets[0].getsockname()[1])
        await self._ended.wait()
        server.close()

    def _protocol(self, smtp: Any) -> Any:
        return smtp(
            self,
            hostname="localhost",
            enable_SMTPUTF8=True,
            loop=self._loop,
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            auth_require_tls=self._starttls is not None,
            authenticator=self._authenticate,
        )

    def _authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> Any:
        from aiosmtpd.smtp import AuthResult

        given = (
            getattr(data, "login", b"").decode(),
            getattr(data, "password", b"").decode(),
        )
        return AuthResult(success=given == self._credentials, handled=False)


def _parsed(envelope: Any) -> Mail:
    message = message_from_bytes(envelope.content, policy=modern_policy)
    assert isinstance(message, EmailMessage)
    return Mail(
        message_id=str(message["Message-ID"] or ""),
        subject=str(message["Subject"] or ""),
        sender=envelope.mail_from,
        recipients=tuple(envelope.rcpt_tos),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        message=message,
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    return str(part.get_content()).replace("\r\n", "\n")
