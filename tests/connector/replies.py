"""A loopback server that answers as Elasticsearch would in a case hard to provoke."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What was asked: method, path without query, body as text, and by whom."""

    method: str
    path: str
    body: str
    authorization: str


class Reply(NamedTuple):
    """What to answer; a `body` that is no text is written as JSON."""

    status: int
    body: Any
    product: str | None = "Elasticsearch"


Replier = Callable[[Request], Reply]


@contextmanager
def answering(replier: Replier) -> Iterator[str]:
    """The URL of a server that answers by `replier`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            by = self.headers.get("Authorization", "")
            path = self.path.split("?")[0]
            reply = replier(Request(self.command, path, body, by))
            is_text = isinstance(reply.body, str)
            data = (reply.body if is_text else _compact(reply.body)).encode()
            self.send_response(reply.status)
            if reply.product is not None:
                self.send_header("X-Elastic-Product", reply.product)
            kind = "text/html" if is_text else "application/vnd.elasticsearch+json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _compact(body: Any) -> str:
    """JSON without spaces, as Elasticsearch writes it."""
    return json.dumps(body, separators=(",", ":"))
