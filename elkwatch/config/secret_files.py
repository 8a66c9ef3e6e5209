"""Which files hold secrets: those named as `{file: PATH}`, private keys, and the
configuration itself where a secret stands in it as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from elkwatch.config import environment, yaml_file
from elkwatch.config.explain import locate
from elkwatch.config.settings import Config

_KEY_FILE = "client_key"


def secret_files(file: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that nobody else should be able to read, sorted.

    Raises ConfigError where the configuration cannot be read.
    """
    document = yaml_file.read_yaml(file)
    for change in environment.overrides(environ):
        environment.apply(change, document.data)
    written = _named(yaml_file.read_yaml(file).data, ())
    named = {n for n in _named(document.data, ()) if n is not None}
    found = {(file.absolute().parent / Path(n).expanduser()) for n in named}
    if None in set(written):
        found.add(file)
    return tuple(sorted(path for path in found if path.exists()))


def _named(value: Any, path: tuple[str | int, ...]) -> Iterator[str | None]:
    """Names of files with secrets; None for a secret that stands there as text."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named(inner, (*path, str(key)))
            if key == _KEY_FILE and isinstance(inner, str):
                yield inner
        if _is_secret(path) and isinstance(value.get("file"), str):
            yield value["file"]
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _named(inner, (*path, i))
    elif isinstance(value, str) and path and _is_secret(path):
        yield None


def _is_secret(path: tuple[str | int, ...]) -> bool:
    return locate(path, Config).is_secret
