"""Turns what a failed connection raised into one line for people.

Libraries put the whole address, with its secrets, into their errors; so their texts are
never used, only what the system said underneath.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

MAX_DEPTH = 12


def why(error: BaseException) -> str:
    """What went wrong underneath: refused, timed out, no such host, certificate …"""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'no common ground'}"
        if isinstance(cause, socket.gaierror):
            return "host name not found"
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return "timed out"
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno).lower()
        if "NameResolution" in type(cause).__name__:
            return "host name not found"
    return f"connection failed ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors inside an error, the deepest first."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < MAX_DEPTH:
        one = waiting.pop()
        if one in found:
            continue
        found.append(one)
        inside = [*one.args, getattr(one, "reason", None)]
        inside += [one.__cause__, one.__context__]
        waiting += [item for item in inside if isinstance(item, BaseException)]
    return reversed(found)
