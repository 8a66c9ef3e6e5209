"""A Kibana that is none: the documented API over real HTTP on the loopback.

with StubKibana() as kibana:
    client = KibanaClient(KibanaConfig(kibana.url, api_key=KEY))

`trouble[path]` is answered instead of what the path would, a path in `lost` does its
work and hangs up, `slow_s` delays everything.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from elkwatch.engine import TlsFiles
from tests.kibana.stub_objects import BadRequestError, Store

KEY = "c3R1YjpzZWNyZXQta2V5"
STATUS, IMPORT, EXPORT = (
    "/api/status",
    "/api/saved_objects/_import",
    "/api/saved_objects/_export",
)
_SPACED = re.compile(r"^(?:/s/(?P<space>[^/]+))?(?P<path>/.*)$")


@dataclass
class Trouble:
    """What is answered instead."""

    status: int
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """One request as it came in; `path` is within the space."""

    method: str
    space: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes


class StubKibana:
    """Starts on entering, stops on leaving. `base` is a base path such as /kibana."""

    def __init__(
        self,
        *,
        version: str = "9.2.3",
        key: str = KEY,
        base: str = "",
        tls: TlsFiles | None = None,
    ) -> None:
        self.version, self.key, self.base = version, key, base
        self.level = "available"
        self.spaces = {"default", "ops"}
        self.forbidden_spaces: set[str] = set()
        self.store = Store()
        self.trouble: dict[str, Trouble] = {}
        self.slow_s = 0.0
        self.lost: set[str] = set()
        self.asked: list[Request] = []
        self.max_bytes = 26_214_400
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stub = self
        self._scheme = "http"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True
            )
            self._scheme = "https"

    @property
    def url(self) -> str:
        port = self._server.server_address[1]
        return f"{self._scheme}://127.0.0.1:{port}{self.base}"

    def paths(self, method: str) -> list[str]:
        """What was asked with this method, in order."""
        return [one.path for one in self.asked if one.method == method]

    def __enter__(self) -> StubKibana:
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stub: StubKibana


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        stub = self.server.stub
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = urlsplit(self.path)
        time.sleep(stub.slow_s)
        found = _SPACED.match(parts.path.removeprefix(stub.base) or "/")
        assert found is not None
        request = Request(
            self.command,
            unquote(found["space"] or "default"),
            unquote(found["path"]),
            {name.lower(): value for name, value in self.headers.items()},
            {name: values[0] for name, values in parse_qs(parts.query).items()},
            body,
        )
        stub.asked.append(request)
        if request.path in stub.trouble:
            trouble = stub.trouble[request.path]
            self._send(trouble.status, trouble.body, trouble.headers)
            return
        try:
            if not parts.path.startswith(stub.base):
                raise BadRequestError(404, "Not Found")
            answer = _answer(stub, request)
            if request.path in stub.lost:
                self.close_connection = True
                return
            self._send(*answer)
        except BadRequestError as error:
            said = {"statusCode": error.status, "message": error.message}
            more = {"attributes": error.attributes} if error.attributes else {}
            self._send(error.status, json.dumps({**said, **more}))

    def _send(
        self, status: int, body: str, headers: dict[str, str] | None = None
    ) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        with suppress(ConnectionError):  # the client may have given up
            self.end_headers()
            self.wfile.write(data)


def _answer(stub: StubKibana, request: Request) -> tuple[int, str]:
    known = request.headers.get("authorization") == f"ApiKey {stub.key}"
    if request.path == STATUS:
        return _status(stub, known)
    if not known:
        raise BadRequestError(401, "[security_exception]: unable to authenticate")
    if request.method != "GET" and "kbn-xsrf" not in request.headers:
        raise BadRequestError(400, "Request must contain a kbn-xsrf header.")
    if request.path.startswith("/api/spaces/space"):
        return _space(stub, request)
    return _saved_objects(stub, request)


def _space(stub: StubKibana, request: Request) -> tuple[int, str]:
    if request.method == "POST":
        stub.spaces.add(json.loads(request.body)["id"])
        return 200, request.body.decode()
    name = request.path.rpartition("/")[2]
    if name in stub.forbidden_spaces:
        raise BadRequestError(403, f"Unauthorized to get {name} space")
    if name not in stub.spaces:
        raise BadRequestError(404, f"Saved object [space/{name}] not found")
    if request.method == "DELETE":
        stub.spaces.remove(name)
        stub.store.drop_space(name)
        return 204, ""
    return 200, json.dumps({"id": name, "name": name, "disabledFeatures": []})


def _saved_objects(stub: StubKibana, request: Request) -> tuple[int, str]:
    space, store = request.space, stub.store
    match request.method, request.path:
        case "POST", "/api/saved_objects/_import":
            if len(request.body) > stub.max_bytes:
                raise BadRequestError(413, "Payload content length too large")
            text = _file(request.headers["content-type"], request.body)
            overwrite = request.query.get("overwrite") == "true"
            return 200, json.dumps(store.import_(space, text, overwrite=overwrite))
        case "POST", "/api/saved_objects/_export":
            found = store.export(space, json.loads(request.body))
            return 200, "\n".join(json.dumps(one) for one in found)
        case "DELETE", path:
            kind, one = path.removeprefix("/api/saved_objects/").split("/", 1)
            force = request.query.get("force") == "true"
            store.delete(space, (kind, one), force=force)
            return 200, "{}"
    raise BadRequestError(404, "Not Found")


def _status(stub: StubKibana, known: bool) -> tuple[int, str]:
    code = 503 if stub.level in ("unavailable", "critical") else 200
    overall = {"overall": {"level": stub.level, "summary": ""}}
    if not known:
        return code, json.dumps({"status": {"overall": {"level": stub.level}}})
    return code, json.dumps(
        {
            "name": "stub",
            "uuid": "0",
            "version": {"number": stub.version, "build_flavor": "traditional"},
            "status": overall,
        }
    )


def _file(content_type: str, body: bytes) -> str:
    """The file of a multipart form. Raises BadRequestError unless it is .ndjson."""
    head = f"content-type: {content_type}\r\n\r\n".encode()
    for part in message_from_bytes(head + body, policy=HTTP).iter_parts():
        name = part.get_filename() or ""
        if not name.endswith(".ndjson"):
            raise BadRequestError(400, f"Invalid file extension {name}")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode()
    raise BadRequestError(400, "[request body.file]: expected value")
