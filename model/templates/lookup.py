"""Messages → what is known of their shape; only what is new is masked.

    page ─▶ keys ─▶ known? ─▶ values
                      └─ no ─▶ text ─▶ one line ─▶ masks ─▶ make(masked) ─▶ remembered

`make` must depend on the masked text alone. What it gives for a shape holds as long as
the lookup does. A message that is long, or JSON, is known by the line that it reduces
to; one whose masked text still holds a digit is made anew every time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from model.templates.masks import Mask, Masker
from model.templates.reduction import MAX_CHARS, as_text, digits_matter, reduce
from model.templates.shapes import MAX_KEY_BYTES, Bounded, Shapes

V = TypeVar("V")

_DIGIT = re.compile(r"[0-9]")
_PLACEHOLDERS = re.compile(r"<[A-Z_][A-Z0-9_]*>")
_REDUCED = b"\0"


@dataclass(slots=True)
class OddMessages:
    """Messages that were taken, but not as they came."""

    not_text: int = 0
    too_long: int = 0
    bad_unicode: int = 0


class Lookup(Generic[V]):
    """Pages of messages → values, one a message; one page at a time."""

    def __init__(
        self, masks: Sequence[Mask], make: Callable[[str], V], entries: int
    ) -> None:
        self.masker = Masker(masks)
        self.odd = OddMessages()
        self._make = make
        self._shapes = Shapes(masks)
        self._cache: Bounded[V] = Bounded(entries)
        self._one_page = Lock()

    def page(self, messages: Sequence[object]) -> list[V]:
        """The values of a page of messages, in order; takes any object as a message."""
        with self._one_page:
            return self._page(messages)

    def _page(self, messages: Sequence[object]) -> list[V]:
        keys = self._shapes.keys(messages)
        if keys is None:
            return [self._odd_one(message) for message in messages]
        get = self._cache.known.get
        found = list(map(get, keys))
        if None not in found:
            return found  # type: ignore[return-value]
        return [
            self._one(messages[place], keys[place]) if value is None else value
            for place, value in enumerate(found)
        ]

    def masked(self, message: object) -> str:
        """What the masks leave of a message: one line."""
        return self.masker(reduce(as_text(message)))

    def explain(self, message: object) -> list[tuple[str, str]]:
        """What each step that changed a message made of it: [(step, text)]."""
        text = as_text(message)
        reduced = reduce(text)
        steps = [("one line", reduced)] if reduced != text else []
        return steps + self.masker.explain(reduced)

    def _odd_one(self, message: object) -> V:
        text = as_text(message)
        if not isinstance(message, str):
            self.odd.not_text += 1
        elif text != message[:MAX_CHARS]:
            self.odd.bad_unicode += 1
        return self._one(message, self._shapes.key(text))

    def _one(self, message: object, key: bytes) -> V:
        """One message whose shape may be new."""
        value = self._cache.known.get(key)
        if value is not None:
            return value
        if isinstance(message, str) and len(message) > MAX_CHARS:
            self.odd.too_long += 1
        text = as_text(message)
        if len(key) > MAX_KEY_BYTES or digits_matter(text):
            key = _REDUCED + self._shapes.key(reduce(text))
        key = self._shapes.broader(key)
        value = self._cache.known.get(key)
        if value is not None:
            return value
        masked = self.masker(reduce(text))
        value = self._make(masked)
        if self._holds_for_all(masked):
            self._cache.put(key, value)
        return value

    def _holds_for_all(self, masked: str) -> bool:
        """Whether all messages of a shape are masked like this one."""
        return (
            not self._shapes.alike
            or _DIGIT.search(_PLACEHOLDERS.sub("", masked)) is None
        )
