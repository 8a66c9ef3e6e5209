"""Texts with private values replaced by placeholders, `<email:3f2a9c0d1b2e>`.

Equal values get equal placeholders, so that a reader still sees that two lines speak
of the same person. The digits are a keyed digest: who has no key cannot try all values
to find the one. Masking what was masked changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence

from elkwatch.config import MaskSettings
from elkwatch.privacy.tokens import tokens
from elkwatch.privacy.values import Find, Span, cards, emails, ip_addresses, matches

Mask = Callable[[str], str]

# What hides the most of a text comes first: an address with a password is that.
_BUILT_IN: dict[str, Find] = {
    "token": tokens,
    "email": emails,
    "card": cards,
    "ip": ip_addresses,
}
# A placeholder ends words, so a second look may find what it stood beside.
_ROUNDS = 6
_BLANK = "\ue000"  # stands for a placeholder while others are looked for
_DIGEST_BYTES = 6
_PROCESS_KEY = secrets.token_bytes(16)
_TEMPLATE_MARKS = re.compile(r"(?:<[A-Z*_]+>|\W|_)+")


class Masker:
    """Masks what the settings name; without any, it changes nothing.

    `key`: of the digests; by default one of this process, kept nowhere. `keep`: values
    that are no secret here.
    """

    def __init__(
        self,
        settings: Sequence[MaskSettings],
        key: bytes | None = None,
        keep: Iterable[str] = (),
    ) -> None:
        self._key = key or _PROCESS_KEY
        self._keep = frozenset(keep)
        self._kinds = _kinds(settings)
        names = "|".join(re.escape(name) for name, _ in self._kinds)
        digits = 2 * _DIGEST_BYTES
        self._placeholder = re.compile(rf"<(?:{names}):[0-9a-f]{{{digits}}}>")

    def __call__(self, text: str) -> str:
        """The text, masked. Valid Unicode, whatever it was; in linear time."""
        if not self._kinds:
            return text
        text = _valid(text)
        for _ in range(_ROUNDS):
            masked = self._once(text)
            if masked == text:
                break
            text = masked
        return text

    def unnumbered(self, text: str) -> str:
        """The same with `<email>` alone: names that do not tell values apart."""
        return self._placeholder.sub(lambda m: m[0].partition(":")[0] + ">", self(text))

    def values(self, text: str) -> set[str]:
        """The private values that a text holds."""
        return {text[s.start : s.end] for s in self._spans(_valid(text)) if s.name}

    def _once(self, text: str) -> str:
        pieces, at = [], 0
        for span in self._spans(text):
            value = text[span.start : span.end]
            if not span.name or value in self._keep:
                continue
            pieces += [text[at : span.start], self._placeholder_of(span)]
            at = span.end
        return "".join([*pieces, text[at:]]) if pieces else text

    def _spans(self, text: str) -> list[Span]:
        """Everything to hide, and the placeholders that are there (without a name)."""
        found = [
            Span(m.start(), m.end(), "", "") for m in self._placeholder.finditer(text)
        ]
        blank = self._placeholder.sub(lambda m: _BLANK * len(m[0]), text)
        for name, find in self._kinds:
            named = (span.named(name) for span in find(blank))
            found = list(_united(blank, found, named))
        return found

    def _placeholder_of(self, span: Span) -> str:
        digest = hashlib.blake2b(
            span.value.encode(), key=self._key, digest_size=_DIGEST_BYTES
        )
        return f"<{span.name}:{digest.hexdigest()}>"


def masking(
    settings: Sequence[MaskSettings],
    key: bytes | None = None,
    keep: Iterable[str] = (),
) -> Masker:
    """A function that masks; see Masker."""
    return Masker(settings, key, keep)


def _kinds(settings: Sequence[MaskSettings]) -> list[tuple[str, Find]]:
    """Users' own first, as they stand, then the built-in ones in their order."""
    own = [(s.name, matches(s.pattern)) for s in settings if s.pattern is not None]
    asked = {s.name for s in settings if s.pattern is None}
    return own + [(name, find) for name, find in _BUILT_IN.items() if name in asked]


def _united(text: str, taken: Sequence[Span], new: Iterable[Span]) -> Iterator[Span]:
    """Both, in order and without overlap: what is taken stays, the rest is added."""
    waiting, end = iter(taken), 0
    nearest = next(waiting, None)
    for span in new:
        while nearest is not None and nearest.start < span.end:
            yield from _rest(text, span, end, nearest.start)
            yield nearest
            end, nearest = nearest.end, next(waiting, None)
        yield from _rest(text, span, end, span.end)
        end = max(end, span.end)
    if nearest is not None:
        yield nearest
    yield from waiting


def _rest(text: str, span: Span, start: int, end: int) -> Iterator[Span]:
    """What of a span lies in [start, end), where that is anything at all."""
    start, end = max(start, span.start), min(end, span.end)
    if start >= end:
        return
    whole = start == span.start and end == span.end
    value = text[start:end]
    if _TEMPLATE_MARKS.fullmatch(value):
        return
    if not whole and span.name == "email" and value.startswith("@"):
        return  # the host of an address whose user and password are hidden
    yield Span(start, end, span.value if whole else value, span.name)


def _valid(text: str) -> str:
    """Half characters replaced; they cannot be stored, nor be matched."""
    return text.encode("utf-8", "replace").decode()
