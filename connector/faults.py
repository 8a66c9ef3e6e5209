"""What Elasticsearch and the network say when something fails, in one line for a user.

`translate` turns any exception of the client into one of `connector.errors`;
`is_transient` tells which are worth another try; `why` reads the type and reason out of
an error body. Bodies may quote documents and queries, so only their `reason` is used.
"""

import re
from typing import Any

from elasticsearch import (
    ApiError,
    ConnectionError,
    ConnectionTimeout,
    SerializationError,
    SSLError,
    TransportError,
    UnsupportedProductError,
)

from connector.errors import (
    ConnectorError,
    EngineTooBusy,
    EngineUnreachable,
    IndexBlocked,
    NotAuthenticated,
    PrivilegeMissing,
    RequestRefused,
    TlsFailed,
)

TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})

_ACTION = re.compile(r"action \[([^\]]+)\] is unauthorized")
_INDICES = re.compile(r"on (?:restricted )?indices \[([^\]]*)\]")
_GRANTED_BY = re.compile(r"granted by the (\w+) privileges? \[([^\]]+)\]")
_MAX_REASON_CHARS = 300


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed if it is sent again a little later."""
    if isinstance(error, SSLError):
        return False
    if isinstance(error, ConnectionError | ConnectionTimeout | EngineTooBusy):
        return True
    return isinstance(error, ApiError) and error.status_code in TRANSIENT_STATUSES


def why(body: Any) -> tuple[str, str]:
    """The type and reason of an error body or a bulk item's error; empty if none.

    The root cause is preferred: what is around it only says that a phase failed.
    """
    error = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(error, str):
        return "", _one_line(error)
    if not isinstance(error, dict):
        return "", ""
    root = error.get("root_cause")
    if isinstance(root, list) and root and isinstance(root[0], dict):
        error = {**error, **root[0]}
    kind, reason = str(error.get("type", "")), str(error.get("reason", ""))
    cause = error.get("caused_by")
    if isinstance(cause, dict) and cause.get("reason"):
        reason = f"{reason}: {cause['reason']}"
    return kind, _one_line(reason)


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= _MAX_REASON_CHARS:
        return text
    return text[: _MAX_REASON_CHARS - 1] + "…"


def translate(error: Exception, doing: str) -> ConnectorError:
    """The error for a user. `doing`: what was tried and where, as a noun phrase.

    An error that is the connector's own comes back as it is.
    """
    if isinstance(error, ConnectorError):
        return error
    if isinstance(error, UnsupportedProductError):
        return RequestRefused(
            f"{doing}: what answers there is not Elasticsearch; check hosts"
        )
    if isinstance(error, ApiError):
        return _from_answer(error, doing)
    if isinstance(error, SSLError):
        return TlsFailed(f"{doing}: {_tls_advice(error)}")
    if isinstance(error, ConnectionTimeout):
        return EngineUnreachable(
            f"{doing}: no answer in time; is Elasticsearch overloaded, or a firewall "
            "between? (elasticsearch.request_timeout sets how long to wait)"
        )
    if isinstance(error, ConnectionError):
        return EngineUnreachable(f"{doing}: {_connection_advice(error)}")
    if isinstance(error, SerializationError):
        return RequestRefused(
            f"{doing}: the answer is not JSON; does a proxy answer in place of "
            "Elasticsearch?"
        )
    if isinstance(error, TransportError):
        return RequestRefused(f"{doing}: {_one_line(str(error))}")
    return RequestRefused(f"{doing}: {type(error).__name__}: {_one_line(str(error))}")


def _from_answer(error: ApiError, doing: str) -> ConnectorError:
    status = error.status_code
    kind, reason = why(error.body)
    if status == 401:
        return NotAuthenticated(
            f"{doing}: the API key or password was refused (401); check "
            "elasticsearch.api_key, or username and password"
        )
    if kind == "cluster_block_exception":
        return blocked(doing, reason)
    if status == 403:
        return privilege_missing(doing, reason)
    if status in TRANSIENT_STATUSES:
        return EngineTooBusy(
            f"{doing}: Elasticsearch cannot now ({status} {kind or 'no reason given'}"
            f"{': ' + reason if reason else ''}); try again, or give it more memory"
        )
    text = f"{kind}: {reason}" if kind else reason or "no reason given"
    return RequestRefused(f"{doing}: refused ({status} {text})", status=status)


def blocked(doing: str, reason: str) -> IndexBlocked:
    """The error of an index or cluster that is closed for writing."""
    return IndexBlocked(
        f"{doing}: writing is blocked ({reason}); free disk space on the cluster, or "
        "remove the block from the index settings"
    )


def privilege_missing(doing: str, reason: str) -> PrivilegeMissing:
    """The error of a refused action, with what would grant it.

    `reason` is the reason of a `security_exception`; it names both.
    """
    action, indices = _ACTION.search(reason), _INDICES.search(reason)
    granted = _GRANTED_BY.search(reason)
    privileges = granted[2].split(",") if granted else []
    names = [p for p in privileges if p != "all"] or privileges
    where = indices[1].split(",") if indices else []
    if action is None:
        return PrivilegeMissing(f"{doing}: not allowed (403 {reason or 'no reason'})")
    on = f" on {', '.join(where)}" if where else ""
    scope = granted[1] if granted else ""
    grant = (
        f"grant the {scope} privilege {' or '.join(names)}{on}"
        if names
        else "grant what it needs"
    )
    return PrivilegeMissing(
        f"{doing}: not allowed to {action[1]}{on}; {grant} "
        "(`elkwatch setup --roles` prints the roles)",
        action=action[1],
        indices=where,
        granted_by=names,
    )


def _told(error: TransportError) -> str:
    """All that is known of a network failure; the client keeps it in the cause."""
    return " ".join(map(str, (error.message, *error.errors, error.__cause__ or "")))


def _tls_advice(error: SSLError) -> str:
    text = _told(error)
    if "WRONG_VERSION_NUMBER" in text or "record layer" in text.lower():
        return "no TLS is spoken there; write http:// instead of https://"
    if "fingerprint" in text.lower():
        return (
            "the certificate is not the one of elasticsearch.ssl_assert_fingerprint; "
            "take the SHA-256 fingerprint of the server's own certificate, not its CA's"
        )
    if "doesn't match" in text or "mismatch" in text.lower():
        return (
            "the certificate is for another host name; write in hosts a name that "
            "stands in the certificate"
        )
    if "expired" in text:
        return "the certificate has expired; renew it on the server"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            "the certificate is not signed by a CA known here; name its CA file as "
            "elasticsearch.ca_certs"
        )
    return f"the TLS handshake failed ({_one_line(text)})"


def _connection_advice(error: ConnectionError) -> str:
    text = _told(error)
    if "refused" in text.lower():
        return "connection refused; is Elasticsearch running, and on this port?"
    if "resolve" in text or "Name or service" in text or "getaddrinfo" in text:
        return "this host name is not known; check hosts"
    if "RemoteDisconnected" in text or "reset by peer" in text or "aborted" in text:
        return (
            "the connection was closed without an answer; if the server speaks TLS, "
            "write https:// instead of http://"
        )
    return f"cannot connect ({_one_line(text)})"
