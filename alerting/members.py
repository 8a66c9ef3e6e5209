"""What an episode keeps of its findings, and how that stays small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerting.records import FindingNotice, cut_name, worst_severity

MAX_MEMBERS = 500
MAX_NAMES = 20
MAX_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Member:
    """What an episode keeps of each finding. silent: joined too old to be sent."""

    finding_id: str
    start: datetime
    end: datetime
    risk: int
    severity: str
    service: str | None = None
    host: str | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """Sums over members that were let go of."""

    count: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    risk: int = 0
    severity: str = "low"
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def plus(self, members: Sequence[Member]) -> Folded:
        """With these members added to the sums."""
        if not members:
            return self
        return Folded(
            count=self.count + len(members),
            first_seen=least([m.start for m in members], self.first_seen),
            last_seen=most([m.end for m in members], self.last_seen),
            risk=max(self.risk, *(m.risk for m in members)),
            severity=worst_severity([self.severity, *(m.severity for m in members)]),
            services=distinct(self.services, (m.service for m in members)),
            hosts=distinct(self.hosts, (m.host for m in members)),
        )


@dataclass(frozen=True, slots=True)
class SilentTally:
    """Findings that joined too old to be sent: how many ever, how many summed up.

    Both only rise (but for withdrawals), so that summing up twice changes nothing.
    """

    total: int = 0
    told: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    @property
    def pending(self) -> int:
        return max(0, self.total - self.told)

    def plus(self, member: Member) -> SilentTally:
        """With one more; the period is that of the pending ones."""
        fresh = not self.pending
        return replace(
            self,
            total=self.total + 1,
            first_seen=least([member.start], None if fresh else self.first_seen),
            last_seen=most([member.end], None if fresh else self.last_seen),
        )


def member_of(notice: FindingNotice, *, silent: bool) -> Member:
    """What is kept of a finding."""
    return Member(
        notice.finding_id,
        notice.start,
        notice.end,
        notice.risk,
        notice.severity,
        cut_name(notice.service),
        cut_name(notice.host),
        silent,
    )


def by_end(member: Member) -> tuple[datetime, str]:
    """Sorts members by when they ended."""
    return member.end, member.finding_id


def kept_samples(
    samples: tuple[FindingNotice, ...], notice: FindingNotice
) -> tuple[FindingNotice, ...]:
    """The riskiest findings, riskiest first, and always the first one seen."""
    pool = [s for s in samples if s.finding_id != notice.finding_id]
    pool.append(notice)
    pool.sort(key=lambda s: (-s.risk, s.start, s.finding_id))
    if len(pool) <= MAX_SAMPLES:
        return tuple(pool)
    first = min(pool, key=lambda s: (s.start, s.finding_id))
    best = [s for s in pool if s is not first][: MAX_SAMPLES - 1]
    return tuple(s for s in pool if s is first or s in best)


def distinct(held: Iterable[str], more: Iterable[str | None]) -> tuple[str, ...]:
    """The names in order, each once, at most MAX_NAMES."""
    every = sorted({*held, *(name for name in more if name)})
    return tuple(every[:MAX_NAMES])


def least(times: list[datetime], other: datetime | None) -> datetime | None:
    """The earliest of these, None for none."""
    return min([*times, *([] if other is None else [other])], default=None)


def most(times: list[datetime], other: datetime | None) -> datetime | None:
    """The latest of these, None for none."""
    return max([*times, *([] if other is None else [other])], default=None)
