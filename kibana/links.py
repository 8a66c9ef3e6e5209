"""Links into Kibana: the lines of a finding, the finding itself, its dashboard.

The state of a page travels in its URL in rison, Kibana's compact notation. Ids in a URL
are not rewritten for another space, so each link is given those that were installed.
Log text stays data: it is escaped for KQL, then for rison, then for the URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

_LINE_ENDS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile(r'([\\():<>"*{}])')


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one Kibana. `base` is its address as people open it."""

    base: str
    space: str = "default"

    def discover(
        self,
        view_id: str,
        query: str,
        start: datetime,
        end: datetime,
        *,
        columns: Sequence[str] = (),
        time_field: str = "@timestamp",
        order: str = "asc",
    ) -> str:
        """Discover on [start, end] of a data view: the documents of a KQL query.

        The times are widened to whole milliseconds, which is what Kibana counts in.
        """
        state = (
            f"(columns:!({','.join(map(_rison, columns))}),"
            f"dataSource:(dataViewId:{_rison(view_id)},type:dataView),"
            f"index:{_rison(view_id)},"
            f"query:(language:kuery,query:{_rison(query)}),"
            f"sort:!(!({_rison(time_field)},{order})))"
        )
        return self._page("discover#/", start, end, state)

    def dashboard(
        self, dashboard_id: str, query: str, start: datetime, end: datetime
    ) -> str:
        """A dashboard of [start, end], filtered by a KQL query."""
        state = f"(query:(language:kuery,query:{_rison(query)}))"
        page = f"dashboards#/view/{quote(dashboard_id, safe='')}"
        return self._page(page, start, end, state)

    def _page(self, page: str, start: datetime, end: datetime, state: str) -> str:
        inner = quote(self.space, safe="")
        prefix = "" if self.space in ("", "default") else f"/s/{inner}"
        times = f"(time:(from:{_rison(_floor(start))},to:{_rison(_ceiling(end))}))"
        return (
            f"{self.base.rstrip('/')}{prefix}/app/{page}"
            f"?_g={_quoted(times)}&_a={_quoted(state)}"
        )


def kql(conditions: Mapping[str, str | None]) -> str:
    """Documents where each field has its value; None: where it has none."""
    return " and ".join(
        f"not {_field(field)}: *"
        if value is None
        else f"{_field(field)}: {_value(value)}"
        for field, value in conditions.items()
    )


def source_view_id(index: str, time_field: str) -> str:
    """The id of the data view of a source's indices, as `build` makes it."""
    return "elkwatch-" + sha256(f"{index}\0{time_field}".encode()).hexdigest()[:12]


def _field(name: str) -> str:
    return _SPECIAL.sub(r"\\\1", name)


def _value(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    for end, written in _LINE_ENDS.items():
        escaped = escaped.replace(end, written)
    return f'"{escaped}"'


def _rison(text: str) -> str:
    """A string in rison: quoted, `!` and `'` escaped by `!`."""
    return "'" + text.replace("!", "!!").replace("'", "!'") + "'"


def _quoted(text: str) -> str:
    return quote(text, safe="!'()*,:", errors="replace")


def _floor(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ceiling(time: datetime) -> str:
    return _floor(time + timedelta(microseconds=999))
