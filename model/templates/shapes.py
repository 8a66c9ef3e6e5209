"""Shape keys: messages that differ in digits alone are looked up under one key.

    "took 17 ms" │ "took 93 ms"  →  b"took 00 ms"

Masks that treat all digits alike leave the same of both, so that only the first message
of a shape is masked. A page of messages is joined, translated and split at once, which
costs a fraction of one regular expression. Runs of 14 digits and more count as 13: no
mask tells them apart.

Where the lines of a page are new, UUIDs and long hexadecimal words are made alike too
(`broader`): trace ids would else make every line its own shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

from model.templates.masks import Mask

V = TypeVar("V")

MAX_KEY_BYTES = 1024

_SEPARATOR = "\0"
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_SAME = bytes.maketrans(b"", b"")
_LONG_RUN = 13
_STEPS = (8, 4, 2, 1)
_COUNTED = re.compile(r"\{\d*,?\d*\}")


class Shapes:
    """How messages become keys under these masks of the user's.

    A mask that tells digits apart (`5\\d\\d`) makes every message its own shape.
    """

    def __init__(self, masks: Sequence[Mask] = ()) -> None:
        alike = all(_digits_alike(mask) for mask in masks)
        counted = any("{" in mask.pattern for mask in masks)
        self._table = _ZEROS if alike else _SAME
        self._shorten = alike and not counted
        self._hexadecimal = not masks
        self.alike = alike

    def keys(self, messages: Sequence[object]) -> list[bytes] | None:
        """One key a message, in order; None where a message is no proper text."""
        try:
            data = _SEPARATOR.join(messages).encode()  # type: ignore[arg-type]
        except (TypeError, UnicodeEncodeError):
            return None
        keys = self._of(data).split(b"\0")
        return keys if len(keys) == len(messages) else None

    def key(self, text: str) -> bytes:
        """The key of one text that UTF-8 can hold."""
        return self._of(text.encode())

    def broader(self, key: bytes) -> bytes:
        """The key with UUIDs and long hexadecimal words made alike.

        Built-in masks hide them whole, whatever is in them; slower than `keys`, so for
        what is not known by its own key. With masks of the user's it is the key itself.
        """
        return _HEXADECIMAL.sub(_alike, key) if self._hexadecimal else key

    def _of(self, data: bytes) -> bytes:
        data = data.translate(self._table)
        if self._shorten:
            for step in _STEPS:
                data = data.replace(_RUNS[step], _RUNS[0])
        return data


_RUNS = {step: b"0" * (_LONG_RUN + step) for step in (0, *_STEPS)}

_HEXADECIMAL = re.compile(
    rb"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b(?!=)"
    rb"|(?<![\w.$@#~:-])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{16,}(?![\w.$@#~=:-])"
)


def _alike(match: re.Match[bytes]) -> bytes:
    """What stands for a UUID; what stands for any other hexadecimal word."""
    is_uuid = match.group()[8:9] == b"-"
    return b"0" * 8 + b"-0000" * 3 + b"-" + b"0" * 12 if is_uuid else b"a" + b"0" * 15


def _digits_alike(mask: Mask) -> bool:
    """Whether a pattern cannot tell one digit from another."""
    pattern = mask.pattern.replace("0-9", "")
    if re.search(r"\\[xpPQ]", pattern):
        return False
    return not any(c.isdigit() for c in _COUNTED.sub("", pattern))


class Bounded(Generic[V]):
    """What was found under a key, until it is too much: then all is forgotten.

    Bounded by entries and by bytes of keys, so that a stream of messages that are all
    different cannot make memory grow. `known` is the dict itself, for fast look-ups.
    """

    def __init__(self, entries: int, key_bytes: int = 64 << 20) -> None:
        self.known: dict[bytes, V] = {}
        self._entries = entries
        self._key_bytes = key_bytes
        self._held = 0

    def put(self, key: bytes, value: V) -> None:
        """Remembers, unless the key is very long."""
        if len(key) > MAX_KEY_BYTES:
            return
        if len(self.known) >= self._entries or self._held > self._key_bytes:
            self.clear()
        self._held += len(key)
        self.known[key] = value

    def clear(self) -> None:
        """Forgets all; `known` stays the same dict."""
        self.known.clear()
        self._held = 0
