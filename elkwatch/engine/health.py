"""Asking a server on loopback how it is, past any proxy and without a client."""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

from elkwatch.engine.options import User


def cluster_health(
    url: str,
    *,
    ca_certs: Path | None = None,
    user: User | None = None,
    wait_s: int = 0,
) -> str | None:
    """`green`, `yellow` or `red`; None where no health is to be had.

    With `wait_s` the server itself waits that long for its shards to be usable, and
    an answer other than red means that they are.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port
    connection: http.client.HTTPConnection
    timeout_s = wait_s + 5
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(ca_certs) if ca_certs else None)
        connection = http.client.HTTPSConnection(
            host, port, timeout=timeout_s, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    wait = f"?wait_for_status=yellow&timeout={wait_s}s" if wait_s else ""
    headers = {}
    if user is not None:
        pair = b64encode(f"{user.name}:{user.password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    try:
        connection.request("GET", f"/_cluster/health{wait}", headers=headers)
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    status = answer.get("status")
    return status if isinstance(status, str) else None
