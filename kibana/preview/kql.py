"""KQL → the query that Kibana sends to Elasticsearch for it.

`field : value`, lists of values in parentheses, `*` and wildcards, comparisons,
and/or/not, parentheses. `and` binds closer than `or`. Source: Kibana's documentation of
the Kibana Query Language, and what its translation makes of each form.
"""

from __future__ import annotations

import re
from typing import Any

from kibana.check.kql import kql_fields, kql_tokens

Query = dict[str, Any]

_COMPARISONS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_WILDCARD = re.compile(r"(?<!\\)\*")
_RESERVED = re.compile(r'([+\-=&|><!(){}\[\]^"~?:\\/ ])')


def kql_query(text: str) -> Query:
    """The query; an empty text takes everything. Raises ValueError."""
    kql_fields(text)
    if not text.strip():
        return {"match_all": {}}
    reader = _Reader(kql_tokens(text))
    query = reader.either()
    reader.end()
    return query


class _Reader:
    """Reads the tokens from left to right, one method for each rule of the grammar."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            raise ValueError(f"KQL: {self._tokens[self._at][1]} stands where none can")

    def either(self) -> Query:
        """Parts joined by `or`."""
        parts = [self._all()]
        while self._take("word", "or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _any_of(parts)

    def _all(self) -> Query:
        parts = [self._one()]
        while self._take("word", "and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}

    def _one(self) -> Query:
        if self._take("word", "not"):
            return {"bool": {"must_not": [self._one()]}}
        if self._take("bracket", "("):
            inner = self.either()
            self._need(")")
            return inner
        kind, token = self._next()
        if self._take("sign", ":"):
            return self._values(_plain(token))
        for sign, operator in _COMPARISONS.items():
            if self._take("sign", sign):
                bound = _plain(self._next()[1])
                return {"range": {_plain(token): {operator: bound}}}
        if kind == "word" and token == "*":
            return {"match_all": {}}
        how = "phrase" if kind == "text" else "best_fields"
        return {"multi_match": {"query": _plain(token), "type": how, "lenient": True}}

    def _values(self, field: str) -> Query:
        if not self._take("bracket", "("):
            return self._value(field)
        query = self._any_value(field)
        self._need(")")
        return query

    def _any_value(self, field: str) -> Query:
        """`a or b and c` within the parentheses after a field."""
        parts = [self._all_values(field)]
        while self._take("word", "or"):
            parts.append(self._all_values(field))
        return parts[0] if len(parts) == 1 else _any_of(parts)

    def _all_values(self, field: str) -> Query:
        parts = [self._inner(field)]
        while self._take("word", "and"):
            parts.append(self._inner(field))
        return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}

    def _inner(self, field: str) -> Query:
        if self._take("word", "not"):
            return {"bool": {"must_not": [self._inner(field)]}}
        return self._value(field)

    def _value(self, field: str) -> Query:
        kind, token = self._next()
        if kind == "text":
            return {"match_phrase": {field: _plain(token)}}
        if kind != "word":
            raise ValueError(f"KQL: no value can begin with {token}")
        words = [token]
        while self._at < len(self._tokens) and self._is_value_word():
            words.append(self._next()[1])
        value = " ".join(words)
        if value == "*":
            return {"exists": {"field": field}}
        if _WILDCARD.search(value):
            pattern = _RESERVED.sub(r"\\\1", _plain(value))
            return {"query_string": {"fields": [field], "query": pattern}}
        return {"match": {field: _plain(value)}}

    def _is_value_word(self) -> bool:
        """Whether the next word still belongs to an unquoted value."""
        kind, token = self._tokens[self._at]
        after = self._tokens[self._at + 1 : self._at + 2]
        is_field = bool(after) and after[0][0] == "sign"
        return kind == "word" and token.lower() not in {"and", "or"} and not is_field

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ValueError("KQL: it ends where more must follow")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, kind: str, token: str) -> bool:
        if self._at >= len(self._tokens):
            return False
        found = self._tokens[self._at]
        if found[0] != kind or found[1].lower() != token:
            return False
        self._at += 1
        return True

    def _need(self, token: str) -> None:
        if not self._take("bracket", token):
            raise ValueError(f"KQL: {token} is missing")


def _any_of(parts: list[Query]) -> Query:
    return {"bool": {"should": parts, "minimum_should_match": 1}}


def _plain(token: str) -> str:
    """A word or quoted text without its quotes and backslashes."""
    inner = token[1:-1] if token.startswith('"') else token
    return re.sub(r"\\(.)", r"\1", inner)
