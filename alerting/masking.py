"""Keeps secrets out of what people read: errors, rows, logs and reprs."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

MASK = "***"


def masked_url(url: str) -> str:
    """Scheme, host and port only: path and query of a webhook are often its secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return MASK
    if not host:
        return MASK
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}/{MASK}"


def url_secrets(url: str) -> tuple[str, ...]:
    """The parts of an address that may be secret, for ``without_secrets``."""
    parts = urlsplit(url)
    values = [value for _, value in parse_qsl(parts.query)]
    found = [url, parts.query, parts.password, parts.path, *parts.path.split("/")]
    return tuple(one for one in (*found, *values) if one and len(one) >= 8)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret (of at least four characters) masked."""
    for secret in sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
