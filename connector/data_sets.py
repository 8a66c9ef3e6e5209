"""Which logs a cluster may hold: its indices, put together to data sets.

    _resolve/index ──▶ names ──▶ grouped ──▶ DataSet logs-postgresql.log-*
                                        └──▶ PassedOver metrics-…, closed, our own

A data set is what one pattern names: the namespaces of a data stream, the days and
rollovers of an index. What is hidden, a system's own or elkwatch's is left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from elasticsearch import (
    ApiError,
    Elasticsearch,
    NotFoundError,
    TransportError,
)

from connector.faults import translate
from connector.own_output import OWN_PREFIXES

Kind = Literal["data stream", "index", "alias"]

_STREAM = re.compile(
    r"(?P<type>logs|metrics|traces|synthetics|profiling)-(?P<set>[^-]+)-[^-]+"
)
# What rotation adds to a name: days, months, rollovers, versions.
_ROTATION = re.compile(
    r"[-_.](?:\d{4}[.-]\d{2}(?:[.-]\d{2}){0,2}|\d{8}|\d{6}|\d+\.\d+\.\d+)$"
)
_NUMBER = re.compile(r"[-_]\d+$")


@dataclass(frozen=True, slots=True)
class DataSet:
    """Logs that belong together: a short name, the pattern, and what it matches now."""

    name: str
    pattern: str
    kind: Kind
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What is there and is no source, and why."""

    name: str
    reason: str


def data_sets(
    client: Elasticsearch, pattern: str = "*"
) -> tuple[list[DataSet], list[PassedOver]]:
    """The data sets of a cluster that `pattern` matches, and what was passed over.

    Only what the credentials may see is there: what they may `read`, or look at with
    `view_index_metadata`. Raises ConnectorError.
    """
    try:
        resolved = client.indices.resolve_index(
            name=pattern, expand_wildcards=["open", "closed"]
        )
    except NotFoundError:
        return [], []
    except (ApiError, TransportError) as error:
        raise translate(error, f"looking for {pattern}") from error
    return grouped(resolved.body)


def grouped(resolved: Mapping[str, Any]) -> tuple[list[DataSet], list[PassedOver]]:
    """The answer of `_resolve/index` as data sets, by pattern."""
    passed: list[PassedOver] = []
    groups: dict[tuple[str, str], tuple[Kind, list[str]]] = {}
    for stream in resolved.get("data_streams", ()):
        _place(stream["name"], "data stream", groups, passed)
    for index in resolved.get("indices", ()):
        attributes = set(index.get("attributes", ()))
        if attributes & {"hidden", "system"} or index.get("data_stream"):
            continue
        if "closed" in attributes:
            passed.append(PassedOver(index["name"], "is closed; open it to read it"))
            continue
        _place(index["name"], "index", groups, passed)
    names = {name for _, members in groups.values() for name in members}
    for alias in resolved.get("aliases", ()):
        targets = {_stream_of(name) for name in alias.get("indices", ())}
        if alias["name"].startswith(".") or all(map(_is_own, targets)):
            continue
        if targets <= names:
            told = f"an alias of {_few(targets)}, which is looked at itself"
            passed.append(PassedOver(alias["name"], told))
            continue
        groups[(alias["name"], alias["name"])] = ("alias", [alias["name"]])
    return _with_exclusions(_data_set(k, *group) for k, group in groups.items()), passed


def _place(
    name: str,
    kind: Kind,
    groups: dict[tuple[str, str], tuple[Kind, list[str]]],
    passed: list[PassedOver],
) -> None:
    if name.startswith("."):
        return
    if _is_own(name):
        passed.append(PassedOver(name, "is what elkwatch itself writes"))
        return
    stream = _STREAM.fullmatch(name)
    if stream is not None and kind == "data stream":
        if stream["type"] != "logs":
            passed.append(PassedOver(name, f"holds {stream['type']}, not logs"))
            return
        key = stream["set"], f"logs-{stream['set']}-*"
    else:
        key = _stem(name)
    groups.setdefault(key, (kind, []))[1].append(name)


def _stem(name: str) -> tuple[str, str]:
    """A name without what rotation adds, and the pattern of all its kind."""
    stem, joint = name, ""
    while (found := _ROTATION.search(stem)) and found.start():
        stem, joint = stem[: found.start()], stem[found.start()]
    if not joint and (found := _NUMBER.search(stem)):
        return stem[: found.start()], f"{stem[: found.start() + 1]}*"
    return (stem, f"{stem}{joint}*") if joint else (name, name)


def _data_set(key: tuple[str, str], kind: Kind, members: list[str]) -> DataSet:
    name, pattern = key
    if len(members) == 1 and not _ROTATION.search(members[0]) and kind != "data stream":
        pattern = members[0]  # a lone number at its end may mean anything
    return DataSet(name, pattern, kind, tuple(sorted(members)))


def _with_exclusions(found: Iterable[DataSet]) -> list[DataSet]:
    """Patterns that take nothing of one another."""
    sets = sorted(found, key=lambda data_set: data_set.pattern)
    return [
        DataSet(
            one.name,
            ",".join((one.pattern, *_exclusions(one, sets))),
            one.kind,
            one.members,
        )
        for one in sets
    ]


def _exclusions(one: DataSet, sets: Sequence[DataSet]) -> list[str]:
    return [
        f"-{other.pattern}"
        for other in sets
        if other is not one
        and any(fnmatchcase(name, one.pattern) for name in other.members)
    ]


def _stream_of(name: str) -> str:
    """The data stream of a backing index, told by its name; else the name."""
    found = re.fullmatch(r"\.ds-(.+)-\d{4}\.\d{2}\.\d{2}-\d{6}", name)
    return found[1] if found else name


def _is_own(name: str) -> bool:
    return name.removeprefix(".ds-").startswith(OWN_PREFIXES)


def _few(names: Iterable[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:2]) + (" and others" if len(shown) > 2 else "")
