"""One episode: what is remembered of a run of findings of one class on one service.

An ``Episode`` is a value. All that it says (counts, first and last seen, risk, hosts)
is derived from its *members*, one small record a finding, so that a finding that is
told twice, amended or withdrawn leaves exactly the figures it should. Members beyond
``MAX_MEMBERS`` are folded into sums; their ids are remembered up to ``MAX_IDS``, so a
replay is recognised as far back as a crash can reach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from alerting.members import (
    Folded,
    Member,
    SilentTally,
    distinct,
    least,
    most,
)
from alerting.records import FindingNotice, worst_severity

MAX_IDS = 4000

State = Literal["opened", "ongoing", "resolved"]
Resolution = Literal["", "quiet", "withdrawn", "over"]
UNRESOLVED: tuple[State, ...] = ("opened", "ongoing")


@dataclass(frozen=True, slots=True)
class Episode:
    """Opened, ongoing, resolved; see the module.

    sequence: how many transitions people were told of. opening_sequence: the one that
    announced it (0: nobody was told), on which its mails hang as a thread. samples: the
    riskiest findings and the first one, with evidence.
    """

    episode_id: str
    source: str
    fingerprint: str
    number: int
    class_id: str
    class_name: str
    pattern: str
    known: bool
    advice: str
    opened_at: datetime
    changed_at: datetime
    state: State = "opened"
    sequence: int = 0
    opening_sequence: int = 0
    notified_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution: Resolution = ""
    withdrawn: int = 0
    members: tuple[Member, ...] = ()
    finding_ids: tuple[str, ...] = ()
    folded: Folded = field(default_factory=Folded)
    silent: SilentTally = field(default_factory=SilentTally)
    samples: tuple[FindingNotice, ...] = ()

    @property
    def announced(self) -> bool:
        return self.opening_sequence > 0

    @property
    def resolved(self) -> bool:
        return self.state == "resolved"

    @property
    def lasts(self) -> bool:
        """Whether it is about a state, which lasts until it is said to be over."""
        return any(sample.lasts for sample in self.samples)

    @property
    def findings(self) -> int:
        return len(self.members) + self.folded.count

    @property
    def first_seen(self) -> datetime | None:
        return least([m.start for m in self.members], self.folded.first_seen)

    @property
    def last_seen(self) -> datetime | None:
        return most([m.end for m in self.members], self.folded.last_seen)

    @property
    def risk(self) -> int:
        return max([self.folded.risk, *(m.risk for m in self.members)])

    @property
    def severity(self) -> str:
        return worst_severity(
            [self.folded.severity, *(m.severity for m in self.members)]
        )

    @property
    def services(self) -> tuple[str, ...]:
        return distinct(self.folded.services, (m.service for m in self.members))

    @property
    def hosts(self) -> tuple[str, ...]:
        return distinct(self.folded.hosts, (m.host for m in self.members))

    def member(self, finding_id: str) -> Member | None:
        return next((m for m in self.members if m.finding_id == finding_id), None)

    def holds(self, finding_id: str) -> bool:
        return finding_id in self.finding_ids or self.member(finding_id) is not None

    def known_ids(self) -> frozenset[str]:
        """The findings that it holds."""
        return frozenset([*self.finding_ids, *(m.finding_id for m in self.members)])

    def without_finding(self, finding_id: str) -> Episode:
        """This episode as if it had never held that finding; counted as withdrawn."""
        if not self.holds(finding_id):
            return self
        member = self.member(finding_id)
        folded, silent = self.folded, self.silent
        if member is None:
            folded = replace(folded, count=max(0, folded.count - 1))
            folded = folded if folded.count else Folded()
        elif member.silent and silent.pending:
            silent = replace(silent, total=silent.total - 1)
        return replace(
            self,
            withdrawn=self.withdrawn + 1,
            members=tuple(m for m in self.members if m is not member),
            finding_ids=tuple(one for one in self.finding_ids if one != finding_id),
            folded=folded,
            silent=silent,
            samples=tuple(s for s in self.samples if s.finding_id != finding_id),
        )

    def body(self) -> dict[str, Any]:
        """As a document: what is searched on top, all of it in ``payload``."""
        payload: dict[str, Any] = msgspec.to_builtins(self)
        return {
            "source": self.source,
            "state": self.state,
            "fingerprint": self.fingerprint,
            "number": self.number,
            "sequence": self.sequence,
            "class_id": self.class_id,
            "severity": self.severity,
            "service": list(self.services),
            "catch_up": "pending" if self.silent.pending else "none",
            "finding_ids": list(self.finding_ids),
            "findings": self.findings,
            "last_seen_at": payload["changed_at"]
            if self.last_seen is None
            else self.last_seen.isoformat(),
            "payload": payload,
        }


def episode_from(body: Mapping[str, Any]) -> Episode:
    """The episode that ``Episode.body`` wrote."""
    return msgspec.convert(body["payload"], Episode)


def episode_id(source: str, fingerprint: str, number: int) -> str:
    """32 hex digits from (source, fingerprint, number) and nothing else.

    The source belongs in it: two sources have two models, whose classes only happen
    to share names.
    """
    text = "\x1f".join((source, fingerprint, str(number)))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def new_episode(notice: FindingNotice, number: int, now: datetime) -> Episode:
    """An episode without findings yet, of that finding's source and fingerprint."""
    notice = notice.bounded()
    return Episode(
        episode_id=episode_id(notice.source, notice.fingerprint, number),
        source=notice.source,
        fingerprint=notice.fingerprint,
        number=number,
        class_id=notice.class_id,
        class_name=notice.class_name,
        pattern=notice.pattern,
        known=notice.known,
        advice=notice.advice,
        opened_at=now,
        changed_at=now,
    )
