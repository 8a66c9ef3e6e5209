"""From a verdict to the lines it came from, in Kibana."""

from __future__ import annotations

from datetime import timedelta

from connector import split_key
from elkwatch.config import KibanaSettings, SourceSettings
from elkwatch.pipeline import LogUrl
from kibana import discover_url
from model import Verdict

AROUND = timedelta(seconds=1)


def log_links(settings: SourceSettings, kibana: KibanaSettings | None) -> LogUrl:
    """A function that links a verdict to its lines; None where no Kibana is known."""

    def link(verdict: Verdict) -> str | None:
        if kibana is None or kibana.url is None:
            return None
        return discover_url(
            str(kibana.url),
            kibana.space,
            index=settings.index,
            time_field=settings.time_field,
            start=verdict.start - AROUND,
            end=verdict.end + AROUND,
            conditions=_conditions(settings, verdict.key),
            columns=(settings.message_field, settings.severity_field),
        )

    return link


def _conditions(settings: SourceSettings, key: str) -> dict[str, str]:
    session = settings.session
    if session is not None and session.field:
        return {session.field: key}
    if session is not None and session.pattern:
        return {settings.message_field: key}
    fields = (
        session.fields if session else (settings.service_field, settings.host_field)
    )
    return {f: v for f, v in zip(fields, split_key(key), strict=False) if v}
