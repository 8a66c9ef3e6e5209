"""Masking of what leaves elkwatch: emails, addresses, cards, tokens, users' patterns.

Within one run equal values get equal placeholders, `<email:3f2a>`, so that a reader
still sees that two lines speak of the same person; the key of the digest is made anew
for each process and kept nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence

import re2

from elkwatch.config import MaskSettings

Mask = Callable[[str], str]

_BUILT_IN = {
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "ip": r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b"
    r"|\b(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}\b",
    "card": r"\b\d(?:[ -]?\d){12,18}\b",
    "token": r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"
    r"|\b(?:password|passwd|secret|token|api[_-]?key)\s*[=:]\s*[^\s,;&]+"
    r"|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|\b(?:AKIA|ghp_|xox[abp]-|sk-)[A-Za-z0-9_-]{12,}",
}


def masking(settings: Sequence[MaskSettings], key: bytes | None = None) -> Mask:
    """A function that masks what the settings name; without any, it changes nothing."""
    key = key or secrets.token_bytes(16)
    options = re2.Options()
    options.log_errors = False
    steps = [
        (one.name, re2.compile(one.pattern or _BUILT_IN[one.name], options))
        for one in settings
    ]

    def mask(text: str) -> str:
        for name, pattern in steps:
            text = pattern.sub(lambda match, n=name: _replaced(n, match, key), text)
        return text

    return mask


def _replaced(name: str, match: re2._Match, key: bytes) -> str:
    value = str(match.group(0))
    if name == "card" and not _passes_luhn(value):
        return value
    digest = hashlib.blake2b(value.encode(), key=key, digest_size=3).hexdigest()
    return f"<{name}:{digest}>"


def _passes_luhn(text: str) -> bool:
    """Whether the digits of a number have the check digit of a payment card."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = (
        d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)
    )
    return sum(doubled) % 10 == 0
