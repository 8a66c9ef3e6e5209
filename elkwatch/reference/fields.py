"""The fields of what elkwatch writes, from the index templates themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from connector import templates

_INTRODUCTION = """\
# Fields

<!-- Written from the index templates: `make docs`. -->

What elkwatch writes into Elasticsearch, field by field. Names of the Elastic Common
Schema keep its meaning; elkwatch's own begin with `elkwatch.`. The index templates can
be extended without touching them: put your own settings and mappings into the component
template each one names as `…@custom`.

Findings never hold a normal session unless `results.include_normal` asks for them.
"""

_ABOUT = {
    "logs-elkwatch.anomaly": "Findings: one a session or window that deviates.",
    "metrics-elkwatch.run": "Run figures: what each run did with each source.",
    "elkwatch-dead-letters": "What could not be used or written, and why.",
    "elkwatch-state": (
        "What elkwatch remembers between runs: cursors, episodes, the outbox, the "
        "lease. Its form may change; read it through `elkwatch alerts list`."
    ),
}


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field of one index template."""

    path: str
    type: str


def mapped_fields(template: Mapping[str, Any]) -> Iterator[MappedField]:
    """Every field that an index template maps, by its full path."""
    yield from _below(template["template"]["mappings"].get("properties", {}), "")


def descriptions() -> dict[str, str]:
    """What each field means, for people."""
    text = resources.files("elkwatch.reference").joinpath("fields.yml")
    return dict(yaml.safe_load(text.read_text("utf-8")))


def fields_page() -> str:
    """The whole page, Markdown. Raises KeyError for a field that nobody described."""
    meanings = descriptions()
    parts = [_INTRODUCTION]
    for name, template in templates().items():
        patterns = ", ".join(f"`{p}`" for p in template["index_patterns"])
        rows = [
            f"| `{f.path}` | {f.type} | {meanings[f.path]} |"
            for f in mapped_fields(template)
        ]
        table = "\n".join(["| field | type | what it is |", "|---|---|---|", *rows])
        parts.append(f"## {patterns}\n\n{_ABOUT[name]}\n\n{table}\n")
    return "\n".join(parts)


def _below(properties: Mapping[str, Any], prefix: str) -> Iterator[MappedField]:
    for name, mapping in properties.items():
        path = f"{prefix}{name}"
        if "properties" in mapping:
            yield from _below(mapping["properties"], f"{path}.")
        else:
            kind = mapping.get("type", "object")
            stored_only = mapping.get("enabled") is False
            yield MappedField(path, f"{kind}, kept only" if stored_only else kind)
