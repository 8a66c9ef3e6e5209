"""Palettes and colours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kibana.check.defect import Spot, is_number

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def check_colour(value: Any, spot: Spot) -> None:
    """A colour as `#rrggbb`."""
    good = isinstance(value, str) and _COLOUR.fullmatch(value) is not None
    spot.need(good, f"{value} is no colour; write #rrggbb")


def check_palette(palette: Mapping[str, Any], spot: Spot) -> None:
    """A palette by name, or one of its own stops in rising order."""
    spot.need(palette.get("type") == "palette", "palette.type must be palette")
    name = spot.text(palette.get("name"), "palette.name")
    spot.need(
        name in {"", "default", "status", "kibana_palette", "custom"},
        f"palette {name} is unknown",
    )
    if name != "custom":
        return
    params = spot.mapping(palette.get("params"), "palette.params")
    spot.need(params.get("name") == "custom", "palette.params.name must be custom")
    spot.need(
        params.get("rangeType") in ("percent", "number"),
        "palette.params.rangeType must be percent or number",
    )
    spot.need(
        params.get("continuity") in ("above", "below", "all", "none"),
        "palette.params.continuity must be above, below, all or none",
    )
    counts = []
    for key in ("colorStops", "stops"):
        here = spot.at(key)
        stops = here.items(params.get(key), key)
        values = []
        for value in stops:
            stop = here.mapping(value, "stop")
            check_colour(stop.get("color"), here)
            if here.need(is_number(stop.get("stop")), "stop must be a number"):
                values.append(stop["stop"])
        here.need(values == sorted(values), "stops must rise")
        counts.append(len(stops))
    same = len(set(counts)) == 1 and params.get("steps") == counts[0] and counts[0] > 0
    spot.need(same, "steps, colorStops and stops must be as many")


def check_colour_mapping(value: Any, spot: Spot) -> None:
    """Colours by value, in the form that 8.x writes and 9.x converts."""
    mapping = spot.mapping(value, "colorMapping")
    for value_ in spot.items(mapping.get("assignments"), "assignments"):
        assignment = spot.mapping(value_, "assignment")
        rule = spot.mapping(assignment.get("rule"), "rule")
        spot.need(rule.get("type") == "matchExactly", "rule.type must be matchExactly")
        values = spot.items(rule.get("values"), "rule.values")
        spot.need(
            bool(values) and all(isinstance(v, str) for v in values),
            "rule.values must be texts: the raw terms",
        )
        _check_code(assignment.get("color"), spot)
    special = spot.items(mapping.get("specialAssignments"), "specialAssignments")
    spot.need(len(special) == 1, "specialAssignments must hold the one for the rest")
    for value_ in special:
        assignment = spot.mapping(value_, "assignment")
        rule = spot.mapping(assignment.get("rule"), "rule")
        spot.need(rule.get("type") == "other", "rule.type must be other")
        _check_code(assignment.get("color"), spot)
    spot.text(mapping.get("paletteId"), "paletteId")
    mode = spot.mapping(mapping.get("colorMode"), "colorMode")
    spot.need(mode.get("type") == "categorical", "colorMode.type must be categorical")


def _check_code(value: Any, spot: Spot) -> None:
    colour = spot.mapping(value, "color")
    spot.need(
        colour.get("type") == "colorCode",
        "color.type must be colorCode, the one form that every version reads",
    )
    check_colour(colour.get("colorCode"), spot)
