"""A small HTTP server for probes and for Prometheus: three pages, GET only."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from elkwatch.clock import Clock
from elkwatch.errors import ConfigError
from elkwatch.monitoring.metrics import ServiceMetrics
from elkwatch.monitoring.pulse import Answer, Pulse

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_JSON = "application/json"


class MonitoringServer:
    """Listens from `start` to `stop`; each request has ten seconds."""

    def __init__(
        self,
        listen: tuple[str, int],
        pulse: Pulse,
        metrics: ServiceMetrics,
        clock: Clock,
    ) -> None:
        self._listen = listen
        self._pulse, self._metrics, self._clock = pulse, metrics, clock
        self._server: WSGIServer | None = None

    @property
    def url(self) -> str:
        """Where it answers, once it was started."""
        assert self._server is not None
        host, port = self._server.server_address[:2]
        shown = str(host)
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"

    def start(self) -> None:
        """Raises ConfigError where the address cannot be listened on."""
        host, port = self._listen
        server = _Server6 if ":" in host else _Server
        try:
            self._server = make_server(host, port, self._answer, server, _Handler)
        except OSError as error:
            busy = error.errno == errno.EADDRINUSE
            why = "is taken; choose another port" if busy else f"({error.strerror})"
            raise ConfigError(f"monitoring.listen {host}:{port}: {why}") from error
        threading.Thread(
            target=self._server.serve_forever, name="monitoring", daemon=True
        ).start()

    def stop(self) -> None:
        """Ends; nothing waits for requests that are under way."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _answer(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        status, kind, body = self._page(
            str(environ.get("REQUEST_METHOD")), str(environ.get("PATH_INFO"))
        )
        length = ("Content-Length", str(len(body)))
        start_response(status, [("Content-Type", kind), length])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    def _page(self, method: str, path: str) -> tuple[str, str, bytes]:
        now = self._clock.now()
        pages: dict[str, Callable[[], tuple[str, str, bytes]]] = {
            "/healthz": lambda: _probe(self._pulse.alive(now)),
            "/readyz": lambda: _probe(self._pulse.ready(now)),
            "/metrics": lambda: ("200 OK", _TEXT, self._metrics.exposition()),
        }
        if method not in {"GET", "HEAD"}:
            return "405 Method Not Allowed", _JSON, b'{"error": "GET only"}\n'
        if path not in pages:
            return "404 Not Found", _JSON, b'{"pages": "/healthz /readyz /metrics"}\n'
        return pages[path]()


def _probe(answer: Answer) -> tuple[str, str, bytes]:
    status = "200 OK" if answer.good else "503 Service Unavailable"
    body = json.dumps(asdict(answer), ensure_ascii=False) + "\n"
    return status, _JSON, body.encode("utf-8", "replace")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A probe that hung up is nobody's error."""


class _Server6(_Server):
    import socket as _socket

    address_family = _socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:
        """Probes come every few seconds: not a word about each."""
