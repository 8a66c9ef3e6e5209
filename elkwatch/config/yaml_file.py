"""A YAML file as plain data, with the line of every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from elkwatch.errors import ConfigError

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a file, and the line (from 1) on which each path was written."""

    data: dict[str, Any]
    lines: Mapping[Path_, int] = field(default_factory=dict)


def read_yaml(path: Path) -> Document:
    """Read one YAML document of keys and values.

    Raises ConfigError with file, line and column for what is not YAML or has a key
    twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except IsADirectoryError as e:
        raise ConfigError(f"{path}: is a directory; name the file in it") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{path}: is not UTF-8 text; is it a YAML file?") from e
    except PermissionError as e:
        raise ConfigError(f"{path}: permission denied; let elkwatch read it") from e
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(
                f"{path}: is empty; `elkwatch config example` prints a whole one"
            )
        lines = _lines(node, path)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        said = e.problem or e.context or "unreadable"
        raise ConfigError(f"{path}{where}: not valid YAML: {said}") from e
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        said = " ".join(str(e).split())
        raise ConfigError(f"{path}: not valid YAML: {said}") from e
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path}:1:1: expected keys with values, as in `namespace: default`"
        )
    return Document({str(key): value for key, value in data.items()}, lines)


def _lines(node: yaml.Node, file: Path) -> dict[Path_, int]:
    """The line of each path; refuses keys that come twice, of which YAML drops one."""
    found: dict[Path_, int] = {}
    waiting: list[tuple[Path_, yaml.Node]] = [((), node)]
    seen: set[int] = set()
    while waiting:
        path, current = waiting.pop()
        found.setdefault(path, current.start_mark.line + 1)
        if id(current) in seen:  # an alias: its content was looked at
            continue
        seen.add(id(current))
        if isinstance(current, yaml.SequenceNode):
            waiting += [((*path, i), item) for i, item in enumerate(current.value)]
        elif isinstance(current, yaml.MappingNode):
            keys: set[str] = set()
            for key_node, value_node in current.value:
                key = str(key_node.value)
                line, column = key_node.start_mark.line + 1, key_node.start_mark.column
                if key in keys and key != "<<":
                    raise ConfigError(
                        f"{file}:{line}:{column + 1}: the key {key} comes twice; "
                        "keep one"
                    )
                keys.add(key)
                found[(*path, key)] = line
                waiting.append(((*path, key), value_node))
    return found
