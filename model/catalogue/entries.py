"""One entry of the catalogue, and what a person reads of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Advice:
    """An entry in one language: what is shown in findings and messages."""

    name: str
    severity: str
    causes: tuple[str, ...]
    advice: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind of trouble. Texts are by language; English is always there.

    `about` is the form of a name that says what it is about, `{name}: {about}` if not
    given. `runbook` is a link; it ends the advice wherever that is shown.
    """

    entry_id: str
    severity: str
    name: Mapping[str, str]
    causes: Mapping[str, tuple[str, ...]]
    advice: Mapping[str, str]
    about: Mapping[str, str]
    runbook: str = ""

    def told_in(self, language: str, about: str = "") -> Advice:
        """The entry in a language, named by what it is about where that is given."""
        name = self.name.get(language, self.name["en"])
        form = self.about.get(language, self.about.get("en", "{name}: {about}"))
        if about:
            name = form.replace("{name}", name).replace("{about}", about)
        advice = self.advice.get(language, self.advice["en"])
        return Advice(
            name=name,
            severity=self.severity,
            causes=self.causes.get(language, self.causes["en"]),
            advice=f"{advice} Runbook: {self.runbook}" if self.runbook else advice,
        )

    def state(self) -> dict[str, Any]:
        """The entry as plain JSON, in the shape of the YAML."""
        return {
            "severity": self.severity,
            "name": dict(self.name),
            "causes": {k: list(v) for k, v in self.causes.items()},
            "advice": dict(self.advice),
            "about": dict(self.about),
            "runbook": self.runbook,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """Recognises well-known lines: `matches` on a template or message."""

    entry: Entry
    pattern: str
    matches: Callable[[str], bool]
