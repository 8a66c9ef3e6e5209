"""The saved objects of a stub Kibana, by the documented behaviour of its API.

Where an answer is not documented it is left out: a test may not rest on a guess. One
store holds the objects of all spaces, as Kibana's does: an id that another space has
gets a new one here, with `originId` and the references rewritten.
"""

from __future__ import annotations

import json
import uuid
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
Place = tuple[str, str]

CHECKED_REFERENCES = {"index-pattern", "search"}
IMPORTABLE = {"dashboard", "index-pattern", "lens", "search", "visualization", "map"}
NEWEST_TYPES = {"dashboard": (10, 3, 0), "search": (10, 9, 0), "lens": (10, 1, 0)}


class BadRequestError(Exception):
    """An answer with this status and message, and nothing written."""

    def __init__(self, status: int, message: str, **attributes: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.attributes = status, message, attributes


@dataclass
class Store:
    """Objects by (type, id); `namespaces` of each says in which spaces it is.

    `tabs`: exports of searches look as 9.x writes them.
    """

    objects: dict[Place, Document] = field(default_factory=dict)
    writes: int = 0
    tabs: bool = False
    types: set[str] = field(default_factory=lambda: set(IMPORTABLE))

    def get(self, space: str, place: Place) -> Document | None:
        found = self.objects.get(place)
        return found if found and space in found["namespaces"] else None

    def edit(self, place: Place, **attributes: Any) -> None:
        """What a person does in the browser."""
        document = self.objects[place]
        document["attributes"] |= attributes
        self._stamp(document)

    def put(self, space: str, document: Document) -> None:
        """An object of somebody else's."""
        place = document["type"], document["id"]
        self.objects[place] = {"references": [], **document, "namespaces": [space]}
        self._stamp(self.objects[place])

    def export(self, space: str, asked: Document) -> list[Document]:
        if "objects" in asked:
            return self._by_id(space, asked["objects"])
        unknown = sorted(set(asked["type"]) - self.types)
        if unknown:
            types = ", ".join(unknown)
            raise BadRequestError(
                400, f"Trying to export non-exportable type(s): {types}"
            )
        wanted = asked["hasReference"]
        references = [wanted] if isinstance(wanted, dict) else wanted
        return [
            self._exported(document)
            for document in self.objects.values()
            if space in document["namespaces"]
            and document["type"] in asked["type"]
            and any(
                (r["type"], r["id"]) == (w["type"], w["id"])
                for r in document["references"]
                for w in references
            )
        ]

    def _by_id(self, space: str, asked: list[Document]) -> list[Document]:
        places = [(one["type"], one["id"]) for one in asked]
        missing = [p for p in places if self.get(space, p) is None]
        if missing:
            error = {"statusCode": 404, "error": "Not Found", "message": "Not found"}
            objects = [{"type": t, "id": i, "error": error} for t, i in missing]
            raise BadRequestError(
                400, "Error fetching objects to export", objects=objects
            )
        return [self._exported(self.objects[place]) for place in places]

    def _exported(self, document: Document) -> Document:
        out = deepcopy(document)
        del out["namespaces"]
        if self.tabs and out["type"] == "search":
            shown = {
                key: out["attributes"].pop(key)
                for key in list(out["attributes"])
                if key not in ("title", "description")
            }
            shown["hideTable"] = False
            out["attributes"]["tabs"] = [
                {"id": "0", "label": "Untitled", "attributes": shown}
            ]
            out["typeMigrationVersion"] = "10.13.0"
        return out

    def import_(self, space: str, text: str, *, overwrite: bool) -> Document:
        documents = self._parsed(text)
        errors = [e for d in documents for e in self._checked(space, d, documents)]
        failed = {(e["type"], e["id"]) for e in errors}
        there: dict[Place, str] = {}
        for document in documents:
            place = document["type"], document["id"]
            if place in failed:
                continue
            destination = self._destination(space, place, overwrite, errors)
            if destination is not None:
                there[place] = destination
        kinds = {error["error"]["type"] for error in errors}
        if not kinds & {"conflict", "ambiguous_conflict", "missing_references"}:
            errors += self._create(space, documents, there)
        results = [
            {
                "type": kind,
                "id": ours,
                "meta": {"title": "…"},
                **({"destinationId": theirs} if theirs != ours else {}),
            }
            for (kind, ours), theirs in there.items()
        ]
        answer: Document = {
            "success": not errors,
            "successCount": len(results),
            "warnings": [],
        }
        if results:
            answer["successResults"] = results
        if errors:
            answer["errors"] = errors
        return answer

    def delete(self, space: str, place: Place, *, force: bool) -> None:
        found = self.get(space, place)
        if found is None:
            raise BadRequestError(404, f"Saved object [{'/'.join(place)}] not found")
        if len(found["namespaces"]) > 1 and not force:
            raise BadRequestError(
                400,
                "Unable to delete saved object that exists in multiple namespaces, "
                "use the `force` option to delete it anyway: Bad Request",
            )
        self.writes += 1
        del self.objects[place]

    def drop_space(self, space: str) -> None:
        """Removes what is in no other space."""
        for place, document in list(self.objects.items()):
            if space in document["namespaces"]:
                document["namespaces"].remove(space)
                if not document["namespaces"]:
                    del self.objects[place]

    def _parsed(self, text: str) -> list[Document]:
        try:
            lines = [json.loads(line) for line in text.split("\n") if line.strip()]
        except ValueError as error:
            raise BadRequestError(400, str(error)) from error
        documents = [line for line in lines if "exportedCount" not in line]
        places = [(d["type"], d["id"]) for d in documents]
        if len(set(places)) < len(places):
            raise BadRequestError(400, "Non-unique import objects detected: […]")
        for document in documents:
            version = tuple(map(int, document["typeMigrationVersion"].split(".")))
            if version > NEWEST_TYPES.get(document["type"], (8, 8, 0)):
                raise BadRequestError(
                    422,
                    f'Document "{document["id"]}" belongs to a more recent version of '
                    f"Kibana [{document['typeMigrationVersion']}] when the last known "
                    "version is [8.0.0].",
                )
        return documents

    def _checked(
        self, space: str, document: Document, beside: list[Document]
    ) -> list[Document]:
        about = {"type": document["type"], "id": document["id"], "meta": {}}
        if document["type"] not in self.types:
            return [{**about, "error": {"type": "unsupported_type"}}]
        present = {(d["type"], d["id"]) for d in beside}
        missing = [
            {"type": r["type"], "id": r["id"]}
            for r in document.get("references", [])
            if r["type"] in CHECKED_REFERENCES
            and (r["type"], r["id"]) not in present
            and self.get(space, (r["type"], r["id"])) is None
        ]
        if missing:
            error = {"type": "missing_references", "references": missing}
            return [{**about, "error": error}]
        return []

    def _destination(
        self, space: str, place: Place, overwrite: bool, errors: list[Document]
    ) -> str | None:
        """The id it gets here; None: a conflict was noted."""
        about = {"type": place[0], "id": place[1], "meta": {}}
        if self.get(space, place) is not None:
            if not overwrite:
                errors.append({**about, "error": {"type": "conflict"}})
                return None
            return place[1]
        copies = [
            d["id"]
            for d in self.objects.values()
            if d["type"] == place[0]
            and space in d["namespaces"]
            and d.get("originId") == place[1]
        ]
        if len(copies) > 1:
            destinations = [{"id": one} for one in copies]
            error = {"type": "ambiguous_conflict", "destinations": destinations}
            errors.append({**about, "error": error})
            return None
        if copies:
            if not overwrite:
                error = {"type": "conflict", "destinationId": copies[0]}
                errors.append({**about, "error": error})
                return None
            return str(copies[0])
        return str(uuid.uuid4()) if place in self.objects else place[1]

    def _create(
        self, space: str, documents: list[Document], there: dict[Place, str]
    ) -> list[Document]:
        errors = []
        for document in documents:
            place = document["type"], document["id"]
            if place not in there:
                continue
            if not document["attributes"].get("title"):
                del there[place]
                error = {
                    "type": "unknown",
                    "statusCode": 400,
                    "message": "[attributes.title]: expected value of type [string]",
                }
                errors.append({"type": place[0], "id": place[1], "error": error})
                continue
            self._write(space, document, there)
        return errors

    def _write(self, space: str, document: Document, there: dict[Place, str]) -> None:
        kind, ours = document["type"], document["id"]
        written = deepcopy(document)
        written["id"] = there[kind, ours]
        for reference in written.get("references", []):
            place = reference["type"], reference["id"]
            reference["id"] = there.get(place, reference["id"])
        if written["id"] != ours:
            written["originId"] = ours
        before = self.objects.get((kind, written["id"]), {})
        if "originId" in before:
            written["originId"] = before["originId"]
        written["namespaces"] = before.get("namespaces", [space])
        self.objects[kind, written["id"]] = written
        self._stamp(written)

    def _stamp(self, document: Document) -> None:
        self.writes += 1
        document["updated_at"] = f"2026-11-26T10:00:00.{self.writes:03d}Z"
        document["version"] = f"WzE{self.writes}"
