"""The fields that a KQL query names, and whether it can be read at all.

Enough of KQL for what dashboards hold: `field : value`, comparisons, and/or/not,
parentheses, quoted values. Source: the grammar in Kibana's documentation.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""\s+
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<sign><=|>=|[:<>])
    | (?P<bracket>[(){}])
    | (?P<word>(?:[^\s"():<>{}\\]|\\.)+)""",
    re.VERBOSE,
)
_CLOSING = {")": "(", "}": "{"}
_WORDS = {"and", "or", "not"}


def kql_fields(query: str) -> set[str]:
    """The fields it names, without those with a wildcard. Raises ValueError."""
    tokens = kql_tokens(query)
    fields = set()
    for i, (kind, token) in enumerate(tokens):
        if kind != "sign":
            continue
        before = tokens[i - 1] if i else ("", "")
        after = tokens[i + 1] if i + 1 < len(tokens) else ("", "")
        if before[0] not in {"word", "text"} or before[1].lower() in _WORDS:
            raise ValueError(f"nothing stands before {token}")
        if after[1] not in {"(", "{"} and after[0] not in {"word", "text"}:
            raise ValueError(f"nothing stands after {token}")
        field = before[1].strip('"').replace("\\", "")
        if "*" not in field:
            fields.add(field)
    _words_between(tokens)
    return fields


def kql_tokens(query: str) -> list[tuple[str, str]]:
    """(kind, text) of each: `text`, `sign`, `bracket`, `word`. Raises ValueError."""
    tokens, at, open_brackets = [], 0, []
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None:
            raise ValueError("a quotation mark is not closed")
        at = found.end()
        if found.lastgroup is None:
            continue
        token = found[0]
        tokens.append((found.lastgroup, token))
        if token in {"(", "{"}:
            open_brackets.append(token)
        elif token in _CLOSING and (
            not open_brackets or open_brackets.pop() != _CLOSING[token]
        ):
            raise ValueError(f"{token} closes nothing")
    if open_brackets:
        raise ValueError(f"{open_brackets[-1]} is not closed")
    return tokens


def _words_between(tokens: list[tuple[str, str]]) -> None:
    """`and` and `or` stand between two things."""
    for i, (kind, token) in enumerate(tokens):
        if kind == "word" and token.lower() in {"and", "or"}:
            first, last = i == 0, i + 1 == len(tokens)
            if first or last or tokens[i - 1][1] in {"(", "{"}:
                raise ValueError(f"{token} joins nothing")
