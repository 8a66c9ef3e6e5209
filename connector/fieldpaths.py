"""Field paths: `host.name` found in whatever shape a shipper wrote it.

Elasticsearch takes `{"host": {"name": …}}`, `{"host.name": …}` and every mixture as the
same field, and gives `_source` back as it came. A path is compiled once and then tried
in all shapes.
"""

from collections.abc import Callable, Mapping
from typing import Any

Getter = Callable[[Any], Any]
Compiler = Callable[[str], Getter]


def compile_path(path: str) -> Getter:
    """A function from a document to the value at `path`, or None.

    The nested shapes are tried first, the whole dotted key last. Of a list of objects
    the first that has the value gives it.
    """
    segments = path.split(".")
    if len(segments) == 1:
        return lambda source: source.get(path)
    if len(segments) == 2:
        return _two(path, *segments)
    if len(segments) == 3:
        return _three(path, *segments)
    return _several(path, segments)


def _two(path: str, head: str, tail: str) -> Getter:
    inner = compile_path(tail)

    def get(source: Mapping[str, Any]) -> Any:
        under = source.get(head)
        value = under.get(tail) if type(under) is dict else below(under, inner)
        return source.get(path) if value is None else value

    return get


def _three(path: str, first: str, second: str, third: str) -> Getter:
    otherwise = _several(path, [first, second, third])

    def get(source: Mapping[str, Any]) -> Any:
        under = source.get(first)
        if type(under) is dict:
            under = under.get(second)
            if type(under) is dict:
                value = under.get(third)
                if value is not None:
                    return value
        return otherwise(source)

    return get


def _several(path: str, segments: list[str]) -> Getter:
    splits = [
        (".".join(segments[:i]), compile_path(".".join(segments[i:])))
        for i in range(1, len(segments))
    ]

    def get(source: Mapping[str, Any]) -> Any:
        for head, inner in splits:
            value = below(source.get(head), inner)
            if value is not None:
                return value
        return source.get(path)

    return get


def below(found: Any, inner: Getter) -> Any:
    """What a path finds in a value below it: an object, or the first of a list."""
    if isinstance(found, Mapping):
        return inner(found)
    if isinstance(found, list):
        for item in found:
            if isinstance(item, Mapping):
                value = inner(item)
                if value is not None:
                    return value
    return None


def first_of(paths: tuple[str, ...], compiled: Compiler = compile_path) -> Getter:
    """A function from a document to the first value that one of `paths` has."""
    getters = [compiled(path) for path in dict.fromkeys(paths)]
    if len(getters) == 1:
        return getters[0]

    def get(source: Mapping[str, Any]) -> Any:
        for getter in getters:
            value = getter(source)
            if value is not None:
                return value
        return None

    return get
