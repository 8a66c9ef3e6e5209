"""The reference of all keys, as Markdown, written from the schema itself.

python -m elkwatch.config.reference > docs/configuration.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from elkwatch.config.explain import fields_of, item_kind, plain_kind, tags
from elkwatch.config.secrets import is_secret
from elkwatch.config.settings import Config
from elkwatch.config.values import Listen, StartPoint, duration_text

_INTRODUCTION = """\
# Configuration

<!-- Written from the schema: `python -m elkwatch.config.reference`. -->

elkwatch reads one YAML file: the one named by `--config FILE`, else by
`$ELKWATCH_CONFIG`, else `elkwatch.yml` in the working directory.
`elkwatch config example` prints one to start from, with every section.
`elkwatch config check` tries a file, `elkwatch config show` prints it as elkwatch
understands it, with all defaults and overrides and with secrets masked.

- **Unknown keys and wrong types are refused** in one line that names file, line, path
  and the nearest known key; the exit code is 2.
- **Durations** are written `90s`, `10m`, `1h30m`, `7d`.
- **Secrets** are text, `{file: PATH}` or `{env: NAME}`, and masked wherever they could
  be printed.
- **Paths** are seen from the folder of the file.
- **Regular expressions** are RE2: linear time, no lookaround, no back-references.
- **Environment variables** override any key: `ELKWATCH__SCHEDULE__INTERVAL=30s`,
  `ELKWATCH__SOURCES__0__INDEX=logs-*` (items of lists from 0),
  `ELKWATCH__ELASTICSEARCH__API_KEY__FILE=/run/secrets/key`. A value that begins with
  `[` or `{` is read as YAML.
- Program logs go to standard error: `ELKWATCH_LOG_FORMAT=human|json`,
  `ELKWATCH_LOG_LEVEL=debug|info|warning|error`.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its full path, its type in words, its default, what it is for."""

    path: str
    kind: str
    default: str
    description: str


def all_keys(model: type[BaseModel] = Config, prefix: str = "") -> Iterator[Key]:
    """Every key of a section and of those below it, in the order of the schema."""
    for name, field in fields_of(model):
        path = f"{prefix}{name}"
        kind = plain_kind(field.annotation)
        sections = _sections(kind)
        if field.description or not sections:
            what = " ".join((field.description or "").split())
            yield Key(path, _kind(kind), _default(field), what)
        for inner, joint in sections:
            yield from all_keys(inner, f"{path}{joint}")


def reference() -> str:
    """The whole page, Markdown."""
    parts = [_INTRODUCTION]
    for name, field in fields_of(Config):
        rows = [k for k in all_keys() if _top(k.path) == name]
        kind = plain_kind(field.annotation)
        section = [inner for inner, _ in _sections(kind)]
        what = field.description or (section[0].__doc__ if section else "") or ""
        parts.append(f"## {name}\n\n{' '.join(what.split())}\n")
        table = ["| key | type | default | what it is |", "|---|---|---|---|"]
        table += [
            f"| `{k.path}` | {k.kind} | {k.default} | {k.description} |" for k in rows
        ]
        parts.append("\n".join(table) + "\n")
    return "\n".join(parts)


def _top(path: str) -> str:
    return path.partition(".")[0].removesuffix("[]")


def _sections(kind: Any) -> list[tuple[type[BaseModel], str]]:
    item = item_kind(kind) if get_origin(kind) is tuple else None
    found = [(kind, "."), (item, "[]."), *((m, "[].") for m in tags(item).values())]
    return [
        (k, j) for k, j in found if isinstance(k, type) and issubclass(k, BaseModel)
    ]


def _kind(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "list"
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    if is_secret(kind):
        return "secret"
    names = {
        timedelta: "duration",
        StartPoint: "time",
        Listen: "host:port",
        Path: "path",
        bool: "true or false",
        int: "number",
        float: "number",
        str: "text",
    }
    return names.get(kind, "keys")


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "**required**"
    if value is None or value == () or value == {} or isinstance(value, BaseModel):
        return ""
    if isinstance(value, timedelta):
        return f"`{duration_text(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(reference(), end="")
