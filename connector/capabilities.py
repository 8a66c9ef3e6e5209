"""How the fields of a source are mapped, and by which query their values are found.

`_field_caps` answers for all indices of a pattern at once. A field may be a keyword in
one index and text in the next, so the clause for a value asks in every way that is
needed, and whoever reads the answer compares the decoded value again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_EXACT_TYPES = frozenset({"keyword", "flattened"})
_PARSED_TYPES = frozenset(
    {
        "boolean",
        "byte",
        "date",
        "date_nanos",
        "double",
        "float",
        "half_float",
        "integer",
        "ip",
        "long",
        "scaled_float",
        "short",
        "unsigned_long",
        "version",
    }
)
_NO_VALUE_TYPES = frozenset({"unmapped", "object", "nested"})

# The dynamic mapping of Elasticsearch leaves longer values out of `.keyword`.
SUBFIELD_KEYWORD_CHARS = 256

_WILDCARD_SPECIALS = str.maketrans({"*": r"\*", "?": r"\?", "\\": r"\\"})


class Capabilities:
    """What `_field_caps` says, asked for with `include_unmapped`."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.indices = frozenset(answer.get("indices", ()))
        self._fields: Mapping[str, Mapping[str, Any]] = answer.get("fields", {})

    def types(self, path: str) -> tuple[str, ...]:
        """The types a field is mapped with, over all indices; empty if nowhere."""
        found = set(self._fields.get(path, ())) - _NO_VALUE_TYPES
        if not found and self._flattened_parent(path):
            return ("flattened",)
        return tuple(sorted(found))

    def indices_of(self, path: str, kind: str) -> frozenset[str]:
        """The indices in which a field has this type."""
        entry = self._fields.get(path, {}).get(kind)
        if entry is None:
            return frozenset()
        return frozenset(entry.get("indices", self.indices))

    def everywhere(self, path: str) -> bool:
        """Whether every index maps the field."""
        if not self.types(path):
            return False
        return not any(self.indices_of(path, kind) for kind in _NO_VALUE_TYPES)

    def has_keyword(self, path: str) -> bool:
        """Whether every index that maps a field as text has its `.keyword` too."""
        texts = self.indices_of(path, "text")
        return bool(texts) and texts <= self.indices_of(f"{path}.keyword", "keyword")

    def value_clause(self, path: str, values: Sequence[str]) -> dict[str, Any] | None:
        """A clause that finds every document with one of `values` at `path`.

        It may find more. None where no query can: then the time range must be read.
        """
        types = self.types(path)
        clauses: list[dict[str, Any]] = []
        if _EXACT_TYPES.issuperset(types) or "text" in types:
            if set(types) - _EXACT_TYPES - {"text"} or not types:
                return None
            if _EXACT_TYPES.intersection(types):
                clauses.append({"terms": {path: list(values)}})
            if "text" in types:
                clauses.extend(self._text_clauses(path, values))
        elif len(types) == 1 and types[0] in _PARSED_TYPES:
            clauses.append({"terms": {path: list(values)}})
        else:
            return None
        return any_of(clauses)

    def contains_clause(
        self, paths: Iterable[str], words: Sequence[str]
    ) -> dict[str, Any] | None:
        """A clause for documents with one of `words` inside the text at a path.

        It finds what stands at token borders of the text, which a part of a token does
        not; None where no path can be searched.
        """
        clauses: list[dict[str, Any]] = []
        for path in paths:
            types = self.types(path)
            if not self._searchable(path):
                continue
            if "text" in types:
                clauses.extend({"match_phrase": {path: word}} for word in words)
            elif types == ("keyword",):
                clauses.extend(_wildcards(path, words))
        return any_of(clauses) if clauses else None

    def missing_clause(self, path: str) -> dict[str, Any]:
        """A clause for documents without a value at `path`, or with an empty text."""
        missing = {"bool": {"must_not": [{"exists": {"field": path}}]}}
        if _EXACT_TYPES.intersection(self.types(path)):
            return any_of([missing, {"term": {path: ""}}])
        return missing

    def _text_clauses(self, path: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """Exact by `.keyword` where it covers all, by phrase where it does not."""
        exact = f"{path}.keyword"
        covered = self.indices_of(exact, "keyword")
        clauses: list[dict[str, Any]] = []
        phrases = list(values)
        if covered:
            clauses.append({"terms": {exact: list(values)}})
            if self.indices_of(path, "text") <= covered:
                phrases = [v for v in values if len(v) >= SUBFIELD_KEYWORD_CHARS]
        clauses.extend({"match_phrase": {path: value}} for value in phrases)
        return clauses

    def _searchable(self, path: str) -> bool:
        return any(
            entry.get("searchable")
            for kind, entry in self._fields.get(path, {}).items()
            if kind not in _NO_VALUE_TYPES
        )

    def _flattened_parent(self, path: str) -> bool:
        return any("flattened" in self._fields.get(p, ()) for p in parents(path))


def parents(path: str) -> list[str]:
    """`a.b.c` → `a`, `a.b`."""
    segments = path.split(".")
    return [".".join(segments[:i]) for i in range(1, len(segments))]


def any_of(clauses: list[dict[str, Any]]) -> dict[str, Any]:
    """One clause that matches where any of these does."""
    if len(clauses) == 1:
        return clauses[0]
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _wildcards(path: str, words: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"wildcard": {path: {"value": f"*{word.translate(_WILDCARD_SPECIALS)}*"}}}
        for word in words
    ]
