"""Masked text → tokens: words, placeholders, and the punctuation that separates.

    "user=<ID> (of <IP>)"  →  user = <ID> ( of <IP> )

Chinese and Japanese text has no spaces: a run of such characters is a token, and so is
each of its punctuation marks, so that the values between them stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

WILDCARD = "<*>"
EMPTY = "(empty)"
MAX_TOKENS = 512

SPLIT = re.compile(
    r"(<[A-Z_][A-Z0-9_]*>"
    r"""|[=:,;()\[\]{}"'<>|]|[.!?](?=\s|$)"""
    r"|[\u3001\u3002\u3008-\u3011\u2018-\u201d\u2026\uff01-\uff0f\uff1a-\uff1f\uff5b-\uff5e]"
    r"|[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+)"
)
_PUNCTUATION = re.compile(
    r"""[=:,;()\[\]{}"'<>|.!?\u3001\u3002\u3008-\u3011\u2018-\u201d\u2026"""
    r"\uff01-\uff0f\uff1a-\uff1f\uff5b-\uff5e]"
)
_PLACEHOLDER = re.compile(r"<(?:\*|[A-Z_][A-Z0-9_]*)>")


def split(masked: str) -> list[str]:
    """The tokens of a masked text; at most MAX_TOKENS; never none."""
    return SPLIT.sub(r" \1 ", masked).split()[:MAX_TOKENS] or [EMPTY]


def spaces(masked: str, tokens: Sequence[str]) -> str:
    """Where the text has white space before a token: "1", else "0", one a token."""
    at, found = 0, []
    for token in tokens:
        place = max(masked.find(token, at), at)
        found.append("1" if place > at else "0")
        at = place + len(token)
    return "".join(found)


def is_value(token: str) -> bool:
    """Whether a token stands for a value: a placeholder or the wildcard."""
    return _PLACEHOLDER.fullmatch(token) is not None


def is_punctuation(token: str) -> bool:
    """Whether a token only separates."""
    return len(token) == 1 and _PUNCTUATION.match(token) is not None


def is_word(token: str) -> bool:
    """Whether a token says something: no value, no separator, no line of dashes."""
    return any(c.isalnum() for c in token) and not is_value(token)


def readable(tokens: Sequence[str], spacing: str) -> str:
    """Tokens as the text they came from had them, spaces where it had spaces."""
    parts = [
        f" {token}" if space == "1" else token
        for token, space in zip(tokens, spacing, strict=True)
    ]
    return "".join(parts).strip()
