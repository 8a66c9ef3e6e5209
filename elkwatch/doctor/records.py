"""What a check is, and what it says: fine, or how to mend it.

Check ──run──▶ Outcome … ──▶ Line (the name of its check beside it)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that was looked at: what it is like, and how to mend it ("": fine)."""

    status: Status
    what: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An outcome under the name of its check. Its text is one line, without secrets."""

    name: str
    status: Status
    what: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f"; {self.cure}" if self.cure else ""
        return f"{self.status:<7}  {self.name}: {self.what}{cure}"


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at. `needs`: names of checks that must not have failed.

    `run` gives its outcomes; what it raises becomes one.
    """

    name: str
    run: Callable[[], Iterable[Outcome]]
    needs: tuple[str, ...] = ()


def ok(what: str) -> Outcome:
    """It is fine."""
    return Outcome("ok", what)


def warn(what: str, cure: str) -> Outcome:
    """The service can work, but not for long or not as meant."""
    return Outcome("warn", what, cure)


def fail(what: str, cure: str) -> Outcome:
    """The service cannot do its work like this."""
    return Outcome("fail", what, cure)


def skipped(why: str) -> Outcome:
    """It was not looked at."""
    return Outcome("skipped", why)
