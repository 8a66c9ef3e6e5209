"""Cases to examine, from a configuration in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from elkwatch.clock import Clock
from elkwatch.config import load_config
from elkwatch.doctor import Case, Check, Line, examine

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


class StandingClock:
    """Always the same time."""

    def now(self) -> datetime:
        """NOW."""
        return NOW


def case(
    folder: Path, *, clock: Clock | None = None, send: bool = False, **sections: Any
) -> Case:
    """A case whose configuration has these sections beside the least one needs."""
    body = {
        "elasticsearch": {"hosts": ["http://127.0.0.1:9"]},
        "sources": [{"name": "shop", "index": "logs-shop"}],
        **sections,
    }
    file = folder / "elkwatch.yml"
    file.write_text(yaml.safe_dump(body), "utf-8")
    file.chmod(0o600)
    config = load_config(file, {})
    return Case(config, file, clock or StandingClock(), "cpu", send)


def lines(checks: Iterable[Check], name: str) -> list[Line]:
    """What the check of this name says, with nothing before it."""
    (check,) = [c for c in checks if c.name == name]
    return list(examine([Check(check.name, check.run)]))


def only_line(checks: Iterable[Check], name: str) -> Line:
    """Its one line."""
    (line,) = lines(checks, name)
    return line
