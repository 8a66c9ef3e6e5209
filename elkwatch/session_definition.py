"""What makes lines one session, as it is kept with a model and compared later.

A model that learned whole requests calls five minutes of a host an anomaly.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connector import SessionRule

KEY = "session"


def session_definition(rule: SessionRule, window: timedelta | None) -> dict[str, Any]:
    """Plain data for a manifest. `window`: None where sessions are whole."""
    return {
        "fields": [rule.field] if rule.field else list(rule.fields),
        "pattern": rule.pattern,
        "window_s": None if window is None else window.total_seconds(),
    }


def definition_text(definition: Mapping[str, Any]) -> str:
    """The same in words, for a line."""
    keys = ", ".join(map(str, definition.get("fields") or ()))
    named = keys or definition.get("pattern") or "service and host"
    window_s = definition.get("window_s")
    return f"{named}, {'whole' if window_s is None else f'windows of {window_s:g} s'}"
