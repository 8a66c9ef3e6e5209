"""Where emails, network addresses, cards and users' patterns stand in a text.

A finder takes a text and gives spans in order, without overlap. All patterns are RE2's:
linear in the text, whatever it is. What a pattern cannot decide (is this run of digits
a card?) is decided on the run it found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import re2

_MAX_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """A private value: text[start:end]. `value` is the same for equal values."""

    start: int
    end: int
    value: str
    name: str = ""

    def named(self, name: str) -> Span:
        """The same span, found by the mask of this name."""
        return replace(self, name=name)


Find = Callable[[str], Iterator[Span]]


def compiled(pattern: str) -> re2._Regexp:
    """The pattern, compiled without a word on standard error."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    return re2.compile(pattern, options)


def matches(pattern: str) -> Find:
    """A finder of whatever a user's pattern matches."""
    expression = compiled(pattern)

    def find(text: str) -> Iterator[Span]:
        for match in expression.finditer(text):
            start, end = match.span()
            if start < end:
                yield Span(start, end, text[start:end])

    return find


_EMAIL = compiled(
    r"[0-9A-Za-z\p{Latin}._%+'-]*[0-9A-Za-z\p{Latin}_+-](?:@|%40)"
    r"(?:[0-9A-Za-z\p{Latin}-]+\.)+(?:xn--[0-9A-Za-z-]+|[A-Za-z\p{Latin}]{2,})"
)


def emails(text: str) -> Iterator[Span]:
    """Addresses of mail, also with `%40`."""
    for match in _EMAIL.finditer(text):
        start, end = match.span()
        yield Span(start, end, text[start:end].lower())


_DOTTED = compiled(r"[0-9]+(?:\.[0-9]+)+")
_DASHED = compiled(r"(?i)\bip-[0-9]{1,3}(?:-[0-9]{1,3}){3}\b")
_COLONS = compiled(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_LONGEST_V6 = 64
_ZONE = re.compile(r"%[0-9A-Za-z._~-]+")


def ip_addresses(text: str) -> Iterator[Span]:
    """IPv4 and IPv6 addresses, in all forms that name one; no times, no versions."""
    found = [*_v6(text), *_v4(text)]
    end = 0
    for span in sorted(found, key=lambda s: (s.start, -s.end)):
        if span.start >= end:  # an IPv4 address may end one of IPv6
            yield span
            end = span.end


def _v4(text: str) -> Iterator[Span]:
    for match in _DOTTED.finditer(text):
        start, end = match.span()
        parts = text[start:end].split(".")
        # `v1.2.3.4` is a version; five parts are no address.
        if len(parts) != 4 or text[max(0, start - 1) : start] in {"v", "V"}:
            continue
        if all(len(p) <= 3 and int(p) <= 255 for p in parts):
            yield Span(start, end, ".".join(str(int(p)) for p in parts))
    for match in _DASHED.finditer(text):  # ip-10-0-0-1, as clouds name their hosts
        start, end = match.span()
        yield Span(start + 3, end, text[start + 3 : end].replace("-", "."))


def _v6(text: str) -> Iterator[Span]:
    for match in _COLONS.finditer(text):
        found = _v6_within(text, *match.span())
        if found is None:
            continue
        start, end, address = found
        zone = _ZONE.match(text, end)
        yield Span(start, end if zone is None else zone.end(), address)


def _v6_within(text: str, start: int, end: int) -> tuple[int, int, str] | None:
    """Start, end and canonical form of the address in a run of its characters.

    The run may also hold the end of a word before it (`src:`) or a port after it.
    """
    if end - start > _LONGEST_V6:  # a dump of bytes
        return None
    while text[end - 1] == "." or (text[end - 1] == ":" and text[end - 2] != ":"):
        end -= 1
    alone = text[start] == ":" and text[start : start + 2] != "::"
    start += alone or text[start : start + 3] == ":::"
    first, last = text.find(":", start, end) + 1, text.rfind(":", start, end)
    for at, to in ((start, end), (start, last), (first, end)):
        candidate = text[at:to]
        if not _telling(candidate) or _beside_a_word(text, at, to):
            continue
        try:
            return at, to, str(ipaddress.IPv6Address(candidate))
        except ValueError:
            continue
    return None


def _telling(candidate: str) -> bool:
    """Whether it says more than `::` or `a::b`, which programs write as names."""
    groups = [group for group in candidate.split(":") if group]
    return candidate.count(":") > 1 and (
        len(groups) > 2 or any(c.isdigit() for c in candidate)
    )


def _beside_a_word(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    return any((c.isalnum() and c.isascii()) or c == "_" for c in (before, after) if c)


_DIGITS = compiled(r"[0-9](?:[ -]?[0-9]){12,}")
_GROUP = re.compile(r"[0-9]+")
_LONGEST_CARD = 19
_OTHER_FORMS = ((4, 6, 5), (4, 6, 4), (6, 13))
_ISSUERS = re.compile(
    r"4(?:.{12}|.{15}|.{18})"  # Visa
    r"|(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720).*"  # Mastercard
    r"|3[47].{13}|3(?:0[0-5]|[689]).{11,}"  # American Express, Diners
    r"|(?:35(?:2[89]|[3-8])|50|5[6-8]|6).*"  # JCB, Maestro, Discover, UnionPay
)


def cards(text: str) -> Iterator[Span]:
    """Numbers of payment cards, whole or in groups, whose check digit is right."""
    for match in _DIGITS.finditer(text):
        start = match.start()
        groups = [(g.start() + start, g.end() + start) for g in _groups(match)]
        at = 0
        while at < len(groups):
            taken = _card_groups(text, groups, at)
            if taken:
                begin, stop = groups[at][0], groups[at + taken - 1][1]
                digits = _GROUP.findall(text[begin:stop])
                yield Span(begin, stop, "".join(digits))
            at += max(taken, 1)


def _groups(match: re2._Match) -> Iterator[re.Match[str]]:
    return _GROUP.finditer(match.group())


def _card_groups(text: str, groups: list[tuple[int, int]], at: int) -> int:
    """How many of the groups from there on are one card; 0: none."""
    if _part_of_a_name(text, groups[at][0]):
        return 0
    sizes: list[int] = []
    for start, end in groups[at : at + _LONGEST_CARD]:
        sizes.append(end - start)
        if sum(sizes) > _LONGEST_CARD or not _grouped_as_cards(sizes):
            break
        digits = "".join(_GROUP.findall(text[groups[at][0] : end]))
        if _is_card(digits) and text[end : end + 1] != "_":
            return len(sizes)
    return 0


def _part_of_a_name(text: str, start: int) -> bool:
    """`blk_4…`, `blk_-4…` and the digits after a decimal point are no cards."""
    before = text[max(0, start - 2) : start]
    last = before[-1:]
    if (last.isascii() and last.isalpha()) or last == "_" or before == "_-":
        return True
    return last in {".", ","} and before[:1].isdigit()


def _grouped_as_cards(sizes: list[int]) -> bool:
    """Whether a card's number may begin with groups of these sizes."""
    if len(sizes) == 1 or (all(size == 4 for size in sizes[:-1]) and sizes[-1] <= 4):
        return True
    return any(tuple(sizes) == form[: len(sizes)] for form in _OTHER_FORMS)


def _is_card(digits: str) -> bool:
    return (
        12 < len(digits) <= _LONGEST_CARD
        and _ISSUERS.fullmatch(digits) is not None
        and _passes_luhn(digits)
    )


def _passes_luhn(digits: str) -> bool:
    """Whether the digits of a number have the check digit of a payment card."""
    doubled = (
        d if i % 2 == 0 else sum(divmod(2 * d, 10))
        for i, d in enumerate(map(int, reversed(digits)))
    )
    return sum(doubled) % 10 == 0
