"""Which fields a data view has, and of which types; unknown for logs of other people.

Types are those of the index templates. `labels.*` stands for an object whose fields
come as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FieldMap = Mapping[str, Mapping[str, str]]

_KINDS = {
    "keyword": "string",
    "text": "string",
    "date": "date",
    "boolean": "boolean",
    "ip": "ip",
    **dict.fromkeys(
        ("long", "integer", "short", "byte", "double", "float", "scaled_float"),
        "number",
    ),
}


@dataclass(frozen=True, slots=True)
class ViewFields:
    """The fields of one data view. `types` None: nobody knows them."""

    title: str
    time_field: str | None
    types: Mapping[str, str] | None

    def type_of(self, field: str) -> str | None:
        """The mapped type, None where the field does not exist."""
        if self.types is None:
            return None
        if field in self.types:
            return self.types[field]
        parts = field.split(".")
        for i in range(len(parts) - 1, 0, -1):
            found = self.types.get(".".join(parts[:i]) + ".*")
            if found is not None:
                return found
        return None

    def has(self, field: str) -> bool:
        """Whether the field exists, as far as is known."""
        return self.types is None or self.type_of(field) is not None


def kind_of(field_type: str) -> str:
    """Kibana's word for a mapped type: string, number, date … or unknown."""
    return _KINDS.get(field_type, "unknown")


def fields_of(title: str, known: FieldMap) -> Mapping[str, str] | None:
    """The fields of the index pattern of a data view; None where it is not ours."""
    for pattern, types in known.items():
        if title == pattern or title.startswith(pattern.rstrip("*")):
            return types
    return None
