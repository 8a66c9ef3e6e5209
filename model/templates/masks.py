"""Typed masks: the parts of a message that vary, named by what they are.

The masks run in order, each over the text that the ones before left. All of it on RE2:
its time is linear in the length of the text whatever the pattern, so that neither a
hostile message nor a user's own mask can make it stop. Patterns therefore have no
look-around and no back references; a mask that must leave the text before a value alone
captures it (`lead`).

Built-in masks treat all digits alike, so that what they leave of a message depends on
its shape only (shapes.py). The last two swallow every word with a digit: a number that
no mask names is a value all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from model.errors import MaskError

_ALONE = r"(^|[^A-Za-z0-9_.~$@#-])"
_WORD = r"[A-Za-z0-9_.$@#~-]*"
_UNIT = (
    "(?:nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|"
    "[num]?secs?|mins?|hrs?|[num]?s|bytes?|[kKMGT]i?[bB]|B)"
)
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"


@dataclass(frozen=True, slots=True)
class Mask:
    """One mask: `name` becomes the placeholder `<NAME>`; `pattern` is RE2 syntax.

    With `lead` the pattern's first group is the text before the value, which stays.
    `needs`: the mask can only match where one of these characters is; "0" stands for
    any digit, nothing for anywhere. It saves time, never changes what matches.
    """

    name: str
    pattern: str
    lead: bool = False
    needs: str = ""


BUILT_IN: tuple[Mask, ...] = (
    Mask("STR", r'([A-Za-z_]=)"[^"]*"', lead=True, needs='"'),
    Mask(
        "UUID", r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", needs="-"
    ),
    Mask("URL", r"""\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\])},]+""", needs="/"),
    Mask(
        "PATH",
        r"""\b[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+/[^\s"'<>|,;()\[\]{}]+""",
        needs="/",
    ),
    Mask(
        "EMAIL", r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b", needs="@"
    ),
    Mask(
        "TIME",
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?"
        r"(?: ?(?:Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b))?",
        needs="-",
    ),
    Mask(
        "TIME",
        rf"\b(?:{_DAY},? +)?{_MONTH} +\d{{1,2}}(?:,? \d{{4}})? \d\d:\d\d:\d\d"
        r"(?: [A-Z]{3,4}\b)?(?: \d{4}\b)?",
        needs=":",
    ),
    Mask(
        "TIME",
        rf"\b(?:{_DAY},? +)?\d{{1,2}}[ /-]{_MONTH}[ /-]\d{{4}}"
        r"(?:[ :]\d\d:\d\d:\d\d(?: [+-]\d{4}| [A-Z]{3,4}\b)?)?",
        needs="0",
    ),
    Mask("DATE", r"\b\d{4}[-/]\d\d[-/]\d\d\b|\b\d\d[/.]\d\d[/.]\d{4}\b", needs="0"),
    Mask("MAC", r"\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b", needs=":-"),
    Mask(
        "IP",
        r"\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}(?:%[A-Za-z0-9_]+)?\b|"
        r"\b[a-fA-F]{0,3}\d[0-9a-fA-F]{0,3}::[0-9a-fA-F]{1,4}(?:%[A-Za-z0-9_]+)?\b|"
        r"::\d\b",
        needs=":",
    ),
    Mask(
        "TIME",
        r"(^|[^A-Za-z0-9_.~$@#:-])\d{1,2}(?::\d\d){1,2}(?:[.,]\d+)?\b",
        lead=True,
        needs=":",
    ),
    Mask(
        "IP",
        _ALONE + r"(?:[A-Za-z0-9.-]*/)?\d{1,3}(?:\.\d{1,3}){3}"
        r"(?:[.-][A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?\b",
        lead=True,
        needs="0",
    ),
    Mask("PATH", r"""(?:\b[A-Za-z]:|\\\\[?.A-Za-z])\\[^\s"'<>|]*""", needs="\\"),
    Mask(
        "PATH",
        r"""(^|[\s"'=(\[{<,:;|])~?/[^\s"'<>|,;:()\[\]{}]+""",
        lead=True,
        needs="/",
    ),
    Mask("PATH", r"\b[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.$-]+){2,}", needs="/"),
    Mask(
        "HOST",
        r"\b[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
        r"\.[A-Za-z][A-Za-z0-9_-]*:\d{1,5}\b",
        needs=":",
    ),
    Mask(
        "NUM",
        _ALONE + r"\d[0-9a-fA-F]*(?::\d[0-9a-fA-F]*)+(?:\.\d+)?\b",
        lead=True,
        needs=":",
    ),
    Mask("HEX", _ALONE + r"\d[xX][0-9a-fA-F]+\b", lead=True, needs="0"),
    Mask("NUM", rf"{_ALONE}[-+]?\d+(?:\.\d+)*{_UNIT}\b", lead=True, needs="0"),
    Mask(
        "ID",
        rf"{_ALONE}\d[\d.-]*[A-Za-z_@#$~](?:{_WORD}[A-Za-z0-9_$#])?",
        lead=True,
        needs="0",
    ),
    Mask("ID", rf"[A-Za-z_@#$]{_WORD}\d(?:{_WORD}[A-Za-z0-9_$#])?", needs="0"),
    Mask("ID", rf"\b\d[\d.-]*[A-Za-z_@#$~](?:{_WORD}[A-Za-z0-9_$#])?", needs="0"),
    Mask("NUM", rf"<?[-+]?\b\d+(?:[.,]\d+)*(?: ?%| ?{_UNIT}\b)?", needs="0"),
    Mask("OBJ", r"([A-Za-z_]=)[A-Za-z][A-Za-z0-9_]*\{[^{}]*\}", lead=True, needs="{"),
    Mask("HEX", r"\b(?:[a-f]{8,}|[A-F]{8,})\b"),
)

_PROBES = ("connection closed by peer", "a b c", "服务 已 启动")


@dataclass(frozen=True, slots=True)
class _Step:
    mask: Mask
    regex: Any
    placeholder: bytes

    def __call__(self, text: bytes) -> bytes:
        """The text with every match replaced."""
        pieces, end = [], 0
        lead = self.mask.lead
        for match in self.regex.finditer(text):
            pieces.append(text[end : match.end(1) if lead else match.start()])
            pieces.append(self.placeholder)
            end = match.end()
        if not pieces:
            return text
        pieces.append(text[end:])
        return b"".join(pieces)


class Masker:
    """Applies masks to messages. Compiled once; raises MaskError for a bad mask.

    `digest` names the masks and their order: templates are only comparable where it
    is the same.
    """

    def __init__(self, extra: Sequence[Mask] = ()) -> None:
        self.masks = (*extra, *BUILT_IN)
        self._steps = [_compile(mask) for mask in self.masks]
        for step in self._steps[: len(extra)]:
            _refuse_greedy(step)
        described = [[m.name, m.pattern, m.lead] for m in self.masks]
        self.digest = hashlib.sha256(repr(described).encode()).hexdigest()[:16]

    def __call__(self, text: str) -> str:
        """The text with every value replaced by its placeholder."""
        data = text.encode()
        kinds = _kinds_in(data)
        for step in self._steps:
            needs = step.mask.needs
            if not needs or any(kind in kinds for kind in needs):
                data = step(data)
        return data.decode()

    def explain(self, text: str) -> list[tuple[str, str]]:
        """What each mask that changed the text made of it: [(mask name, text)]."""
        trail = []
        data = text.encode()
        for step in self._steps:
            after = step(data)
            if after != data:
                trail.append((step.mask.name, after.decode()))
            data = after
        return trail


_NEEDED = frozenset("".join(mask.needs for mask in BUILT_IN)) - {"0"}
_NO_DIGITS = bytes.maketrans(b"", b"")


def _kinds_in(data: bytes) -> set[str]:
    """Which of the characters that masks need are there; "0" for any digit."""
    kinds = {kind for kind in _NEEDED if kind.encode() in data}
    if len(data.translate(_NO_DIGITS, b"0123456789")) < len(data):
        kinds.add("0")
    return kinds


def parse_masks(definitions: Iterable[str]) -> tuple[Mask, ...]:
    """`NAME=REGEX` from the command line → masks. Raises MaskError."""
    masks = []
    for definition in definitions:
        name, separator, pattern = definition.partition("=")
        if not (separator and pattern and name.isascii() and name.isidentifier()):
            raise MaskError(
                f"mask {definition!r}: write it as NAME=REGEX, "
                "for example ORDER='ord-[a-z]+'"
            )
        masks.append(Mask(name.upper(), pattern))
    return tuple(masks)


def _compile(mask: Mask) -> _Step:
    try:
        regex = re2.compile(mask.pattern.encode(), _options())
    except (re2.error, UnicodeEncodeError) as error:
        raise MaskError(
            f"mask {mask.name}: {mask.pattern!r} does not compile ({_text(error)}); "
            "masks use RE2 syntax: no look-around, no back references"
        ) from error
    return _Step(mask, regex, f"<{mask.name}>".encode())


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def _refuse_greedy(step: _Step) -> None:
    """A user's mask that eats whole messages, or nothing at all, is a mistake."""
    mask = step.mask
    if step.regex.search(b"") is not None:
        raise MaskError(
            f"mask {mask.name}: {mask.pattern!r} matches the empty text; "
            "let it match at least one character"
        )
    if all(
        not step(probe.encode()).replace(step.placeholder, b"").strip()
        for probe in _PROBES
    ):
        raise MaskError(
            f"mask {mask.name}: {mask.pattern!r} hides whole messages; narrow it"
        )


def _text(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
