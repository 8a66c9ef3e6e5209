"""Environment variables over the file: `ELKWATCH__ELASTICSEARCH__API_KEY=…`.

Double underscores part the levels, numbers count list items from 0:
`ELKWATCH__SOURCES__0__INDEX`. A value that begins with `[` or `{` is read as YAML, so
that lists and `{file: PATH}` can be given; everything else is text, which the types of
the configuration turn into numbers, durations and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from elkwatch.config.explain import locate, path_text
from elkwatch.config.settings import Config
from elkwatch.errors import ConfigError

PREFIX = "ELKWATCH__"
_SEPARATOR = "__"


@dataclass(frozen=True, slots=True)
class Override:
    """One value from the environment: the variable, where it goes, what it says."""

    variable: str
    path: tuple[str | int, ...]
    value: Any


def overrides(environ: Mapping[str, str]) -> list[Override]:
    """The overrides in an environment, in the order of their paths."""
    found = []
    for variable in sorted(environ):
        if not variable.upper().startswith(PREFIX):
            continue
        parts = variable[len(PREFIX) :].lower().split(_SEPARATOR)
        if not all(parts):
            raise ConfigError(
                f"{variable}: expected names between double underscores, as in "
                "ELKWATCH__ELASTICSEARCH__API_KEY"
            )
        path = tuple(int(part) if part.isdecimal() else part for part in parts)
        value = _value(environ[variable], is_secret=locate(path, Config).is_secret)
        found.append(Override(variable, path, value))
    return sorted(found, key=lambda o: [(isinstance(p, str), p) for p in o.path])


def apply(override: Override, data: dict[str, Any]) -> None:
    """Put one override into the data, which is changed.

    Raises ConfigError where a list has no such item or a level is neither.
    """
    here: Any = data
    for depth, part in enumerate(override.path):
        is_last = depth == len(override.path) - 1
        value = override.value if is_last else _room_for(override.path[depth + 1])
        here = _enter(here, part, value, override, depth, replace=is_last)


def _enter(
    here: Any,
    part: str | int,
    value: Any,
    override: Override,
    depth: int,
    replace: bool,
) -> Any:
    if isinstance(here, list):
        if not isinstance(part, int) or part > len(here):
            where = path_text(override.path[:depth])
            raise ConfigError(
                f"{override.variable}: {where} is a list of {len(here)}; name an item "
                f"of it by its number, 0 to {len(here)} (a new one)"
            )
        if part == len(here):
            here.append(value)
        elif replace or not isinstance(here[part], dict | list):
            here[part] = value
        return here[part]
    key = str(part)
    if replace or not isinstance(here.get(key), dict | list):
        here[key] = value
    return here[key]


def _room_for(next_part: str | int) -> Any:
    return [] if isinstance(next_part, int) else {}


def _value(text: str, *, is_secret: bool) -> Any:
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    if is_secret and not (isinstance(value, dict) and value.keys() <= {"file", "env"}):
        return text
    return value
