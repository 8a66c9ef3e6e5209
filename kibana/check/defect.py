"""A defect, and how checks tell of one without ever failing themselves.

Everything that is checked may be anything: people edit these files by hand. `mapping`,
`items` and `text` give an empty value for what is of another kind, and `Spot` says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong: in which object, where in it, what, and the cure."""

    saved: str
    where: str
    what: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.saved, self.where, self.what) if part)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in an object. Defects told here end up in one list."""

    saved: str
    where: str
    defects: list[Defect]

    def at(self, *parts: object) -> Spot:
        """A place below this one."""
        path = " / ".join(str(part) for part in (self.where, *parts) if part != "")
        return Spot(self.saved, path, self.defects)

    def tell(self, what: str) -> None:
        """A defect here. Log text cannot get in: these are files of ours."""
        self.defects.append(Defect(_line(self.saved), _line(self.where), _line(what)))

    def need(self, holds: bool, what: str) -> bool:
        """Tells `what` unless it holds; → whether it does."""
        if not holds:
            self.tell(what)
        return holds

    def mapping(self, value: Any, name: str) -> Mapping[str, Any]:
        """The value as a mapping; anything else is a defect."""
        if isinstance(value, dict):
            return value
        self.tell(f"{name} must be an object; write it as {{…}}")
        return {}

    def items(self, value: Any, name: str) -> Sequence[Any]:
        """The value as a list; anything else is a defect."""
        if isinstance(value, list):
            return value
        self.tell(f"{name} must be a list; write it as […]")
        return ()

    def text(self, value: Any, name: str, *, empty: bool = False) -> str:
        """The value as a text; anything else, or an empty one, is a defect."""
        if isinstance(value, str) and (value or empty):
            return value
        self.tell(f"{name} must be {'' if empty else 'a non-empty '}text")
        return ""

    def json(self, value: Any, name: str, kind: type) -> Any:
        """JSON kept as text. A defect, and an empty value, where it is not that."""
        try:
            found = json.loads(value) if isinstance(value, str) else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, kind):
            shape = "a list" if kind is list else "an object"
            self.tell(f"{name} must be a text that holds {shape} as JSON")
            return kind()
        return found


def is_number(value: Any) -> bool:
    """A number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _line(text: str) -> str:
    shown = " ".join(text.split())
    shown = "".join(c if c.isprintable() else "?" for c in shown)
    return shown if len(shown) <= 300 else shown[:299] + "…"
