"""A message as it came → the one short line that masks and tokens are made of.

    anything ─▶ text ─▶ stack trace folded ─▶ structure taken apart ─▶ one line

A message is text from outside: it may be no text at all, a megabyte long, or hold lone
surrogates, NUL or colour codes. Nothing of that stops the run. A stack trace is the
line that says what happened and the top frames. A message that is a JSON object, or
`key=value` from end to end, is what it says: the text under `msg` or the like; where
there is none, its keys, with the values that name a kind of event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import re2

MAX_CHARS = 8192
STACK_LINES = 4

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_LINE_ENDS = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")

_PAIR = r'[A-Za-z_@][A-Za-z0-9_.@-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
_PAIRS = re2.compile(rf"\s*(?:{_PAIR}(?:[\s,]+|$)){{3,}}".encode())
_ONE_PAIR = re2.compile(f"({_PAIR})(?:[\\s,]+|$)".encode())

_TEXT_KEYS = ("message", "msg", "log", "text", "event", "error", "err")
_KIND_KEYS = frozenset(
    (
        *("action", "code", "event", "kind", "level", "lvl", "method", "name", "op"),
        *("operation", "outcome", "result", "severity", "state", "status", "type"),
    )
)
_PLAIN = re.compile(r"[^\W\d]+(?:[ ._-][^\W\d]+){0,3}")
_DEPTH = 4


def as_text(message: object) -> str:
    """Any message as text that UTF-8 can hold; None is the empty text."""
    if isinstance(message, bytes | bytearray):
        return bytes(message[: 4 * MAX_CHARS]).decode("utf-8", "replace")
    text = message if isinstance(message, str) else _shown(message)
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def reduce(text: str) -> str:
    """A text of `as_text` → one line without control characters."""
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    text = _take_apart(_fold(text))
    return _CONTROLS.sub(" ", text).strip()


def digits_matter(text: str) -> bool:
    """Whether two texts that differ in digits alone may reduce differently.

    JSON knows numbers that are none (`007`), so that only a parser can tell.
    """
    return text.lstrip().startswith("{")


def _shown(message: object) -> str:
    return "" if message is None else str(message)


def _fold(text: str) -> str:
    """The line that says what happened, and the frames on top of the stack."""
    if _LINE_ENDS.search(text) is None:
        return text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback (most recent"):
        lines.insert(0, lines.pop())
    return " ".join(lines[:STACK_LINES])


def _take_apart(text: str) -> str:
    found = _json_pairs(text) or _text_pairs(text)
    if found is None:
        return text
    pairs = dict(found)
    for key in _TEXT_KEYS:
        said = pairs.get(key)
        if said and not (key in _KIND_KEYS and _PLAIN.fullmatch(said)):
            return said
    return " ".join(f"{key}={_kept(key, value)}" for key, value in pairs.items())


def _kept(key: str, value: str) -> str:
    """A value that names a kind of event stays; any other is a value."""
    last = key.rpartition(".")[2].lower()
    return value if last in _KIND_KEYS and _PLAIN.fullmatch(value) else "<VALUE>"


def _json_pairs(text: str) -> list[tuple[str, str]] | None:
    if not (digits_matter(text) and text.rstrip().endswith("}")):
        return None
    try:
        body = orjson.loads(text)
    except ValueError:
        return None
    if not isinstance(body, dict) or not body:
        return None
    return list(_flat(body, "", _DEPTH))


def _flat(body: dict[str, object], above: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in body.items():
        if isinstance(value, dict) and value and depth:
            yield from _flat(value, f"{above}{key}.", depth - 1)
        else:
            yield above + key, value if isinstance(value, str) else ""


def _text_pairs(text: str) -> list[tuple[str, str]] | None:
    """`key=value` from end to end, three pairs or more; else None."""
    head = text.lstrip()[:64]
    equals = head.find("=")
    if equals < 1 or " " in head[:equals]:
        return None
    data = text.encode()
    if _PAIRS.fullmatch(data) is None:
        return None
    pairs = []
    for match in _ONE_PAIR.finditer(data):
        key, _, value = match.group(1).decode().partition("=")
        pairs.append((key, value.strip('"').replace('\\"', '"')))
    return pairs
