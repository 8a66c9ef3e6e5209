"""Asking a running service how it is, at `monitoring.listen`. Imports nothing heavy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answered. `good`: HTTP 200. `reasons`: one line each."""

    good: bool
    state: str
    reasons: tuple[str, ...]


def ask(host: str, port: int, path: str, timeout_s: float = 8) -> Reply:
    """What `/healthz` or `/readyz` says there.

    Raises OSError where nobody answers, ValueError where it is not elkwatch.
    """
    connection = HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        answer = json.loads(response.read(_MOST_BYTES))
    except HTTPException as error:
        raise ValueError(f"no HTTP ({type(error).__name__})") from error
    finally:
        connection.close()
    if not isinstance(answer, dict) or "state" not in answer:
        raise ValueError("not an answer of elkwatch")
    reasons = tuple(map(str, answer.get("reasons", ())))
    return Reply(response.status == 200, str(answer["state"]), reasons)
