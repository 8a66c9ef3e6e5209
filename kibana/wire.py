"""HTTP with Kibana: one request, one answer, and what went wrong in one line.

Redirects are never followed, since they would carry the credentials elsewhere; neither
proxies nor `.netrc` of the environment are used. An answer is bounded in size and time.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from kibana.errors import (
    KibanaConfigError,
    KibanaNotAllowed,
    KibanaNotAuthenticated,
    KibanaRefused,
    KibanaTlsFailed,
    KibanaTooBusy,
    KibanaUnreachable,
)

MAX_ANSWER_BYTES = 64 << 20
CONNECT_TIMEOUT_S = 10.0
_BUSY = {429, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class KibanaConfig:
    """Where Kibana is and who we are there. Its repr shows no secret.

    `url` has a scheme, and the base path if there is one. Give `api_key` (encoded, or
    `id:key`), or `username` and `password`, or none. `ca_certs` is the path of a PEM
    file, `ssl_assert_fingerprint` the SHA-256 of the server's certificate instead.
    """

    url: str
    space: str = "default"
    api_key: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    ssl_assert_fingerprint: str | None = None
    request_timeout_s: float = 30.0


class Wire:
    """Requests to one Kibana. Raises KibanaConfigError for a CA file that is none."""

    def __init__(self, config: KibanaConfig) -> None:
        self._config = config
        self._base = config.url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"kbn-xsrf": "true", "user-agent": "elkwatch"})
        self._session.headers.update(_identity(config))
        if config.ssl_assert_fingerprint is not None:
            self._session.mount("https://", _Pinned(config.ssl_assert_fingerprint))
            self._session.verify = False  # the fingerprint says which server it is
        elif config.ca_certs is not None:
            _check_ca(config.ca_certs)
            self._session.verify = config.ca_certs

    @property
    def where(self) -> str:
        """How messages call this Kibana: its address, without credentials."""
        parts = urlsplit(self._base)
        return f"Kibana at {parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def send(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        space: str = "default",
        accepts: frozenset[int] = frozenset(),
        **request: Any,
    ) -> Answer:
        """The answer, if its status is 200 or one of `accepts`. Raises KibanaErrors.

        `doing` says in messages what was tried.
        """
        prefix = "" if space == "default" else f"/s/{quote(space, safe='')}"
        deadline = time.monotonic() + self._config.request_timeout_s
        try:
            with self._session.request(
                method,
                f"{self._base}{prefix}{path}",
                timeout=(
                    min(CONNECT_TIMEOUT_S, self._config.request_timeout_s),
                    self._config.request_timeout_s,
                ),
                allow_redirects=False,
                stream=True,
                **request,
            ) as got:
                answer = Answer(got.status_code, _body(got, deadline))
                where_to = got.headers.get("location", "")
        except (requests.RequestException, UnicodeError) as error:
            raise self._unreachable(error) from None  # its text quotes the address
        if answer.status == 200 or answer.status in accepts:
            return answer
        raise self._refused(answer, doing, where_to)

    def _unreachable(self, error: BaseException) -> Exception:
        why = _why(error)
        if isinstance(error, requests.exceptions.SSLError):
            return KibanaTlsFailed(
                f"{self.where}: {why}; set kibana.ca_certs to the PEM file of its CA"
            )
        return KibanaUnreachable(
            f"{self.where}: {why}; check kibana.url, and that Kibana runs"
        )

    def _refused(self, answer: Answer, doing: str, where_to: str) -> Exception:
        status, said = answer.status, answer.said()
        if 300 <= status < 400:
            target = urlsplit(where_to)
            path = f" to {target.netloc}{target.path}" if where_to else ""
            return KibanaRefused(
                f"{self.where} answered {status}{_cut(path)}; redirects are not "
                "followed: set kibana.url to the final address, with its base path",
                status=status,
            )
        if status == 401 and "authorization" not in self._session.headers:
            return KibanaNotAuthenticated(
                f"{self.where} asks for credentials (401); set kibana.api_key, or "
                "kibana.username and kibana.password"
            )
        if status == 401:
            return KibanaNotAuthenticated(
                f"{self.where} refused the credentials (401); check kibana.api_key, "
                "or kibana.username and kibana.password"
            )
        if status == 403:
            return KibanaNotAllowed(
                f"{self.where}: {doing} is not allowed (403{said}); give the key all "
                "privileges on Dashboard, Discover, Data View Management and Saved "
                "Objects Management in this space"
            )
        if status in _BUSY:
            return KibanaTooBusy(
                f"{self.where} cannot answer now ({status}{said}); try again in a "
                "minute"
            )
        return KibanaRefused(
            f"{self.where}: {doing} was answered {status}{said}; "
            f"{_CURES.get(status, 'check kibana.url, and the log of Kibana')}",
            status=status,
        )


_CURES = {
    404: "is kibana.url that of Kibana, with its base path?",
    413: "raise savedObjects.maxImportPayloadBytes, or the limit of a proxy before it",
    422: "the objects are newer than this Kibana: upgrade Kibana, or install with the "
    "elkwatch that fits it",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What Kibana answered: HTTP status and the whole body."""

    status: int
    body: bytes

    def document(self, where: str) -> dict[str, Any]:
        """The JSON object in it. Raises KibanaRefused where there is none."""
        found = self._parsed()
        if not isinstance(found, dict):
            raise KibanaRefused(
                f"{where} answered {self.status} with something that is no JSON of "
                "Kibana; is kibana.url that of Kibana, or of a log-in page before it?",
                status=self.status,
            )
        return found

    def said(self) -> str:
        """`: message` of an error answer, cut to one line; empty where it has none."""
        found = self._parsed()
        if not isinstance(found, dict):
            return ""
        text = _cut(str(found.get("message") or found.get("error") or ""))
        return f": {text}" if text else ""

    def _parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class _Pinned(HTTPAdapter):
    """TLS only with the server whose certificate has this SHA-256."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **kwargs)


def _identity(config: KibanaConfig) -> Mapping[str, str]:
    if config.api_key is not None:
        key = config.api_key
        if not key.isascii() or any(c.isspace() for c in key):
            raise KibanaConfigError(
                "kibana.api_key: holds letters that no API key has; copy it again"
            )
        encoded = b64encode(key.encode()).decode() if ":" in key else key
        return {"authorization": f"ApiKey {encoded}"}
    if config.username is not None:
        pair = f"{config.username}:{config.password or ''}".encode()
        return {"authorization": f"Basic {b64encode(pair).decode()}"}
    return {}


def _check_ca(path: str) -> None:
    if not Path(path).is_file():
        raise KibanaConfigError(
            f"kibana.ca_certs: no file {path}; name the PEM file of the CA"
        )
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError) as error:
        raise KibanaConfigError(
            f"kibana.ca_certs: {path} holds no certificate; name the PEM file of the CA"
        ) from error


def _body(got: requests.Response, deadline: float) -> bytes:
    """The body, unless it is endless or comes too slowly: the time-out is for all."""
    body = bytearray()
    for chunk in got.iter_content(64 << 10):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout
    return bytes(body)


def _cut(text: str, limit: int = 300) -> str:
    """On one line of printable characters: what a server says is data."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _why(error: BaseException) -> str:
    """What the system said underneath; the texts of the libraries quote addresses."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or 'no common ground'})"
        if isinstance(cause, socket.gaierror) or "NameRes" in type(cause).__name__:
            return "host name not found"
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return "no answer in time"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        if "Fingerprint" in str(cause):
            return "its certificate has another fingerprint"
    return f"connection failed ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors inside an error, the deepest first."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 12:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None)]
            waiting += [one.__cause__, one.__context__]
    return reversed(found)
