"""The kinds of values a configuration holds, beyond plain text and numbers.

90s, 10m, 1h30m, 7d           → timedelta
now-15m, 2026-11-22, earliest → StartPoint
a regular expression          → tried with RE2 at once
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import re2
from pydantic import AfterValidator, BeforeValidator, PlainSerializer

DURATION_FORM = "a duration such as 90s, 10m, 1h or 7d"
START_FORM = "now-15m (or another duration), an ISO time, or earliest"

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
# Unlike lines: a pattern that leaves no letter and no digit of them hides everything.
_PROBES = (
    "",
    "2026-11-22T10:00:00.123Z ERROR [web-1] payment 4711 of user=eve failed: timeout",
    "a",
    "Übertragung der Datei /var/log/app.log.1 (3,5 kB) beendet",
    "连接 17 已断开",
    "two\nlines",
)
_LONGEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class StartPoint:
    """Where a source begins that has no cursor yet: `ago`, `at`, or neither: earliest.

    `at` is UTC-aware.
    """

    ago: timedelta | None = None
    at: datetime | None = None

    def resolve(self, now: datetime) -> datetime | None:
        """The time to begin at; None is the earliest document there is."""
        return now - self.ago if self.ago is not None else self.at

    def __str__(self) -> str:
        if self.ago is not None:
            return f"now-{duration_text(self.ago)}" if self.ago else "now"
        return "earliest" if self.at is None else _iso(self.at)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: a host or address, and a port (0 takes a free one)."""

    host: str
    port: int

    def __str__(self) -> str:
        return (
            f"[{self.host}]:{self.port}"
            if ":" in self.host
            else (f"{self.host}:{self.port}")
        )


def parse_duration(text: str) -> timedelta:
    """`"1h30m"` → timedelta. Raises ValueError that says what was expected."""
    compact = text.strip().replace(" ", "")
    if not _DURATION.fullmatch(compact):
        raise ValueError(f"expected {DURATION_FORM}, found {text!r}")
    parts = _DURATION_PART.findall(compact)
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"expected at most 100 years, found {text!r}")
    return timedelta(seconds=seconds)


def duration_text(duration: timedelta) -> str:
    """timedelta → the shortest way to write it: `90s`, `1h30m`, `7d`."""
    rest_ms = round(duration.total_seconds() * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        size_ms = round(_UNITS_S[unit] * 1000)
        count, rest_ms = divmod(rest_ms, size_ms)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_start(text: str) -> StartPoint:
    """`now-15m`, an ISO time or `earliest` → StartPoint. Raises ValueError.

    A time without offset is UTC.
    """
    stripped = text.strip()
    if stripped == "earliest":
        return StartPoint()
    if stripped == "now":
        return StartPoint(ago=timedelta(0))
    try:
        if stripped.startswith("now-"):
            return StartPoint(ago=parse_duration(stripped.removeprefix("now-")))
        return StartPoint(at=_utc(datetime.fromisoformat(stripped)))
    except ValueError:
        raise ValueError(f"expected {START_FORM}, found {text!r}") from None


def check_pattern(pattern: str) -> str:
    """The pattern, if RE2 takes it. Raises ValueError with what is wrong and where."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as e:
        raise ValueError(_pattern_fault(pattern, e)) from None
    return pattern


def check_mask_pattern(pattern: str) -> str:
    """A pattern that hides a part of a text. Raises ValueError where it hides all."""
    options = re2.Options()
    options.log_errors = False
    expression = re2.compile(check_pattern(pattern), options)
    if any(m.start() == m.end() for p in _PROBES for m in expression.finditer(p)):
        raise ValueError(
            f"{pattern!r} matches the empty text; let it match at least one character "
            "(+ in place of *)"
        )
    left = "".join(expression.sub("", probe) for probe in _PROBES)
    if not any(c.isascii() and c.isalnum() for c in left):
        raise ValueError(
            f"{pattern!r} hides whole lines, and nobody could read a finding; narrow "
            "it to what is private"
        )
    return pattern


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool | int | float):
        raise ValueError(f"expected {DURATION_FORM}, found {value} without a unit")
    if not isinstance(value, str):
        raise ValueError(f"expected {DURATION_FORM}")
    return parse_duration(value)


def _listen(value: Any) -> Any:
    if isinstance(value, Listen):
        return value
    form = "expected host:port such as 127.0.0.1:9469"
    if not isinstance(value, str):
        raise ValueError(form)
    host, colon, port = value.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"{form}, found {value!r}")
    return Listen(host, int(port))


def _longer_than_nothing(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("expected a duration longer than zero")
    return value


def _start(value: Any) -> Any:
    if isinstance(value, StartPoint):
        return value
    # YAML itself turns an ISO time that is not quoted into a date.
    if isinstance(value, datetime):
        return StartPoint(at=_utc(value))
    if isinstance(value, date):
        return StartPoint(at=datetime(value.year, value.month, value.day, tzinfo=UTC))
    if not isinstance(value, str):
        raise ValueError(f"expected {START_FORM}")
    return parse_start(value)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"expected an IANA time zone such as Asia/Shanghai or UTC, found {name!r}"
        ) from None
    return name


def _web_address(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("expected an address such as https://example.org:443/path")
    if url.username or url.password:
        raise ValueError(
            "expected an address without a password in it; give username and password "
            "in keys of their own"
        )
    return value


def _one_or_several(value: Any) -> Any:
    """A single text where a list is meant; commas part it (environment variables)."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return value


def _pattern_fault(pattern: str, error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    try:
        re.compile(pattern)
    except re.error as e:
        where = f" at position {e.pos}" if e.pos is not None else ""
        return f"bad regular expression {pattern!r}{where}: {e.msg}"
    what, _, fragment = text.partition(": ")
    position = pattern.find(fragment) if fragment else -1
    where = f" at position {position}" if position >= 0 else ""
    return (
        f"bad regular expression {pattern!r}{where}: {what or 'refused'}"
        f"{f' {fragment!r}' if fragment else ''} (RE2 has no lookaround and no "
        "back-references)"
    )


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


Duration = Annotated[
    timedelta, BeforeValidator(_duration), PlainSerializer(duration_text)
]
PositiveDuration = Annotated[Duration, AfterValidator(_longer_than_nothing)]
Start = Annotated[StartPoint, BeforeValidator(_start), PlainSerializer(str)]
ListenAddress = Annotated[Listen, BeforeValidator(_listen), PlainSerializer(str)]
Address = Annotated[str, AfterValidator(_web_address)]
Pattern = Annotated[str, AfterValidator(check_pattern)]
MaskPattern = Annotated[str, AfterValidator(check_mask_pattern)]
ZoneName = Annotated[str, AfterValidator(_zone)]
OneOrSeveral = BeforeValidator(_one_or_several)
