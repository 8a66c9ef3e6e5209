"""Where passwords, tokens and keys stand in a text.

Known by what stands before them (`Bearer`, `password=`, `://user:…@`) or by their own
shape (JSON Web Tokens, keys of clouds, private keys). What stands before them is left:
`password=<token:3f2a9c0d1b2e>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from elkwatch.privacy.values import Span, compiled

_NAMES = (
    r"(?i)(?:pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|authorization"
    r"|(?:api|access|account|private|shared|secret|signing|encryption)[ _.-]?key"
    r"(?:[_.-]?id)?|x-api-key|signature|\bsig|\bpass|\bauth)"
)
_NAMED = compiled(_NAMES + r"""\\*["']?\]?[ \t]*(?:=>|:=|[=:])[ \t]*""")
# Its value: in quotes, in quotes of a quoted text, or up to what ends it. Possessive:
# nothing is ever tried twice.
_VALUE = re.compile(
    r"""(?i:(?:bearer|basic|digest|negotiate|apikey|token)[ \t]+)?(?:"""
    r""""((?:[^"\\]|\\.)++)"""
    r"""|\\+"((?:[^"\\]|\\++[^"\\])++)"""
    r"""|'((?:[^'\\]|\\.)++)"""
    r"""|((?:<[A-Z*_]+>|[^\s,;&"'\\<]|[,;&](?!\s|$|[\w.\[\]-]++[=:])"""
    r"""|\\++(?!["'])|\\*+["'](?!\s|$|[,;:&)}\]>\\])|<(?![a-zA-Z/*]))++))""",
    re.DOTALL,
)
_PLAIN = 4  # the group of a value without quotes
_MARK_AT_END = re.compile(r"<[A-Z*_]+>\Z")  # of a log template
_CLOSING = "\"'`)]}>.,;:!?"
_NOTHING = frozenset({"null", "none", "nil", "true", "false", "undefined", "empty"})

_SCHEME = compiled(
    r"(?i)\b(bearer|basic|digest|negotiate|apikey|token)[ \t]+"
    r"([0-9A-Za-z._~+/=-]{8,})"
)
_WORD = re.compile(r"[A-Za-z]?[a-z]+")
_SAID_OF_BEARERS = {
    *("authentication", "authorization", "certificate", "certificates", "credentials"),
}

_SHAPE = compiled(
    r"-----BEGIN [0-9A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)"
    r"(?:-----END [0-9A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z)"
    r"|eyJ[0-9A-Za-z_-]{5,}\.[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]*)*"  # JSON Web Token
    r"|(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|AROA)[0-9A-Z]{16}"  # AWS
    r"|gh[pousr]_[0-9A-Za-z]{12,}|github_pat_[0-9A-Za-z_]{12,}|glpat-[0-9A-Za-z_-]{12,}"
    r"|xox[a-z]-[0-9A-Za-z-]{8,}|xapp-[0-9A-Za-z-]{8,}"  # Slack
    r"|hooks\.slack\.com/services/[0-9A-Za-z/_-]+"
    r"|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{12,}"  # Google
    r"|[rs]k_(?:live|test)_[0-9A-Za-z]{12,}|whsec_[0-9A-Za-z+/=]{12,}"  # Stripe, hooks
    r"|sk-[0-9A-Za-z_-]{12,}|npm_[0-9A-Za-z]{12,}|pypi-[0-9A-Za-z_-]{12,}"
    r"|SG\.[0-9A-Za-z_-]{12,}\.[0-9A-Za-z_-]{12,}"
    r"|[0-9]{8,10}:AA[0-9A-Za-z_-]{30,}"  # Telegram
)
_USER_INFO = compiled(
    r"""(?i)[a-z][0-9a-z+.-]*://([^\s/?#"'<>\\]+)@"""
    r"""|\b([0-9a-z_.-]+:[^\s/@]+)@(?:tcp|unix)\("""
)
_COOKIE = compiled(r"""(?i)cookie["']?[ \t]*:[ \t]*["']?([^\s;,"'=]+=[^\r\n"]+)""")


def tokens(text: str) -> Iterator[Span]:
    """Every password, token and key, in order."""
    found = [*_by_shape(text), *_user_info(text), *_cookies(text)]
    found += [*_named(text), *_schemes(text)]
    end = 0
    for span in sorted(found, key=lambda s: (s.start, -s.end)):
        start = max(span.start, end)
        if start < span.end:
            whole = start == span.start
            value = span.value if whole else text[start : span.end]
            yield Span(start, span.end, value)
            end = span.end


def _named(text: str) -> Iterator[Span]:
    end = 0
    for named in _NAMED.finditer(text):
        if named.start() < end:
            continue  # within the value of the one before
        match = _VALUE.match(text, named.end())
        if match is None or match.lastindex is None:
            continue
        start, end = match.span(match.lastindex)
        value = text[start:end]
        if match.lastindex == _PLAIN:
            value = value if _MARK_AT_END.search(value) else value.rstrip(_CLOSING)
        if value.lower() not in _NOTHING and any(c.isalnum() for c in value):
            yield Span(start, start + len(value), value)


def _group(match: re2._Match) -> int:
    """The number of the group that took part; one of two does."""
    return 1 if match.span(1) != (-1, -1) else 2


def _schemes(text: str) -> Iterator[Span]:
    for match in _SCHEME.finditer(text):
        start, end = match.span(2)
        value = text[start:end].rstrip(".")
        bare = match.group(1).lower() == "bearer"
        prose = value.lower() in _SAID_OF_BEARERS if bare else _WORD.fullmatch(value)
        if not prose:
            yield Span(start, start + len(value), value)


def _by_shape(text: str) -> Iterator[Span]:
    for match in _SHAPE.finditer(text):
        start, end = match.span()
        yield Span(start, end, text[start:end])


def _user_info(text: str) -> Iterator[Span]:
    for match in _USER_INFO.finditer(text):
        start, end = match.span(_group(match))
        yield Span(start, end, text[start:end])


def _cookies(text: str) -> Iterator[Span]:
    for match in _COOKIE.finditer(text):
        start, end = match.span(1)
        yield Span(start, end, text[start:end])
