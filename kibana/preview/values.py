"""Values as Kibana would show them: by the format of the column or of the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal

from kibana.preview.answers import Value

NOTHING = "–"
_BYTES = ("B", "KB", "MB", "GB", "TB", "PB")
_UNITS_S = ((86_400, "d"), (3600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table. `link`: where it leads, if the format makes it a link."""

    text: str
    kind: Literal["text", "number", "time", "badge", "link"] = "text"
    link: str = ""


def value_text(value: Value, column: Mapping[str, Any], zone: tzinfo) -> str:
    """A value of a Lens column."""
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        return time_text(value, zone)
    if isinstance(value, str):
        return value
    return number_text(value, column.get("params", {}).get("format", {}))


def column_cell(
    value: Value,
    column: Mapping[str, Any],
    formats: Mapping[str, Mapping[str, Any]],
    zone: tzinfo,
) -> Cell:
    """A value of a Lens column, in a table."""
    text = value_text(value, column, zone)
    if isinstance(value, datetime):
        return Cell(text, "time")
    if isinstance(value, str):
        return field_cell(value, formats.get(column.get("sourceField", ""), {}))
    return Cell(text, "number")


def field_cell(value: str | None, wish: Mapping[str, Any]) -> Cell:
    """A value of a document, by the format that the data view has for its field."""
    if value is None:
        return Cell(NOTHING)
    params = wish.get("params", {})
    match wish.get("id"):
        case "url":
            return Cell(params.get("labelTemplate") or value, "link", value)
        case "color":
            return Cell(value, "badge")
        case "static_lookup":
            words = {e["key"]: e["value"] for e in params["lookupEntries"]}
            return Cell(words.get(value, value))
        case "percent":
            return Cell(number_text(float(value), wish), "number")
        case "duration":
            return Cell(_duration(float(value) / 1e9), "number")
    return Cell(value)


def number_text(value: float, wish: Mapping[str, Any]) -> str:
    """A number by a format of Kibana: number, percent, bytes."""
    params = wish.get("params", {})
    decimals: int | None = params.get("decimals")
    suffix: str = params.get("suffix", "")
    match wish.get("id"):
        case "percent":
            return f"{value:.{1 if decimals is None else decimals}%}"
        case "bytes":
            return _bytes(value, decimals or 0)
        case "number" if decimals is not None:
            return _bare(f"{value:,.{decimals}f}") + suffix
    return _bare(f"{value:,.3f}") + suffix


def time_text(value: datetime, zone: tzinfo) -> str:
    """A time to the second, in the zone."""
    return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _bare(text: str) -> str:
    """Without zeros at the end that say nothing."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bytes(value: float, decimals: int) -> str:
    for unit in _BYTES[:-1]:
        if abs(value) < 1024:
            return f"{value:,.{decimals}f} {unit}"
        value /= 1024
    return f"{value:,.{decimals}f} {_BYTES[-1]}"


def _duration(seconds: float) -> str:
    for size, unit in _UNITS_S:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.2f} s"
