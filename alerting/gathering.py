"""An episode that takes in findings, many at a time, and is a value again after."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import replace
from datetime import datetime

from alerting.episode import MAX_IDS, Episode
from alerting.members import MAX_MEMBERS, Member, by_end, kept_samples, member_of
from alerting.records import FindingNotice


class Gathering:
    """Findings that join an episode, or that it holds and are amended.

    Class and advice are those of the finding told last.
    """

    def __init__(self, episode: Episode) -> None:
        self._before = episode
        self._members = list(episode.members)
        self._by_id = {member.finding_id: member for member in self._members}
        self._ids = dict.fromkeys(episode.finding_ids)
        self._silent = episode.silent
        self._samples = episode.samples
        self._let_go: list[Member] = []
        self._last: FindingNotice | None = None

    def end_of(self, finding_id: str) -> datetime | None:
        """When the finding ended, as far as the episode keeps that."""
        member = self._by_id.get(finding_id)
        return None if member is None else member.end

    def add(self, notice: FindingNotice, *, silent: bool) -> bool:
        """Takes it in; whether that changed anything.

        An amended finding that is folded already stays as it was counted.
        """
        known = self._by_id.get(notice.finding_id)
        if known is None and notice.finding_id in self._ids:
            return False
        member = member_of(notice, silent=known.silent if known else silent)
        if member == known and not self._better_sample(notice):
            return False
        self._last = notice
        self._samples = tuple(
            notice.bounded() if sample is notice else sample
            for sample in kept_samples(self._samples, notice)
        )
        if known is not None:
            del self._members[bisect_left(self._members, by_end(known), key=by_end)]
        insort(self._members, member, key=by_end)
        self._by_id[member.finding_id] = member
        if known is None:
            self._count(member, silent)
        return True

    def episode(self) -> Episode:
        """The episode with all of them; the very same if nothing changed."""
        if self._last is None:
            return self._before
        last = self._last.bounded()
        return replace(
            self._before,
            class_id=last.class_id,
            class_name=last.class_name,
            pattern=last.pattern,
            known=last.known,
            advice=last.advice,
            members=tuple(self._members),
            finding_ids=tuple(self._ids),
            folded=self._before.folded.plus(self._let_go),
            silent=self._silent,
            samples=self._samples,
        )

    def _count(self, member: Member, silent: bool) -> None:
        """One more; the oldest members beyond the limit are turned into sums."""
        self._ids[member.finding_id] = None
        while len(self._ids) > MAX_IDS:
            del self._ids[next(iter(self._ids))]
        if silent:
            self._silent = self._silent.plus(member)
        while len(self._members) > MAX_MEMBERS:
            oldest = self._members.pop(0)
            del self._by_id[oldest.finding_id]
            self._let_go.append(oldest)

    def _better_sample(self, notice: FindingNotice) -> bool:
        """A sample of this finding says something else than the notice does."""
        for sample in self._samples:
            if sample.finding_id == notice.finding_id:
                told = replace(notice.bounded(), detected_at=sample.detected_at)
                return told != sample
        return False
