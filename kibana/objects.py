"""A saved object of Kibana, and the file of them that Kibana imports.

One JSON object a line; keys sorted, so that the same objects give the same bytes. The
versions are the lowest that 8.12 … 9.x import; later versions migrate them up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CORE_VERSION = "8.8.0"
TYPE_VERSIONS = {
    "dashboard": "8.9.0",
    "index-pattern": "8.0.0",
    "lens": "8.9.0",
    "search": "8.0.0",
    "visualization": "8.5.0",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """Where an object refers to another; `name` is how its attributes call it."""

    name: str
    type: str
    id: str


@dataclass(frozen=True, slots=True)
class SavedObject:
    """One saved object. `id` never changes once it was released."""

    type: str
    id: str
    attributes: Mapping[str, Any]
    references: tuple[Reference, ...] = ()

    def as_line(self) -> str:
        """The line of the file that stands for it."""
        document = {
            "type": self.type,
            "id": self.id,
            "attributes": self.attributes,
            "references": [
                {"name": r.name, "type": r.type, "id": r.id} for r in self.references
            ],
            "coreMigrationVersion": CORE_VERSION,
            "typeMigrationVersion": TYPE_VERSIONS[self.type],
            "managed": False,
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True)


def ndjson(objects: Iterable[SavedObject]) -> str:
    """The file to import: one object a line, in the order given."""
    return "".join(saved.as_line() + "\n" for saved in objects)
