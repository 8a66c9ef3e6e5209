"""Values of documents as text: valid Unicode, bounded, whatever they were."""

from typing import Any

import orjson

MAX_TEXT_BYTES = 32 * 1024
MAX_LABEL_CHARS = 1024

_REPLACEMENT = "\ufffd"


def clean_text(text: str) -> str:
    """`text` with NUL and lone surrogates replaced by U+FFFD; itself if it has none."""
    if "\0" in text:
        text = text.replace("\0", _REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_REPLACEMENT if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def document_text(document: Any) -> str:
    """A document as JSON text of at most 32 kB, whatever is in it."""
    try:
        data = orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError, orjson.JSONEncodeError):
        data = repr(document).encode("utf-8", "replace")
    return clean_text(data[:MAX_TEXT_BYTES].decode("utf-8", "ignore"))


def as_label(value: Any) -> str | None:
    """A short value as text: the first of a list, a number as its digits."""
    if value is None:
        return None
    if type(value) is str:
        text = value
    elif isinstance(value, list):
        return as_label(value[0]) if value else None
    else:
        text = plain(value)
    if not text.isascii() or "\0" in text:
        text = clean_text(text)
    return text if len(text) <= MAX_LABEL_CHARS else text[:MAX_LABEL_CHARS]


def plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return document_text(value)


def as_int(value: Any) -> int | None:
    if isinstance(value, list):
        return as_int(value[0]) if value else None
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return int(value)
        except (ValueError, OverflowError):
            return None
    return None
