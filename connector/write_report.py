"""What became of the findings that a sink was given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from connector.findings import QUIET, Finding

WriteOutcome = Literal[
    "created",
    "exists",
    "amended",
    "withdrawn",
    "suppressed",
    "held-back",
    "absent",
    "dead",
]


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What became of each finding, by its id; `reasons` of those that are dead.

    created: it is new. exists: it was there, equal. amended: it was there, different.
    withdrawn: it was there and is marked so now. absent: to be withdrawn, but never
    written. suppressed: new or changed, a false alarm by feedback. held-back: new or
    changed, and nobody is to be told. dead: refused for ever, kept as a dead letter.
    `quiet`: those that stand as tentative or held back, whatever became of them.
    """

    outcomes: Mapping[str, WriteOutcome]
    reasons: Mapping[str, str] = field(default_factory=dict)
    quiet: frozenset[str] = frozenset()

    def count(self, outcome: WriteOutcome) -> int:
        """How many findings had this outcome."""
        return sum(each == outcome for each in self.outcomes.values())


def quiet_ones(findings: Iterable[Finding]) -> frozenset[str]:
    """The ids of those that nobody is to be told of now."""
    return frozenset(f.finding_id for f in findings if f.status in QUIET)


def outcome_of(finding: Finding, *, created: bool) -> WriteOutcome:
    """What writing a finding is called that was not there equal."""
    if finding.status == "open" or finding.status == "tentative":
        return "created" if created else "amended"
    return finding.status
