"""What Kibana says of an import: which objects are there now, and which are not, why.

`success` alone says that all is well. With a conflict or a missing reference *nothing*
is created, and yet `successResults` lists the other objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Errors that stop the whole import; any other concerns its own object only.
_BLOCKING = frozenset({"conflict", "ambiguous_conflict", "missing_references"})


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What identifies a saved object within a space."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One object that was not imported, and why. `kind` as Kibana calls it."""

    key: Key
    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """An import. `created`: each object that is there now → the id it has there."""

    success: bool
    created: Mapping[Key, str]
    problems: tuple[ImportProblem, ...]


def import_answer(document: Mapping[str, Any]) -> ImportAnswer:
    """The answer of `_import`, read without trust in `successResults`."""
    success = document.get("success") is True
    problems = tuple(_problem(e) for e in _records(document.get("errors")))
    created: dict[Key, str] = {}
    if success or not any(p.kind in _BLOCKING for p in problems):
        for one in _records(document.get("successResults")):
            created[_key(one)] = str(one.get("destinationId") or one.get("id"))
    return ImportAnswer(success, created, problems)


def _problem(one: Mapping[str, Any]) -> ImportProblem:
    found = one.get("error")
    error: Mapping[str, Any] = found if isinstance(found, dict) else {}
    kind = str(error.get("type") or "unknown")
    return ImportProblem(_key(one), kind, _reason(kind, error))


def _reason(kind: str, error: Mapping[str, Any]) -> str:
    if kind == "conflict":
        other = error.get("destinationId")
        return f"exists already{f' as {other}' if other else ''}"
    if kind == "ambiguous_conflict":
        ids = ", ".join(str(d.get("id")) for d in _records(error.get("destinations")))
        return f"has several copies here ({ids}); remove all but one"
    if kind == "missing_references":
        refs = ", ".join(str(_key(r)) for r in _records(error.get("references")))
        return f"refers to {refs}, which is neither in Kibana nor sent with it"
    if kind == "unsupported_type":
        return "is of a type that this Kibana does not import"
    said = " ".join(str(error.get("message") or kind).split())[:300]
    return f"was refused: {said}"


def _records(found: object) -> list[Mapping[str, Any]]:
    return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []


def _key(one: Mapping[str, Any]) -> Key:
    return Key(str(one.get("type")), str(one.get("id")))
