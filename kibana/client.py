"""Kibana's HTTP API, as far as dashboards need it.

client = KibanaClient(KibanaConfig("https://kibana:5601", api_key="…"))
client.check()                       # does it answer, may we, is there such a space?
client.export([Key("dashboard", "elkwatch-overview")])

Only `_import`, `_export` and `DELETE` touch saved objects: the other routes on single
objects are deprecated. Kibana checks the space of a page, not of an API call (which
would write into a space that nobody can open), so `check` asks for the space itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from kibana.answers import ImportAnswer, Key, import_answer
from kibana.errors import (
    KibanaNotAllowed,
    KibanaRefused,
    KibanaTooBusy,
    KibanaTooOld,
    SpaceMissing,
)
from kibana.wire import Answer, KibanaConfig, Wire

OLDEST_VERSION = (8, 12)
_READY = {"available", "degraded"}
# What can refer to a data view; a Kibana without a plugin refuses its type.
_USERS = ("dashboard", "lens", "map", "search", "visualization")
_OWN_USERS = ("dashboard", "search")

Exported = Mapping[str, Any]
Deletion = Literal["removed", "was gone", "shared"]


@dataclass(frozen=True, slots=True)
class KibanaInfo:
    """What answered. `version` and `name` are empty where Kibana does not tell them.

    `level`: `available` or `degraded`.
    """

    name: str
    version: str
    level: str
    space: str


class KibanaClient:
    """One Kibana and one of its spaces. Every call may raise a KibanaError.

    Raises KibanaConfigError at once for a CA file or an API key that cannot work.
    """

    def __init__(self, config: KibanaConfig) -> None:
        self._wire = Wire(config)
        self.space = config.space or "default"

    @property
    def where(self) -> str:
        """How messages call this Kibana and its space."""
        return f"{self._wire.where}, space {self.space}"

    def check(self) -> KibanaInfo:
        """Try it, and change nothing: status, version, credentials, space.

        Raises KibanaTooBusy (not ready), KibanaTooOld, KibanaNotAuthenticated,
        SpaceMissing and what any call may raise.
        """
        answer = self._wire.send(
            "GET", "/api/status", "asking for its status", accepts=frozenset({503})
        )
        name, version, level = _status(answer, self._wire.where)
        if version and _version_key(version) < OLDEST_VERSION:
            oldest = ".".join(map(str, OLDEST_VERSION))
            raise KibanaTooOld(
                f"{self._wire.where}: version {version}; the dashboards need {oldest} "
                "or newer"
            )
        self._check_space()
        return KibanaInfo(name, version, level, self.space)

    def export(self, keys: Sequence[Key]) -> dict[Key, Exported]:
        """Those of these objects that are in the space, as Kibana exports them."""
        wanted = list(dict.fromkeys(keys))
        while wanted:
            answer = self._export({"objects": [_as_json(key) for key in wanted]})
            if answer.status == 200:
                return _lines(answer, self._wire.where)
            missing = _not_found(answer, self._wire.where)
            left = [key for key in wanted if key not in missing]
            if len(left) == len(wanted):
                raise KibanaRefused(
                    f"{self.where}: reading saved objects was answered "
                    f"{answer.status}{answer.said()}; check the log of Kibana",
                    status=answer.status,
                )
            wanted = left
        return {}

    def users(self, keys: Iterable[Key]) -> dict[Key, Exported]:
        """What in the space refers to one of these objects."""
        references = [_as_json(key) for key in keys]
        if not references:
            return {}
        for types in (_USERS, _OWN_USERS):
            answer = self._export({"type": list(types), "hasReference": references})
            if answer.status == 200:
                break
        else:
            raise KibanaRefused(
                f"{self.where}: asking what uses the data views was answered "
                f"{answer.status}{answer.said()}; check the log of Kibana",
                status=answer.status,
            )
        return _lines(answer, self._wire.where)

    def import_file(self, text: str, *, overwrite: bool) -> ImportAnswer:
        """Import NDJSON. Objects that fail are in the answer, not raised."""
        answer = self._wire.send(
            "POST",
            "/api/saved_objects/_import",
            "importing saved objects",
            space=self.space,
            params={
                "overwrite": str(overwrite).lower(),
                "compatibilityMode": "true",
            },
            files={"file": ("elkwatch.ndjson", text.encode(), "application/ndjson")},
        )
        return import_answer(answer.document(self._wire.where))

    def delete(self, key: Key) -> Deletion:
        """Remove an object; `shared`: other spaces have it too, so it was left."""
        answer = self._wire.send(
            "DELETE",
            f"/api/saved_objects/{quote(key.type)}/{quote(key.id, safe='')}",
            f"removing {key}",
            space=self.space,
            accepts=frozenset({400, 404}),
        )
        if answer.status == 400:
            if "multiple" in answer.said():
                return "shared"
            raise KibanaRefused(
                f"{self.where}: removing {key} was answered 400{answer.said()}; check "
                "the log of Kibana",
                status=400,
            )
        return "was gone" if answer.status == 404 else "removed"

    def _export(self, body: Mapping[str, Any]) -> Answer:
        return self._wire.send(
            "POST",
            "/api/saved_objects/_export",
            "reading saved objects",
            space=self.space,
            accepts=frozenset({400}),
            json={**body, "excludeExportDetails": True},
        )

    def _check_space(self) -> None:
        try:
            answer = self._wire.send(
                "GET",
                f"/api/spaces/space/{quote(self.space, safe='')}",
                f"looking for the space {self.space}",
                accepts=frozenset({404}),
            )
        except KibanaNotAllowed as error:
            raise SpaceMissing(
                f"{self._wire.where}: there is no space {self.space} that these "
                "credentials may use (403); check kibana.space, or grant the key "
                "privileges in it"
            ) from error
        if answer.status == 404:
            raise SpaceMissing(
                f"{self._wire.where}: there is no space {self.space}; create it, or "
                "set kibana.space to the id of one (as in /s/ID of its address)",
                gone=True,
            )


def _status(answer: Answer, where: str) -> tuple[str, str, str]:
    """Name, version and level; Kibana tells a stranger only the last."""
    if answer.status == 503 and not answer.body.lstrip().startswith(b"{"):
        raise KibanaTooBusy(f"{where} is still starting (503); try again in a minute")
    document = answer.document(where)
    status = document.get("status")
    overall = status.get("overall") if isinstance(status, dict) else None
    level = overall.get("level") if isinstance(overall, dict) else None
    if not isinstance(level, str):
        raise KibanaRefused(
            f"{where}: what answers there is no Kibana; check kibana.url"
        )
    if level not in _READY:
        raise KibanaTooBusy(
            f"{where} says it is {level}; look at {where.rpartition(' ')[2]}/status"
        )
    version = document.get("version")
    number = version.get("number") if isinstance(version, dict) else ""
    return str(document.get("name") or ""), str(number or ""), level


def _lines(answer: Answer, where: str) -> dict[Key, Exported]:
    """The objects of an NDJSON answer."""
    found: dict[Key, Exported] = {}
    for line in answer.body.split(b"\n"):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
            found[Key(one["type"], one["id"])] = one
        except (ValueError, KeyError, TypeError) as error:
            raise KibanaRefused(
                f"{where} exported something that is no saved object; is kibana.url "
                "that of Kibana?"
            ) from error
    return found


def _not_found(answer: Answer, where: str) -> set[Key]:
    """Which objects an export failed for because they are not there."""
    attributes = answer.document(where).get("attributes")
    objects = attributes.get("objects") if isinstance(attributes, dict) else None
    return {
        Key(str(one.get("type")), str(one.get("id")))
        for one in objects or ()
        if isinstance(one, dict) and (one.get("error") or {}).get("statusCode") == 404
    }


def _as_json(key: Key) -> dict[str, str]:
    return {"type": key.type, "id": key.id}


def _version_key(version: str) -> tuple[int, ...]:
    parts = version.split("-")[0].split(".")
    return tuple(int(part) if part.isdigit() else 0 for part in parts)
