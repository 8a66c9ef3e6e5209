"""What is read, and how lines become sessions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from elkwatch.config.base import FieldName, Name, Settings
from elkwatch.config.secrets import ConfigPath
from elkwatch.config.values import (
    OneOrSeveral,
    Pattern,
    PositiveDuration,
    Start,
    StartPoint,
)
from elkwatch.config.watching import RateSettings, SilenceSettings

_MASK_NAME = re.compile(r"[A-Za-z_]{1,40}")


def _mask_name(text: str) -> str:
    if not _MASK_NAME.fullmatch(text):
        raise ValueError(f"a mask is named by letters and underscores, found {text!r}")
    return text


MaskName = Annotated[str, AfterValidator(_mask_name)]


class SessionSettings(Settings):
    """What makes log lines one session: exactly one of field, pattern and fields."""

    field: FieldName | None = Field(
        None, description="A key that ends: a request, a connection."
    )
    pattern: Pattern | None = Field(
        None,
        description="A key that ends, found in the message: the first group of this "
        "regular expression (RE2), or all it matches.",
    )
    fields: Annotated[tuple[FieldName, ...], OneOrSeveral] = Field(
        (), description="Keys that never end, such as a host; needs `window`."
    )
    window: PositiveDuration | None = Field(
        None, description="Length of the windows of such keys, aligned to the epoch."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> SessionSettings:
        ways = {"field": self.field, "pattern": self.pattern, "fields": self.fields}
        given = [name for name, value in ways.items() if value]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(
                f"expected exactly one of field, pattern and fields, found {found}"
            )
        if self.fields and self.window is None:
            raise ValueError(
                "fields name keys that never end; add a window, such as window: 5m"
            )
        if self.window is not None and not self.fields:
            raise ValueError(f"window goes with fields, not with {given[0]}")
        return self


class DetectorSettings(Settings):
    """Which detectors of the model's bundle decide; see docs/detectors.md."""

    ensemble: tuple[str, ...] = Field(
        min_length=1,
        description="Names of detectors that `elkwatch train --detector` fitted; "
        "`elkwatch` is Enhanced DeepLog. `detector: NAME` is short for one.",
    )
    rule: Literal["any", "majority", "mean-rank"] = Field(
        "any", description="How several decide together."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, value: Any) -> Any:
        return {"ensemble": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _each_once(self) -> DetectorSettings:
        if len(set(self.ensemble)) != len(self.ensemble):
            raise ValueError("names a detector twice; name each once")
        return self


class SourceSettings(Settings):
    """Logs to read: where they are, and which field means what."""

    name: Name = Field(description="Unique; part of every finding's identity.")
    index: str = Field(min_length=1, description="Index, data stream or pattern.")
    message_field: FieldName = Field("message", description="The text of a line.")
    time_field: FieldName = Field("@timestamp", description="When it happened.")
    severity_field: FieldName = Field("log.level", description="Its severity.")
    service_field: FieldName = Field("service.name", description="Who said it.")
    host_field: FieldName = Field("host.name", description="Where.")
    sequence_field: FieldName | None = Field(
        None,
        description="Order within equal times; without it `event.sequence`, then "
        "`log.offset`.",
    )
    session: SessionSettings | None = Field(
        None,
        description="What makes lines one session; without it, windows of 5 minutes "
        "per service and host.",
    )
    session_timeout: PositiveDuration = Field(
        timedelta(minutes=10), description="A session idle this long is closed."
    )
    max_session_age: PositiveDuration = Field(
        timedelta(hours=1),
        description="An older session is cut on windows of this length.",
    )
    start: Start = Field(
        StartPoint(ago=timedelta(minutes=15)),
        description="Where to begin without a cursor: now-…, an ISO time, earliest.",
    )
    masks: dict[MaskName, Pattern] = Field(
        {},
        description="Values of your own in messages, NAME: REGEX (RE2), hidden before "
        "templates are made; they take effect with `elkwatch train`.",
    )
    model: ConfigPath | None = Field(
        None, description="Folder of the model bundle; `elkwatch train` makes one."
    )

    detector: DetectorSettings | None = Field(
        None,
        description="What decides instead of Enhanced DeepLog, which still tells kinds "
        "and evidence.",
    )
    threshold: float | None = Field(
        None,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="The score past which a session is anomalous, instead of the "
        "model's own; 1 is where one view of a session alone calls it so.",
    )
    alarm_budget: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="At most so many false alarms a day, instead of `threshold`: the "
        "threshold is the lowest that the model's held-out normal sessions allow.",
    )

    silence: SilenceSettings = Field(
        SilenceSettings(), description="When a service that falls silent is told of."
    )
    rate: RateSettings = Field(
        RateSettings(), description="When a service that says more or less is told of."
    )

    @model_validator(mode="after")
    def _one_threshold(self) -> SourceSettings:
        if self.threshold is not None and self.alarm_budget is not None:
            raise ValueError(
                "threshold and alarm_budget exclude each other; keep one of the two"
            )
        return self

    @model_validator(mode="after")
    def _timeout_within_age(self) -> SourceSettings:
        if self.session_timeout > self.max_session_age:
            raise ValueError("session_timeout is longer than max_session_age")
        return self
