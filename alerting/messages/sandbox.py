"""The Jinja2 environment of messages: sandboxed, strict, bounded.

The sandbox keeps a message file away from Python; the bounds keep it from running on
for ever or filling the memory. They are meant for accidents: whoever may write message
files is an operator, not an enemy.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Any, Final

from jinja2 import BaseLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from alerting.messages.clean import clean

MAX_OUTPUT: Final = 400_000
MAX_STEPS: Final = 20_000

_GREEDY_GLOBALS = ("lipsum", "cycler", "joiner", "namespace")
_GREEDY_FILTERS = ("center", "indent", "format", "batch", "slice")
_GREEDY_METHODS = frozenset(("center", "expandtabs", "ljust", "rjust", "zfill"))


class TooMuchError(Exception):
    """A message file wants more steps, output, time or memory than it may have."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Also refuses what turns a short template into gigabytes."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not numbers or (operator == "**" and abs(right) > 64):
            raise TooMuchError(f"'{operator}' is for small numbers only in messages")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if super().wrap_str_format(value) is not None:
            raise TooMuchError("format() is not for messages, its widths have no end")
        return None

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr in _GREEDY_METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)


def environment(loader: BaseLoader) -> Sandbox:
    """HTML is escaped where the file's name says ``.html.``; text is only cleaned."""
    made = Sandbox(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and ".html." in name,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in _GREEDY_GLOBALS:
        made.globals.pop(name, None)
    for name in _GREEDY_FILTERS:
        made.filters.pop(name, None)
    made.filters["quoted"] = _quoted
    made.filters["wrapped"] = _wrapped
    return made


def generate(
    sandbox: Sandbox, name: str, facts: Mapping[str, Any], seconds: float | None
) -> str:
    """That message file with these facts. Raises whatever it provokes, TooMuchError.

    seconds: how long it may take (checked between its pieces of output).
    """
    steps = 0
    ends = None if seconds is None else monotonic() + seconds

    def counted_range(*args: int) -> range:
        nonlocal steps
        numbers = range(*args)
        steps += len(numbers)
        if steps > MAX_STEPS:
            raise TooMuchError(f"loops over more than {MAX_STEPS:,} steps")
        return numbers

    def limited(pieces: Iterator[str]) -> Iterator[str]:
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > MAX_OUTPUT:
                raise TooMuchError(f"puts out more than {MAX_OUTPUT:,} characters")
            if ends is not None and monotonic() > ends:
                raise TooMuchError(f"takes longer than {seconds:g} s")
            yield piece

    template = sandbox.get_template(name)
    pieces = template.generate({**facts, "range": counted_range})
    return "".join(limited(pieces))


def _finalize(value: Any) -> Any:
    """Strips control characters from whatever is printed."""
    if value is None:
        return ""
    if isinstance(value, Markup):
        return Markup(clean(value))
    return clean(value) if isinstance(value, str) else value


def _quoted(text: str, mark: str = "  | ") -> str:
    """Every line behind a mark, so that log text cannot pass for ours."""
    return "\n".join(mark + line for line in clean(text).split("\n"))


def _wrapped(text: str, indent: str = "  ", width: int = 76) -> str:
    """Paragraphs folded at spaces to ``width``, each line behind ``indent``."""
    lines: list[str] = []
    for paragraph in clean(text).split("\n"):
        lines += textwrap.wrap(
            paragraph,
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)
