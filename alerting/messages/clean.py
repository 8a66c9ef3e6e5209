"""Makes text from logs harmless before it stands in a message.

Log text is hostile: it may carry terminal escapes, text that reverses its reading
direction, line breaks that fake a header or a heading, or halves of characters.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from alerting.records import MAX_URL

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_NEVER = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # reading direction
    r"\u2028\u2029\ufeff\ufff9-\ufffb]"  # line separators, marks
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Without control and direction characters; line feeds and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _NEVER.sub("", _ANSI.sub("", text))
    return _SURROGATES.sub("\ufffd", text)


def one_line(text: str, limit: int = 300) -> str:
    """``clean``, on a single line of at most ``limit`` characters."""
    line = _SPACE.sub(" ", clean(text)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def web_address(url: str | None) -> str | None:
    """The address if it is one that a reader may safely be led to (http, https).

    One longer than ``MAX_URL`` is left out: cut, it would lead elsewhere.
    """
    if url is None or len(url) > MAX_URL:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    safe = parts.scheme in ("http", "https") and bool(parts.netloc)
    return one_line(url, MAX_URL) if safe else None
