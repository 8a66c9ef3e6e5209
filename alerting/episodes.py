"""Findings → episodes → owed messages: the state that makes alerts few and complete.

``note`` may be called again with findings that it has seen (a crash repeats work): an
episode knows its findings, so counts stay and nothing new is owed. Documents are read
and written many at once, each by compare-and-swap; what meets a conflict is read again
and decided again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from alerting.catchup import CatchUp, CatchUps
from alerting.episode import UNRESOLVED, Episode, State, episode_from
from alerting.homes import Homes
from alerting.keeper import Keeper
from alerting.lifecycle import Decision, Policy, over, quiet
from alerting.notes import Notes
from alerting.outbox import Outbox
from alerting.recall import Recall
from alerting.records import FindingNotice, Transition
from alerting.store import EPISODES, AlertStore

MAX_FOUND = 1000


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
        self._notes = Notes(self._keeper, outbox, self._recall, self._policy)
        self._homes = Homes(store, self._keeper, self._recall, self._notes)
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
        settled = self._homes.settle(list(last.values()), now, transitions)
        groups: dict[tuple[str, str], list[FindingNotice]] = defaultdict(list)
        for notice in last.values():
            if notice.status == "open" and notice.finding_id not in settled:
                groups[notice.source, notice.fingerprint].append(notice)
        return transitions + self._notes.count(groups, now)

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

        def decide(episodes: Sequence[Episode]) -> list[Decision | None]:
            return [quiet(e, delivered_until, now, self._policy) for e in episodes]

        return self._keeper.change_each(list(ids), decide, now)

    def over(
        self, source: str, fingerprint: str, now: datetime, why: str
    ) -> Transition | None:
        """Resolves the episode of a state that is over; None where none goes on."""
        key = (source, fingerprint)
        _, held = self._notes.newest([key])[key]
        if held is None:
            return None

        def decide(episodes: Sequence[Episode]) -> list[Decision | None]:
            return [over(episode, now, why) for episode in episodes]

        done = self._keeper.change_each([held.episode.episode_id], decide, now)
        return done[0] if done else None

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
