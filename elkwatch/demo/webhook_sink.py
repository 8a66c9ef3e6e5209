"""An HTTP server on loopback that verifies Standard Webhooks and keeps the calls."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError

from elkwatch.demo.errors import SinkError

_LOOPBACK = "127.0.0.1"
_LARGEST_BODY = 10_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """How to answer one webhook request; `retry_after` is the header, if any."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A webhook request. `body` is the parsed JSON, `reason` why it was turned away."""

    webhook_id: str
    body: Any
    headers: Mapping[str, str] = field(repr=False)
    raw: bytes = field(repr=False)
    reason: str = ""


class WebhookSink:
    """An HTTP server that verifies Standard Webhooks signatures and keeps the calls.

    `received` were accepted, `refused` were genuine but met an answer of 300 or more,
    `rejected` were not genuine and got a 401.
    """

    def __init__(
        self,
        secret: str,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        answers: Iterable[Answer] = (),
    ) -> None:
        self.received: list[Call] = []
        self.refused: list[Call] = []
        self.rejected: list[Call] = []
        self.port = port
        self._scheme = "https" if tls else "http"
        self._tls = tls
        self._webhook = Webhook(secret)
        self._answers = deque(answers)
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"{self._scheme}://{_LOOPBACK}:{self.port}/"

    @property
    def counts(self) -> Counter[str]:
        """How often each webhook-id was accepted."""
        with self._lock:
            return Counter(call.webhook_id for call in self.received)

    @property
    def duplicates(self) -> int:
        """Calls accepted beyond the first of their webhook-id."""
        counts = self.counts
        return counts.total() - len(counts)

    def __enter__(self) -> Self:
        try:
            self._server = _Server(self.port, self)
        except OSError as e:
            raise SinkError(
                f"the webhook sink cannot listen on port {self.port}: {e}"
            ) from e
        self.port = self._server.server_address[1]
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="webhook-sink",
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def take(self, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Judge one request and enter it in the books."""
        webhook_id = headers.get("webhook-id", "")
        try:
            body = self._webhook.verify(raw, dict(headers))
        except (WebhookVerificationError, ValueError) as e:
            with self._lock:
                self.rejected.append(Call(webhook_id, None, headers, raw, str(e)))
            return Answer(401)
        call = Call(webhook_id, body, headers, raw)
        with self._lock:
            answer = self._answers.popleft() if self._answers else Answer(200)
            (self.received if answer.status < 300 else self.refused).append(call)
        return answer


class _Server(ThreadingHTTPServer):
    def __init__(self, port: int, sink: WebhookSink) -> None:
        self.sink = sink
        super().__init__((_LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server what 127.0.0.1 is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_POST(self) -> None:
        """Read the whole body, judge it, answer."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY:
            self.send_error(413)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.sink.take(headers, self.rfile.read(length))
        self.send_response(answer.status)
        if answer.retry_after is not None:
            self.send_header("Retry-After", answer.retry_after)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"status": answer.status}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the books tell what came."""
