"""From a verdict to exactly the lines it came from, in Kibana."""

from __future__ import annotations

from collections.abc import Callable

from connector import split_key
from elkwatch.config import KibanaSettings, SourceSettings
from elkwatch.confirm import KEYLESS
from elkwatch.outputs import LogUrl
from elkwatch.privacy import Mask
from elkwatch.source_watch import is_spell
from kibana import Key, Pages, kql, source_view_id
from model import Verdict

#: Our id of a Kibana object → the id it has in the space.
Located = Callable[[Key], str]


def log_links(
    settings: SourceSettings,
    kibana: KibanaSettings | None,
    located: Located,
    mask: Mask = str,
) -> LogUrl:
    """A function that links a verdict to its lines; None where no Kibana is known.

    The lines between the first and the last of the unit that have its key. Only of
    lines without a key in a source with a pattern the link shows more: KQL cannot say
    "does not match", so those of the same service and host are shown. What `mask` would
    hide stands in no link: of such a key the lines of its time are shown.
    """
    view = Key("index-pattern", source_view_id(settings.index, settings.time_field))

    def link(verdict: Verdict) -> str | None:
        if kibana is None:
            return None
        return Pages(str(kibana.url), kibana.space).discover(
            located(view),
            kql(_shown(_conditions(settings, verdict), verdict, mask)),
            verdict.start,
            verdict.end,
            columns=(settings.message_field, settings.severity_field),
            time_field=settings.time_field,
        )

    return link


def _shown(
    conditions: dict[str, str | None], verdict: Verdict, mask: Mask
) -> dict[str, str | None]:
    """Those without a private value; names of services and hosts are none."""
    private = {f for f, v in conditions.items() if v is not None and mask(v) != v}
    if private:
        names = {verdict.service, verdict.host}
        private = {field for field in private if conditions[field] not in names}
    return {f: v for f, v in conditions.items() if f not in private}


def _conditions(settings: SourceSettings, verdict: Verdict) -> dict[str, str | None]:
    if is_spell(verdict):
        return {settings.service_field: verdict.service} if verdict.service else {}
    session, key = settings.session, verdict.key
    parts = split_key(key)
    keyless = len(parts) == 3 and parts[0] == KEYLESS
    origin = (settings.service_field, settings.host_field)
    if session is None or not (session.field or session.pattern or session.fields):
        return _values(origin, parts[1:] if keyless else parts)
    if keyless and len(session.fields) != 3:
        named = (session.field,) if session.field else session.fields
        lacking: dict[str, str | None] = dict.fromkeys(named)
        return lacking | _values(origin, parts[1:])
    if session.field:
        return {session.field: key}
    if session.pattern:
        return {settings.message_field: key}
    return _values(session.fields, parts)


def _values(fields: tuple[str, ...], values: tuple[str, ...]) -> dict[str, str | None]:
    return {f: v or None for f, v in zip(fields, values, strict=False)}
