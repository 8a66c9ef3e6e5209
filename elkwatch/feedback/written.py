"""Feedback on findings that were written before it was given.

    written finding ─▶ narrowest feedback on it ─▶ status, class ─▶ its very version
                                                └─▶ a false alarm leaves its episode

The ids stay, nobody is told again, and doing it once more changes nothing. What is
withdrawn is nobody's business; what feedback no longer covers stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Literal, cast

from alerting import EpisodeTracker
from connector import (
    FeedbackMark,
    Finding,
    FindingChanger,
    WrittenFinding,
    finding_from,
)
from connector.findings import PersonsVerdict, Severity
from elkwatch.feedback.opinion import Opinion
from elkwatch.feedback.opinions import AdviceOf, Opinions
from elkwatch.translate import grouped_by, notice
from model import Advice

PAGE = 500
Became = PersonsVerdict | Literal["equal", "conflict", "refused"]


@dataclass(slots=True)
class Applied:
    """What became of the findings that feedback covers, and of their episodes.

    By the verdict where they were changed, else equal: they said so already; conflict:
    somebody else changed it meanwhile; refused: Elasticsearch will not have it.
    unreadable: documents in the stream that no elkwatch wrote; left as they are.
    """

    findings: Counter[Became] = field(default_factory=Counter)
    episodes_ended: int = 0
    unreadable: int = 0

    @property
    def changed(self) -> int:
        """How many findings say something else now."""
        return sum(self.findings[one] for one in ("false-alarm", "kind", "right"))


@dataclass(frozen=True, slots=True)
class Said:
    """Feedback that holds, by source, and what people are told of the kinds it names.

    `advice_in`: by the name of a source.
    """

    opinions: Mapping[str, Opinions]
    advice_in: Callable[[str], AdviceOf]

    def on(self, one: WrittenFinding) -> _Change | None:
        """What becomes of a finding; None where nobody speaks of it."""
        own = one.document["elkwatch"]
        opinions = self.opinions.get(own["source"])
        if opinions is None or "signature" not in own or own["status"] == "withdrawn":
            return None
        finding = finding_from(one.document)
        assert finding.signature is not None
        said = opinions.on(finding.source, finding.service, finding.signature)
        if said is None:
            return None
        told = None if said.kind is None else self.advice_in(finding.source)(said.kind)
        return _Change(one, as_said(finding, said, told), said.verdict)


@dataclass(frozen=True, slots=True)
class _Change:
    was: WrittenFinding
    becomes: Finding
    verdict: PersonsVerdict


def apply_feedback(
    written: Iterable[WrittenFinding],
    said: Said,
    changer: FindingChanger,
    tracker: EpisodeTracker,
    now: datetime,
) -> Applied:
    """Changes what feedback covers; findings first, then episodes.

    Raises what connector and alerting raise; what was changed by then stays, and doing
    it again does the rest.
    """
    applied = Applied()
    for page in _pages(written, said, changer, applied):
        outcomes = changer.change([(one.was, one.becomes) for one in page], now)
        gone: list[Finding] = []
        for one, outcome in zip(page, outcomes, strict=True):
            applied.findings[one.verdict if outcome == "changed" else outcome] += 1
            if one.verdict == "false-alarm" and outcome in ("changed", "equal"):
                gone.append(one.becomes)
        moved = tracker.note([notice(finding) for finding in gone], now)
        applied.episodes_ended += sum(each.kind == "resolved" for each in moved)
    return applied


def foreseen(
    written: Iterable[WrittenFinding], said: Said, changer: FindingChanger
) -> Applied:
    """What `apply_feedback` would change; nothing is written, no episode is asked."""
    applied = Applied()
    for page in _pages(written, said, changer, applied):
        for one in page:
            same = finding_from(one.was.document) == one.becomes
            applied.findings["equal" if same else one.verdict] += 1
    return applied


def _pages(
    written: Iterable[WrittenFinding],
    said: Said,
    changer: FindingChanger,
    applied: Applied,
) -> Iterator[list[_Change]]:
    """What feedback speaks of, as it stands now. Counts what is unreadable."""

    def change_of(one: WrittenFinding) -> _Change | None:
        try:
            return said.on(one)
        except (KeyError, TypeError, ValueError):
            applied.unreadable += 1
            return None

    spoken_of = (one for one in written if change_of(one) is not None)
    while page := list(islice(spoken_of, PAGE)):
        changes = map(change_of, changer.newest(page))
        yield [change for change in changes if change is not None]


def as_said(finding: Finding, said: Opinion, told: Advice | None) -> Finding:
    """The finding as it would have been written, had the feedback been there."""
    before = None if finding.feedback is None else finding.feedback.class_before
    changed = finding
    if said.verdict == "kind" and said.kind is not None:
        before = before or finding.class_id
        changed = as_kind(finding, said.kind, told)
    status = "open" if finding.status == "suppressed" else finding.status
    return replace(
        changed,
        status="suppressed" if said.verdict == "false-alarm" else status,
        feedback=FeedbackMark(
            said.feedback_id, said.verdict, said.who, said.reason, before
        ),
    )


def as_kind(finding: Finding, kind: str, told: Advice | None) -> Finding:
    """The finding as one of a known kind, with what is told of that, if anything."""
    about = told or Advice(kind, finding.severity, finding.causes, finding.advice)
    return replace(
        finding,
        class_id=kind,
        known=True,
        class_name=about.name,
        severity=cast(Severity, about.severity),
        causes=about.causes,
        advice=about.advice,
        fingerprint=grouped_by(finding.source, kind, finding.service),
    )
