"""Values as their formats show them."""

from __future__ import annotations

from typing import Any

import pytest

from kibana.preview.values import field_cell, number_text


@pytest.mark.parametrize(
    ("value", "kind", "params", "text"),
    [
        (1234.5, "number", {"decimals": 0}, "1,234"),
        (1234.5, "number", {"decimals": 2}, "1,234.5"),
        (2, "number", {"decimals": 0, "suffix": " s"}, "2 s"),
        (0.5, "percent", {"decimals": 1}, "50.0%"),
        (1536, "bytes", {"decimals": 1}, "1.5 KB"),
        (2**62, "bytes", {"decimals": 0}, "4,096 PB"),
        (3.25, "", {}, "3.25"),
        (100, "", {}, "100"),
    ],
)
def test_numbers(value: float, kind: str, params: dict[str, Any], text: str) -> None:
    assert number_text(value, {"id": kind, "params": params}) == text


def test_formats_of_fields() -> None:
    severity = {"lookupEntries": [{"key": "4", "value": "critical"}]}
    assert (
        field_cell("4", {"id": "static_lookup", "params": severity}).text == "critical"
    )
    assert field_cell("5400000000000", {"id": "duration"}).text == "1.5 h"
    assert field_cell("0.25", {"id": "percent"}).text == "25.0%"
    assert field_cell(None, {"id": "url"}).text == "–"
