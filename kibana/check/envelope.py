"""What every saved object has around its attributes: type, id, versions, references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kibana.check.defect import Spot
from kibana.objects import CORE_VERSION, TYPE_VERSIONS, Reference

_KEYS = {
    "type",
    "id",
    "attributes",
    "references",
    "coreMigrationVersion",
    "typeMigrationVersion",
    "managed",
}
#: What an export adds and an import ignores.
_NOISE = {"version", "updated_at", "created_at", "created_by", "updated_by", "sort"}
_NOISE |= {"namespaces", "originId"}
_ID = re.compile(r"[A-Za-z0-9._-]+")


def name_of(saved: Mapping[str, Any]) -> str:
    """How a person finds the object: its type and id."""
    kind, object_id = saved.get("type"), saved.get("id")
    return f"{kind if isinstance(kind, str) else '?'} {object_id}"


def reference_list(saved: Mapping[str, Any]) -> list[Reference]:
    """The references that can be read."""
    found = saved.get("references")
    return [
        Reference(r["name"], r["type"], r["id"])
        for r in (found if isinstance(found, list) else [])
        if isinstance(r, dict)
        and all(isinstance(r.get(key), str) for key in ("name", "type", "id"))
    ]


def check_envelope(saved: Mapping[str, Any], spot: Spot) -> bool:
    """Whether it is worth looking further."""
    kind = spot.text(saved.get("type"), "type")
    object_id = spot.text(saved.get("id"), "id")
    spot.need(
        not object_id or _ID.fullmatch(object_id) is not None,
        "id may hold letters, digits, dots, dashes and underscores",
    )
    known = spot.need(
        kind in TYPE_VERSIONS,
        f"type is none that elkwatch makes ({', '.join(sorted(TYPE_VERSIONS))})",
    )
    for key in sorted(set(saved) - _KEYS - _NOISE):
        spot.tell(f"{key} is no key of a saved object; leave it out")
    if known:
        _check_versions(saved, TYPE_VERSIONS[kind], spot)
    managed = saved.get("managed", False)
    spot.need(managed is False, "managed must be false, or nobody may edit it")
    _check_references(saved.get("references"), spot)
    whole = spot.mapping(saved.get("attributes"), "attributes")
    return known and bool(object_id) and bool(whole)


def _check_versions(saved: Mapping[str, Any], wanted: str, spot: Spot) -> None:
    """Higher is refused by older Kibanas, missing runs every migration there is."""
    for key, stamp in (
        ("coreMigrationVersion", CORE_VERSION),
        ("typeMigrationVersion", wanted),
    ):
        spot.need(
            saved.get(key) == stamp,
            f"{key} must be {stamp}, the lowest that 8.12 to 9.x import",
        )


def _check_references(value: Any, spot: Spot) -> None:
    names = set()
    for i, reference in enumerate(spot.items(value, "references")):
        here = spot.at("references", i)
        if not here.need(isinstance(reference, dict), "must be an object"):
            continue
        for key in ("name", "type", "id"):
            here.text(reference.get(key), key)
        for key in sorted(set(reference) - {"name", "type", "id"}):
            here.tell(f"{key} is no key of a reference; leave it out")
        name = str(reference.get("name"))
        here.need(name not in names, f"the name {name} comes twice; Kibana takes one")
        names.add(name)
