"""Typed masks: the parts of a message that vary, named by what they are.

One pass finds which masks match the message at all; those run in order, each over the
text that the ones before left. All of it on RE2: its time is linear in the length of
the text whatever the pattern, so that neither a hostile message nor a user's own mask
can make it stop. Patterns therefore have no look-around and no back references; a mask
that must leave the character before it alone captures it and puts it back (`lead`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import re2

from model.errors import MaskError

_LEAD = r"""(^|[\s"'=(\[{<,:;|])"""


@dataclass(frozen=True, slots=True)
class Mask:
    """One mask: `name` becomes the placeholder `<NAME>`; `pattern` is RE2 syntax.

    With `lead` the pattern's first group is the text before the value, which stays.
    """

    name: str
    pattern: str
    lead: bool = False


BUILT_IN: tuple[Mask, ...] = (
    Mask("UUID", r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),
    Mask("URL", r"""\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\])},]+"""),
    Mask("EMAIL", r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b"),
    Mask(
        "TIME",
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?"
        r"(?: ?(?:Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b))?",
    ),
    Mask("DATE", r"\b\d{4}[-/]\d\d[-/]\d\d\b|\b\d\d[/.]\d\d[/.]\d{4}\b"),
    Mask("MAC", r"\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b"),
    Mask("IPV6", r"\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}(?:%\w+)?\b|::1\b"),
    Mask("TIME", r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b"),
    Mask("IP", r"/?\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"),
    Mask("PATH", r"""\b[A-Za-z]:\\[^\s"'<>|]*"""),
    Mask("PATH", _LEAD + r"""~?/[^\s"'<>|,;:()\[\]{}]+""", lead=True),
    Mask("PATH", r"\b[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.$-]+){2,}"),
    Mask("HEX", r"\b0[xX][0-9a-fA-F]+\b"),
    Mask("ID", r"[A-Za-z_@#][A-Za-z0-9_.$@#-]*\d[A-Za-z0-9_.$@#-]*"),
    Mask("ID", r"\b\d[\d.-]*[A-Za-z_@#][A-Za-z0-9_.$@#-]*\d[A-Za-z0-9_.$@#-]*"),
    Mask("NUM", r"[-+]?\b\d+(?:[.,]\d+)*"),
)

_PROBES = ("connection closed by peer", "a b c", "服务 已 启动")


class Masker:
    """Applies masks to messages. Compiled once; raises MaskError for a bad mask."""

    def __init__(self, extra: Sequence[Mask] = ()) -> None:
        self.masks = (*extra, *BUILT_IN)
        self._steps: list[tuple[Callable[[str, str], str], str]] = []
        self._any = re2.Set.SearchSet(_options())
        for mask in self.masks:
            self._steps.append(_compile(mask))
            self._any.Add(mask.pattern)
        self._any.Compile()
        for mask, step in zip(extra, self._steps, strict=False):
            _refuse_greedy(mask, step)

    def __call__(self, text: str) -> str:
        """The text with every value replaced by its placeholder."""
        for number in sorted(self._any.Match(text) or ()):
            substitute, replacement = self._steps[number]
            text = substitute(replacement, text)
        return text

    def explain(self, text: str) -> list[tuple[str, str]]:
        """What each mask that changed the text made of it: [(mask name, text)]."""
        trail = []
        for number in sorted(self._any.Match(text) or ()):
            substitute, replacement = self._steps[number]
            after = substitute(replacement, text)
            if after != text:
                trail.append((self.masks[number].name, after))
            text = after
        return trail


def parse_masks(definitions: Iterable[str]) -> tuple[Mask, ...]:
    """`NAME=REGEX` from the command line → masks. Raises MaskError."""
    masks = []
    for definition in definitions:
        name, separator, pattern = definition.partition("=")
        if not (separator and pattern and name.isidentifier()):
            raise MaskError(
                f"mask {definition!r}: write it as NAME=REGEX, "
                "for example ORDER='ord-[a-z]+'"
            )
        masks.append(Mask(name.upper(), pattern))
    return tuple(masks)


def _compile(mask: Mask) -> tuple[Callable[[str, str], str], str]:
    try:
        pattern = re2.compile(mask.pattern, _options())
    except re2.error as error:
        raise MaskError(
            f"mask {mask.name}: {mask.pattern!r} does not compile ({_text(error)}); "
            "masks use RE2 syntax: no look-around, no back references"
        ) from error
    placeholder = f"<{mask.name}>"
    return pattern.sub, rf"\1{placeholder}" if mask.lead else placeholder


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def _refuse_greedy(mask: Mask, step: tuple[Callable[[str, str], str], str]) -> None:
    """A user's mask that eats whole messages, or nothing at all, is a mistake."""
    substitute, replacement = step
    if substitute(replacement, "") != "":
        raise MaskError(
            f"mask {mask.name}: {mask.pattern!r} matches the empty text; "
            "let it match at least one character"
        )
    if all(
        not substitute(replacement, probe).replace(replacement, "").strip()
        for probe in _PROBES
    ):
        raise MaskError(
            f"mask {mask.name}: {mask.pattern!r} hides whole messages; narrow it"
        )


def _text(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
