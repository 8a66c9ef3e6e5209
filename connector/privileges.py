"""Which privileges the service has, found out by trying, with nothing left behind.

Each attempt is one that Elasticsearch refuses *after* it looked at the privilege:

    read             a search or get that finds nothing
    index            an update that insists on an alias (`require_alias`): 404
    auto_configure   a write to an index whose name no index may have: 400

So 403 means that the privilege is missing, and that other answer that it is there. No
index is made and no document written. Where there is no such attempt (what may be
written into a stream that is yet to be made), Elasticsearch is asked instead.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from elasticsearch import ApiError, Elasticsearch, TransportError

from connector.elastic_state import state_index
from connector.errors import OwnOutputRefused, PrivilegeMissing
from connector.faults import translate, why
from connector.findings import stream_name
from connector.own_output import guarded_pattern
from connector.records import SourceSpec
from connector.run_figures import run_stream_name

Standing = Literal["held", "missing", "unknown"]
Scope = Literal["cluster", "index"]

# No index may have capital letters in its name.
_IMPOSSIBLE_KIND = "DOCTOR"
_NO_SUCH_ID = "elkwatch-doctor"
# An engine without security answers so: it has no such path.
_NO_SUCH_CALL = {400, 405}


@dataclass(frozen=True, slots=True)
class Privilege:
    """One privilege that the service needs: which, on what, and what for."""

    scope: Scope
    name: str
    on: str
    purpose: str

    def __str__(self) -> str:
        on = f" on {self.on}" if self.on else ""
        return f"{self.scope} privilege {self.name}{on}"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `tried` or only asked for; `note`: why it is unknown."""

    privilege: Privilege
    standing: Standing
    tried: bool = True
    note: str = ""


def try_privileges(
    client: Elasticsearch, sources: Iterable[SourceSpec], namespace: str
) -> Iterator[Trial]:
    """A trial for each privilege of the run role (`connector.roles`), one by one.

    Raises an EngineError where Elasticsearch cannot be used at all.
    """
    asked = _Asked(client)
    yield _tried(
        Privilege("cluster", "monitor", "", "looking at the cluster"),
        lambda: client.cluster.health(filter_path="status"),
    )
    for spec in sources:
        with suppress(OwnOutputRefused):  # told where the source is looked at
            for part in source_patterns(spec):
                yield _source(client, asked, spec.name, part)
    yield from _findings(client, asked, stream_name(namespace))
    figures = run_stream_name(namespace)
    for name in ("create_doc", "auto_configure"):
        yield asked.trial(Privilege("index", name, figures, "writing run figures"))
    yield from _state(client, namespace)


def source_patterns(spec: SourceSpec) -> list[str]:
    """What a role names: the pattern without exclusions and remote clusters.

    Raises OwnOutputRefused.
    """
    guarded_pattern(spec.index, spec.name)
    parts = [part.strip() for part in spec.index.split(",")]
    return [p for p in parts if p and not p.startswith("-") and ":" not in p]


def _source(client: Elasticsearch, asked: "_Asked", source: str, part: str) -> Trial:
    """A wildcard matches what may be read, so that nothing is refused: then ask."""
    privilege = Privilege("index", "read", part, f"reading source {source}")
    found = False

    def look() -> None:
        nonlocal found
        answer = client.field_caps(index=part, fields="@timestamp")
        found = bool(answer["indices"])
        client.search(index=part, size=0, terminate_after=1, track_total_hits=False)

    trial = _tried(privilege, look)
    if trial.standing != "held" or found:
        return trial
    return asked.trial(privilege)


def _findings(client: Elasticsearch, asked: "_Asked", stream: str) -> Iterator[Trial]:
    yield _tried(
        Privilege("index", "read", stream, "finding findings again"),
        lambda: client.search(index=stream, size=0, track_total_hits=False),
    )
    yield _tried(
        Privilege("index", "index", stream, "writing and amending findings"),
        lambda: _update_nothing(client, stream),
    )
    yield asked.trial(
        Privilege("index", "auto_configure", stream, "making the stream of findings")
    )


def _state(client: Elasticsearch, namespace: str) -> Iterator[Trial]:
    pattern, leases = state_index("*", namespace), state_index("leases", namespace)
    yield _tried(
        Privilege("index", "read", pattern, "reading state"),
        lambda: client.get(index=leases, id=_NO_SUCH_ID),
    )
    yield _tried(
        Privilege("index", "index", pattern, "writing state"),
        lambda: _update_nothing(client, leases),
    )
    yield _tried(
        Privilege("index", "auto_configure", pattern, "making the indices of state"),
        lambda: _write_nowhere(client, state_index(_IMPOSSIBLE_KIND, namespace)),
    )


def _update_nothing(client: Elasticsearch, index: str) -> None:
    """Refused: it is no alias. Nothing is made, and no document is touched."""
    client.update(index=index, id=_NO_SUCH_ID, doc={}, require_alias=True)


def _write_nowhere(client: Elasticsearch, index: str) -> None:
    """Refused: no index can have this name. Who may make none is refused before."""
    answer = client.bulk(
        operations=[{"create": {"_index": index, "_id": _NO_SUCH_ID}}, {}]
    )
    for item in answer["items"]:
        if item["create"].get("status") == 403:
            raise _Refused(why(item["create"])[1])


class _Refused(Exception):  # noqa: N818  an answer, not an error
    """An item of a bulk request was not allowed."""


def _tried(privilege: Privilege, attempt: Callable[[], object]) -> Trial:
    try:
        attempt()
    except _Refused:
        return Trial(privilege, "missing")
    except ApiError as error:
        if error.status_code in {400, 404}:
            return Trial(privilege, "held")
        told = translate(error, f"trying the {privilege}")
        if isinstance(told, PrivilegeMissing):
            return Trial(privilege, "missing")
        if error.status_code == 401:
            raise told from error
        return Trial(privilege, "unknown", note=str(told))
    except TransportError as error:
        raise translate(error, f"trying the {privilege}") from error
    return Trial(privilege, "held")


class _Asked:
    """Asks Elasticsearch whether we hold a privilege; everybody may ask of himself."""

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client

    def trial(self, privilege: Privilege) -> Trial:
        """Held where security is off: then nobody is refused anything."""
        wanted = [{"names": [privilege.on], "privileges": [privilege.name]}]
        try:
            answer: Mapping[str, Any] = self._client.security.has_privileges(
                index=wanted
            ).body
        except ApiError as error:
            if error.status_code in _NO_SUCH_CALL:
                return Trial(privilege, "held", tried=False)
            told = translate(error, f"asking for the {privilege}")
            return Trial(privilege, "unknown", tried=False, note=str(told))
        except TransportError as error:
            raise translate(error, f"asking for the {privilege}") from error
        held = bool(answer.get("has_all_requested"))
        return Trial(privilege, "held" if held else "missing", tried=False)
