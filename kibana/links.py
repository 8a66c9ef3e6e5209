"""Links into Kibana: Discover on exactly the lines of one finding.

The state of Discover travels in the URL in rison, Kibana's compact notation. It names
the data view of the source by an id that never changes; where nobody installed that
data view, Discover opens its default one with the same query and times.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from urllib.parse import quote


def discover_url(
    base: str,
    space: str,
    *,
    index: str,
    time_field: str,
    start: datetime,
    end: datetime,
    conditions: dict[str, str],
    columns: tuple[str, ...] = ("message",),
) -> str:
    """A URL of Discover: these indices, [start, end], every condition field = value."""
    prefix = "" if space in ("", "default") else f"/s/{quote(space, safe='')}"
    query = " and ".join(f"{f}: {_kql(value)}" for f, value in conditions.items())
    view_id = source_view_id(index, time_field)
    app = (
        f"(columns:!({','.join(map(_rison, columns))}),"
        f"dataSource:(dataViewId:{_rison(view_id)},type:dataView),"
        f"index:{_rison(view_id)},"
        f"query:(language:kuery,query:{_rison(query)}),"
        f"sort:!(!({_rison(time_field)},asc)))"
    )
    spread = f"(time:(from:{_rison(_iso(start))},to:{_rison(_iso(end))}))"
    return (
        f"{base.rstrip('/')}{prefix}/app/discover#/"
        f"?_g={_quoted(spread)}&_a={_quoted(app)}"
    )


def source_view_id(index: str, time_field: str) -> str:
    """The id of the data view of a source's indices."""
    return "elkwatch-" + sha256(f"{index}\0{time_field}".encode()).hexdigest()[:12]


def _kql(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rison(text: str) -> str:
    """A string in rison: quoted, `!` and `'` escaped by `!`."""
    return "'" + text.replace("!", "!!").replace("'", "!'") + "'"


def _quoted(text: str) -> str:
    return quote(text, safe="!'()*,:")


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
