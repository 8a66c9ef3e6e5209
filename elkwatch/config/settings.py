"""Every section of the configuration, with its types, defaults and descriptions.

The models are frozen and refuse what they do not know. Their descriptions are the
reference: `docs/configuration.md` repeats them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from elkwatch.config.base import Name, Settings, refuse_twice
from elkwatch.config.channels import AlertingSettings
from elkwatch.config.places import ElasticsearchSettings, KibanaSettings
from elkwatch.config.secrets import ConfigPath
from elkwatch.config.sources import SourceSettings
from elkwatch.config.values import (
    Duration,
    ListenAddress,
    MaskPattern,
    OneOrSeveral,
    PositiveDuration,
)

MASKS = ("email", "ip", "card", "token")

_NAMESPACE = re.compile(r"[a-z0-9][a-z0-9._]{0,99}")


class ScheduleSettings(Settings):
    """When the service looks for new logs."""

    interval: PositiveDuration = Field(
        timedelta(seconds=60), description="Time from one look to the next."
    )
    query_delay: Duration = Field(
        timedelta(seconds=30),
        description="Stay this far behind now, for documents still on their way.",
    )
    overlap: Duration = Field(
        timedelta(minutes=1),
        description="Read this much again before the cursor, for late documents.",
    )


class LimitSettings(Settings):
    """Bounds that keep memory in hand, whatever comes in."""

    max_open_sessions: int = Field(
        50_000, ge=1, description="More, and the oldest are scored early."
    )
    max_events_per_session: int = Field(
        10_000, ge=2, description="More, and the session is cut."
    )
    page_size: int = Field(
        2000, ge=1, le=10_000, description="Documents fetched in one request."
    )


class MaskSettings(Settings):
    """One thing to mask: a built-in kind by name, or an own pattern with a name."""

    name: Name = Field(description="email, ip, card, token, or a name of your own.")
    pattern: MaskPattern | None = Field(
        None, description="What your own one looks like (RE2), narrower than a line."
    )

    @model_validator(mode="after")
    def _known_or_own(self) -> MaskSettings:
        if self.pattern is None and self.name not in MASKS:
            raise ValueError(
                f"{self.name!r} is none of {', '.join(MASKS)}; for one of your own "
                "write {name: NAME, pattern: REGEX}"
            )
        return self


def _mask(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class PrivacySettings(Settings):
    """What is masked in every excerpt that leaves elkwatch."""

    mask: Annotated[
        tuple[Annotated[MaskSettings, BeforeValidator(_mask)], ...], OneOrSeveral
    ] = Field((), description="email, ip, card, token, or {name: …, pattern: …}.")
    session_keys: Literal["masked", "shown"] = Field(
        "masked",
        description="Whether masks apply to session keys too; `shown` keeps links to a "
        "session's lines exact where its key is an address or the like.",
    )


class MonitoringSettings(Settings):
    """Watching elkwatch itself: /healthz, /readyz and /metrics over HTTP."""

    listen: ListenAddress | None = Field(
        None, description="`host:port` to answer at, e.g. 127.0.0.1:9469."
    )
    stale_after: PositiveDuration = Field(
        timedelta(minutes=5),
        description="/healthz fails after this long without a step.",
    )


class ResultSettings(Settings):
    """What is written."""

    include_normal: bool = Field(
        False, description="Write every session, not only the anomalous ones."
    )


class RetentionSettings(Settings):
    """How long Elasticsearch keeps what elkwatch writes; takes effect with `setup`."""

    findings: PositiveDuration = Field(timedelta(days=90), description="Findings.")
    metrics: PositiveDuration = Field(timedelta(days=30), description="Run figures.")


class Config(Settings):
    """The whole configuration, checked and frozen."""

    elasticsearch: ElasticsearchSettings
    namespace: str = Field("default", description="Last part of what is written to.")
    sources: tuple[SourceSettings, ...] = Field(
        min_length=1, description="What to read."
    )
    schedule: ScheduleSettings = ScheduleSettings()
    limits: LimitSettings = LimitSettings()
    kibana: KibanaSettings | None = None
    privacy: PrivacySettings = PrivacySettings()
    alerting: AlertingSettings = AlertingSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    results: ResultSettings = ResultSettings()
    retention: RetentionSettings = RetentionSettings()
    catalogue: ConfigPath | None = Field(
        None, description="YAML with own names, advice and rules for classes."
    )

    @field_validator("namespace")
    @classmethod
    def _data_stream_namespace(cls, text: str) -> str:
        if not _NAMESPACE.fullmatch(text):
            raise ValueError(
                "expected small letters, digits, dots and underscores (no dash), found "
                f"{text!r}"
            )
        return text

    @field_validator("sources")
    @classmethod
    def _unique(cls, sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        refuse_twice("sources", (source.name for source in sources))
        return sources
