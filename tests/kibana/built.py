"""The built objects, taken apart so that a test can change one thing in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from elkwatch.kibana_objects import known_fields
from kibana import BuildWishes, Defect, SourceView, build_objects, check_text, ndjson

_FIELDS = known_fields()
WISHES = BuildWishes("*", (SourceView("shop", "logs-shop-*"),))

_TEXTS = (
    ("kibanaSavedObjectMeta", "searchSourceJSON"),
    ("controlGroupInput", "panelsJSON"),
    ("controlGroupInput", "ignoreParentSettingsJSON"),
    ("", "panelsJSON"),
    ("", "optionsJSON"),
    ("", "fieldFormatMap"),
    ("", "fieldAttrs"),
)


class Built:
    """Every object as plain JSON, also what is kept as JSON within a text."""

    def __init__(self) -> None:
        lines = ndjson(build_objects(WISHES)).splitlines()
        self.objects: list[dict[str, Any]] = [json.loads(line) for line in lines]
        for saved in self.objects:
            for holder, name in self._texts(saved):
                holder[name] = json.loads(holder[name])

    def __getitem__(self, object_id: str) -> dict[str, Any]:
        return next(o for o in self.objects if o["id"] == object_id)

    @property
    def overview(self) -> dict[str, Any]:
        """The overview."""
        return self["elkwatch-overview"]

    def panel(self, index: str, dashboard: str = "elkwatch-overview") -> dict[str, Any]:
        """A panel by its index."""
        panels = self[dashboard]["attributes"]["panelsJSON"]
        return next(p for p in panels if p["panelIndex"] == index)

    def chart(self, index: str, dashboard: str = "elkwatch-overview") -> dict[str, Any]:
        """The `attributes` of a Lens panel."""
        found: dict[str, Any] = self.panel(index, dashboard)["embeddableConfig"]
        attributes: dict[str, Any] = found["attributes"]
        return attributes

    def layer(self, index: str, dashboard: str = "elkwatch-overview") -> dict[str, Any]:
        """The one layer of a Lens panel."""
        sources = self.chart(index, dashboard)["state"]["datasourceStates"]
        layer: dict[str, Any] = sources["formBased"]["layers"]["layer"]
        return layer

    def drawn(self, index: str, dashboard: str = "elkwatch-overview") -> dict[str, Any]:
        """The `visualization` of a Lens panel."""
        state: dict[str, Any] = self.chart(index, dashboard)["state"]["visualization"]
        return state

    def reference(self, object_id: str, ending: str) -> dict[str, Any]:
        """A reference of an object by how its name ends."""
        references = self[object_id]["references"]
        return next(r for r in references if r["name"].endswith(ending))

    def text(self) -> str:
        """The file again."""
        whole = json.loads(json.dumps(self.objects))
        for saved in whole:
            for holder, name in self._texts(saved):
                if not isinstance(holder[name], str):
                    holder[name] = json.dumps(holder[name], sort_keys=True)
        return "".join(json.dumps(o, sort_keys=True) + "\n" for o in whole)

    @staticmethod
    def _texts(saved: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        attributes = saved.get("attributes") if isinstance(saved, dict) else None
        for group, name in _TEXTS:
            holder = attributes
            if group and isinstance(attributes, dict):
                holder = attributes.get(group)
            if isinstance(holder, dict) and name in holder:
                yield holder, name


def defects_of(built: Built) -> list[Defect]:
    """What the checker finds."""
    return check_text(built.text(), _FIELDS)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of every key and item of nested JSON, deepest included."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*path, step))


def without(path: tuple[Any, ...]) -> Callable[[Built], None]:
    """A change that takes out what stands at a path of the list of objects."""

    def change(built: Built) -> None:
        here: Any = built.objects
        for step in path[:-1]:
            here = here[step]
        del here[path[-1]]

    return change
