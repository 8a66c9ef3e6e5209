"""Index patterns with what elkwatch writes taken out, by name."""

from __future__ import annotations

import pytest

from connector import OwnOutputRefused
from connector.own_output import guarded_pattern

EXCLUSIONS = (
    "-logs-elkwatch.*,-metrics-elkwatch.*,-elkwatch-*,"
    "-.ds-logs-elkwatch.*,-.ds-metrics-elkwatch.*"
)


@pytest.mark.parametrize(
    ("pattern", "guarded"),
    [
        ("logs-app-default", "logs-app-default"),
        ("a, b ,", "a,b"),
        ("logs-*", f"logs-*,{EXCLUSIONS}"),
        ("logs-*,-logs-noise-*", f"logs-*,-logs-noise-*,{EXCLUSIONS}"),
        ("logs-*-*,-logs-elkwatch.*", f"logs-*-*,-logs-elkwatch.*,{EXCLUSIONS}"),
        ("remote:logs-*", f"remote:logs-*,{EXCLUSIONS}"),
        ("<logs-{now/d}>", "<logs-{now/d}>"),
        ("my-elkwatch-logs", "my-elkwatch-logs"),
    ],
)
def test_wildcards_leave_it_out(pattern: str, guarded: str) -> None:
    assert guarded_pattern(pattern, "db") == guarded


@pytest.mark.parametrize(
    "pattern", ["elkwatch-cursors-default", "a,logs-elkwatch.*", ".ds-logs-elkwatch.x"]
)
def test_names_are_refused(pattern: str) -> None:
    with pytest.raises(OwnOutputRefused, match=r"source db: .*elkwatch itself writes"):
        guarded_pattern(pattern, "db")
