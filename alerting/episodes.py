"""Findings → episodes → owed messages: the state that makes alerts few and complete.

``note`` may be called again with findings that it has seen (a crash repeats work): an
episode knows its findings, so counts stay and nothing new is owed. Each document is
written by compare-and-swap; a conflict is read again and decided again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from alerting.catchup import CatchUp, CatchUps
from alerting.episode import UNRESOLVED, Episode, State, episode_from, episode_id
from alerting.errors import StateConflict, StoreBusy
from alerting.keeper import Keeper
from alerting.lifecycle import (
    Decision,
    Policy,
    belongs,
    join,
    leave,
    open_episode,
    over,
    quiet,
    too_old,
)
from alerting.outbox import Outbox
from alerting.recall import Recall, newest
from alerting.records import FindingNotice, Transition
from alerting.store import EPISODES, AlertStore, Stored

MAX_CONFLICTS = 8
MAX_FOUND = 1000
CHUNK = 500


class EpisodeTracker:
    """Opens, carries on and resolves episodes. Not for several threads at once."""

    def __init__(
        self, store: AlertStore, outbox: Outbox, policy: Policy | None = None
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._policy = policy or Policy()
        self._recall = Recall()
        self._keeper = Keeper(store, outbox, self._recall)
        self._catchups = CatchUps(
            store, outbox, self._keeper, self._recall, self._policy
        )

    def note(self, notices: Sequence[FindingNotice], now: datetime) -> list[Transition]:
        """Counts findings into their episodes; → what happened, with reasons.

        Of one finding told twice the last notice holds. Findings that moved to another
        class leave their old episode first. Raises StoreBusy and what the store raises.
        """
        last = {notice.finding_id: notice for notice in notices}
        transitions: list[Transition] = []
        strangers = [n for n in last.values() if not self._at_home(n)]
        settled = self._settle_elsewhere(strangers, now, transitions)
        groups: dict[tuple[str, str], list[FindingNotice]] = defaultdict(list)
        for notice in last.values():
            if notice.status == "open" and notice.finding_id not in settled:
                groups[notice.source, notice.fingerprint].append(notice)
        for (source, fingerprint), group in groups.items():
            transitions += self._note_group(source, fingerprint, group, now)
        return transitions

    def advance(
        self, source: str, delivered_until: datetime, now: datetime
    ) -> list[Transition]:
        """Resolves this source's episodes that its delivered logs leave quiet.

        delivered_until: up to when the source's own logs have been read. A source that
        stops delivering therefore resolves nothing.
        """
        equals = {"source": source, "state": UNRESOLVED}
        found = self._store.find(
            EPISODES, equals, limit=MAX_FOUND, order_by="last_seen_at"
        )
        ids = dict.fromkeys(
            [stored.doc_id for stored in found] + self._recall.unresolved(source)
        )

        def decide(episode: Episode) -> Decision | None:
            return quiet(episode, delivered_until, now, self._policy)

        changed = (self._keeper.change(one, decide, now) for one in ids)
        return [transition for transition in changed if transition is not None]

    def over(
        self, source: str, fingerprint: str, now: datetime, why: str
    ) -> Transition | None:
        """Resolves the episode of a state that is over; None where none goes on."""
        _, stored = self._newest(source, fingerprint)
        if stored is None:
            return None

        def decide(episode: Episode) -> Decision | None:
            return over(episode, now, why)

        return self._keeper.change(stored.doc_id, decide, now)

    def catch_up_done(self, source: str, now: datetime) -> CatchUp | None:
        """Owes one message that sums up what was too old to be sent one by one.

        To be called when the source has caught up. None: there is nothing to sum up.
        """
        return self._catchups.done(source, now)

    def episodes(
        self,
        source: str | None = None,
        states: Sequence[State] | None = None,
        *,
        limit: int = MAX_FOUND,
    ) -> list[Episode]:
        """Episodes of this source (any) in these states (all), the oldest first."""
        equals: dict[str, str | Sequence[str]] = {}
        if source is not None:
            equals["source"] = source
        if states is not None:
            equals["state"] = tuple(states)
        found = self._store.find(EPISODES, equals, limit=limit, order_by="last_seen_at")
        return [episode_from(stored.body) for stored in found]

    def _newest(self, source: str, fingerprint: str) -> tuple[int, Stored | None]:
        def get(number: int) -> Stored | None:
            return self._keeper.read(episode_id(source, fingerprint, number))

        key = (source, fingerprint)
        hint = self._recall.numbers.get(key)
        if hint is not None:
            held = self._keeper.held(episode_id(source, fingerprint, hint))
            if held is not None:
                return hint, held
        number, stored = newest(get, hint)
        self._recall.numbers.put(key, number)
        return number, stored

    def _at_home(self, notice: FindingNotice) -> bool:
        """Whether the newest episode of its fingerprint holds this open finding."""
        if notice.status == "withdrawn":
            return False
        home = self._recall.homes.get(notice.finding_id)
        number = self._recall.numbers.get((notice.source, notice.fingerprint))
        return (
            home is not None
            and number is not None
            and home == episode_id(notice.source, notice.fingerprint, number)
        )

    def _settle_elsewhere(
        self,
        strangers: Sequence[FindingNotice],
        now: datetime,
        transitions: list[Transition],
    ) -> set[str]:
        """Deals with findings that some other episode holds; → those now dealt with.

        Withdrawn ones and ones of another fingerprint leave it; those of the same
        fingerprint are amended where they are.
        """
        settled: set[str] = set()
        for home, notices in self._homes(strangers):
            gone, moved, stay = _sorted_out(home, notices)
            for ids, why in ((gone, "withdrawn"), (moved, "now of another class")):
                if ids:
                    why = f"{len(ids)} finding{'s' * (len(ids) > 1)} {why}"
                    transitions += self._leave(home.episode_id, ids, now, why)
            if stay:
                settled.update(notice.finding_id for notice in stay)
                transitions += self._amend(home.episode_id, stay, now)
        return settled

    def _homes(
        self, strangers: Sequence[FindingNotice]
    ) -> Iterator[tuple[Episode, list[FindingNotice]]]:
        """Each episode that holds some of these findings, with those."""
        by_id = {notice.finding_id: notice for notice in strangers}
        ids = dict.fromkeys(
            home for one in by_id if (home := self._recall.homes.get(one)) is not None
        )
        for chunk in _chunks(list(by_id)):
            found = self._store.find(EPISODES, {"finding_ids": chunk}, limit=MAX_FOUND)
            ids.update(dict.fromkeys(stored.doc_id for stored in found))
        for home in ids:
            stored = self._keeper.read(home)
            if stored is None:
                continue
            episode = episode_from(stored.body)
            held = [by_id[one] for one in by_id if episode.holds(one)]
            held = [notice for notice in held if notice.source == episode.source]
            if held:
                yield episode, held

    def _leave(
        self, home: str, ids: Sequence[str], now: datetime, why: str
    ) -> Iterable[Transition]:
        def decide(episode: Episode) -> Decision | None:
            return leave(episode, ids, now, why)

        transition = self._keeper.change(home, decide, now)
        return () if transition is None else (transition,)

    def _amend(
        self, home: str, notices: Sequence[FindingNotice], now: datetime
    ) -> Iterable[Transition]:
        def decide(episode: Episode) -> Decision | None:
            told = self._told(episode.episode_id, episode.sequence + 1, notices, now)
            return join(episode, notices, now, self._policy, told)

        transition = self._keeper.change(home, decide, now)
        return () if transition is None else (transition,)

    def _told(
        self,
        episode_id: str,
        sequence: int,
        notices: Sequence[FindingNotice],
        now: datetime,
    ) -> frozenset[str]:
        """Findings that are owed a message already, from before a crash.

        Only old ones need the question: they may have grown old since.
        """
        if not any(too_old(notice, now, self._policy) for notice in notices):
            return frozenset()
        return self._outbox.causes(episode_id, sequence)

    def _note_group(
        self,
        source: str,
        fingerprint: str,
        notices: Sequence[FindingNotice],
        now: datetime,
    ) -> list[Transition]:
        """Counts findings of one fingerprint into its newest episode, or the next."""
        transitions: list[Transition] = []
        for _ in range(MAX_CONFLICTS):
            number, stored = self._newest(source, fingerprint)
            later = list(notices)
            try:
                if stored is not None:
                    episode = episode_from(stored.body)
                    mine = [n for n in later if belongs(episode, n, self._policy)]
                    later = [n for n in later if n not in mine]
                    told = self._told(
                        episode.episode_id, episode.sequence + 1, mine, now
                    )
                    decision = join(episode, mine, now, self._policy, told)
                    if decision is not None:
                        transitions.append(self._keeper.put(stored, decision, now))
                if later:
                    transitions.append(self._open(number + 1, later, now))
            except StateConflict:
                self._keeper.forget(episode_id(source, fingerprint, number))
                continue
            return transitions
        raise StoreBusy(f"the episode of {fingerprint} keeps changing; try again")

    def _open(
        self, number: int, notices: Sequence[FindingNotice], now: datetime
    ) -> Transition:
        one = notices[0]
        its_id = episode_id(one.source, one.fingerprint, number)
        told = self._told(its_id, 1, notices, now)
        decision = open_episode(number, notices, now, self._policy, told)
        transition = self._keeper.put(None, decision, now)
        self._recall.numbers.put((one.source, one.fingerprint), number)
        return transition


def _sorted_out(
    home: Episode, notices: Sequence[FindingNotice]
) -> tuple[list[str], list[str], list[FindingNotice]]:
    """Ids withdrawn, ids moved to another fingerprint, notices that stay."""
    gone = [n.finding_id for n in notices if n.status == "withdrawn"]
    still = [n for n in notices if n.status == "open"]
    moved = [n.finding_id for n in still if n.fingerprint != home.fingerprint]
    return gone, moved, [n for n in still if n.fingerprint == home.fingerprint]


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))
