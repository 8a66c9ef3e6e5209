"""Counting findings into the newest episode of their fingerprint, or into the next.

All groups of a call take the same steps together, so that their number costs no more
requests: newest episodes, what was owed before a crash, rows, episodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.episode import Episode, episode_id
from alerting.errors import StoreBusy
from alerting.keeper import Change, Keeper
from alerting.lifecycle import (
    Decision,
    Policy,
    join,
    open_episode,
    parted,
    too_old,
)
from alerting.outbox import Outbox
from alerting.recall import Held, Recall, newest_of_each
from alerting.records import FindingNotice, Transition

MAX_CONFLICTS = 8

#: (source, fingerprint)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Part:
    """Findings for one episode: for that which is held, or for a new one (None)."""

    key: Key
    number: int
    held: Held | None
    notices: Sequence[FindingNotice]

    @property
    def episode_id(self) -> str:
        return episode_id(*self.key, self.number)

    @property
    def newest(self) -> int:
        """The number of the newest episode so far."""
        return self.number - (self.held is None)

    @property
    def sequence(self) -> int:
        """Of the transition that these findings may make."""
        return 1 + (self.held.episode.sequence if self.held else 0)


class Notes:
    """Findings → episodes; knows which episode of a fingerprint is the newest."""

    def __init__(
        self, keeper: Keeper, outbox: Outbox, recall: Recall, policy: Policy
    ) -> None:
        self._keeper = keeper
        self._outbox = outbox
        self._recall = recall
        self._policy = policy

    def newest(self, keys: Collection[Key]) -> dict[Key, tuple[int, Held | None]]:
        """Number and episode of each, as held in memory or else as read; (0, None)."""
        newest: dict[Key, tuple[int, Held | None]] = {}
        hints: dict[Key, int | None] = {}
        for key in keys:
            hint = self._recall.numbers.get(key)
            held = None if hint is None else self._keeper.held(episode_id(*key, hint))
            if hint is None or held is None:
                hints[key] = hint
            else:
                newest[key] = hint, held

        def read(places: Sequence[tuple[Key, int]]) -> dict[tuple[Key, int], Held]:
            ids = {episode_id(*key, number): (key, number) for key, number in places}
            return {ids[i]: held for i, held in self._keeper.read_all(ids).items()}

        for key, found in newest_of_each(read, hints).items():
            self._recall.numbers.put(key, found[0])
            newest[key] = found
        return newest

    def count(
        self, groups: Mapping[Key, Sequence[FindingNotice]], now: datetime
    ) -> list[Transition]:
        """Counts them in; what meets a conflict is decided again. Raises StoreBusy."""
        transitions: list[Transition] = []
        left = groups
        for _ in range(MAX_CONFLICTS):
            left = self._count_once(left, now, transitions)
            if not left:
                return transitions
        names = ", ".join(fingerprint for _, fingerprint in left)
        raise StoreBusy(f"the episode of {names} keeps changing; try again")

    def amend(
        self,
        read: Mapping[str, Held],
        told: Mapping[str, Sequence[FindingNotice]],
        now: datetime,
    ) -> list[Transition]:
        """Counts findings into the episodes (by their ids) that they belong to."""

        def decide(episodes: Sequence[Episode]) -> list[Decision | None]:
            asked = [
                (e.episode_id, e.sequence + 1, told[e.episode_id]) for e in episodes
            ]
            return [
                join(episode, told[episode.episode_id], now, self._policy, owed)
                for episode, owed in zip(
                    episodes, self._owed_before(asked, now), strict=True
                )
            ]

        return self._keeper.change_all(read, decide, now)

    def _count_once(
        self,
        groups: Mapping[Key, Sequence[FindingNotice]],
        now: datetime,
        transitions: list[Transition],
    ) -> Mapping[Key, Sequence[FindingNotice]]:
        """→ the findings that met a conflict, by their group."""
        parts = self._parts(groups)
        decided = [
            (part, decision)
            for part, decision in zip(parts, self._decisions(parts, now), strict=True)
            if decision is not None
        ]
        changes = [Change(part.held, decision) for part, decision in decided]
        left: dict[Key, list[FindingNotice]] = defaultdict(list)
        for (part, _), transition in zip(
            decided, self._keeper.put_all(changes, now), strict=True
        ):
            if transition is not None:
                transitions.append(transition)
                if part.held is None:
                    self._recall.numbers.put(part.key, part.number)
            elif read := self._resolved(part):  # not for the next, which may be there
                transitions += self.amend(read, {part.episode_id: part.notices}, now)
            else:
                self._keeper.forget(episode_id(*part.key, part.newest))
                left[part.key] += part.notices
        return left

    def _resolved(self, part: _Part) -> dict[str, Held]:
        """The resolved episode that these findings are of, as it is now."""
        if part.held is None or not part.held.episode.resolved:
            return {}
        return self._keeper.read_all([part.episode_id])

    def _parts(self, groups: Mapping[Key, Sequence[FindingNotice]]) -> list[_Part]:
        newest = self.newest(groups)
        parts = []
        for key, notices in groups.items():
            number, held = newest[key]
            later = notices
            if held is not None:
                mine, later = parted(held.episode, notices, self._policy)
                if mine:
                    parts.append(_Part(key, number, held, mine))
            if later:
                parts.append(_Part(key, number + 1, None, later))
        return parts

    def _decisions(
        self, parts: Sequence[_Part], now: datetime
    ) -> list[Decision | None]:
        asked = [(part.episode_id, part.sequence, part.notices) for part in parts]
        return [
            open_episode(part.number, part.notices, now, self._policy, owed)
            if part.held is None
            else join(part.held.episode, part.notices, now, self._policy, owed)
            for part, owed in zip(parts, self._owed_before(asked, now), strict=True)
        ]

    def _owed_before(
        self,
        asked: Sequence[tuple[str, int, Sequence[FindingNotice]]],
        now: datetime,
    ) -> list[frozenset[str]]:
        """Findings of each transition that are owed a message from before a crash.

        Only old ones need the question: they may have grown old since.
        """
        places = [
            (its_id, sequence)
            for its_id, sequence, notices in asked
            if any(too_old(notice, now, self._policy) for notice in notices)
        ]
        causes = self._outbox.causes(places)
        none: frozenset[str] = frozenset()
        return [causes.get((its_id, sequence), none) for its_id, sequence, _ in asked]
