"""Findings that are told again: of which some other episode is the home.

A withdrawn finding, and one that is now of another fingerprint, leaves its home; one of
the same fingerprint is amended where it is, though a newer episode may go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from alerting.episode import Episode, episode_id
from alerting.keeper import Keeper
from alerting.lifecycle import Decision, leave
from alerting.notes import Notes
from alerting.recall import Held, Recall
from alerting.records import FindingNotice, Transition
from alerting.store import EPISODES, AlertStore

MAX_FOUND = 1000
CHUNK = 500


class Homes:
    """Finds the homes of findings, and settles there what is not for the newest."""

    def __init__(
        self, store: AlertStore, keeper: Keeper, recall: Recall, notes: Notes
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._recall = recall
        self._notes = notes

    def settle(
        self,
        notices: Sequence[FindingNotice],
        now: datetime,
        transitions: list[Transition],
    ) -> set[str]:
        """Deals with findings that some other episode holds; → those now dealt with."""
        read, held = self._homes([one for one in notices if not self._at_home(one)])
        gone: dict[str, list[str]] = {}
        moved: dict[str, list[str]] = {}
        stay: dict[str, list[FindingNotice]] = {}
        for home, those in held.items():
            for notice in those:
                if notice.status == "withdrawn":
                    gone.setdefault(home, []).append(notice.finding_id)
                elif notice.fingerprint != read[home].episode.fingerprint:
                    moved.setdefault(home, []).append(notice.finding_id)
                else:
                    stay.setdefault(home, []).append(notice)
        for leaving, why in ((gone, "withdrawn"), (moved, "now of another class")):
            transitions += self._leave(self._newest(read, leaving), leaving, now, why)
        transitions += self._notes.amend(self._newest(read, stay), stay, now)
        return {notice.finding_id for those in stay.values() for notice in those}

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

    def _homes(
        self, strangers: Sequence[FindingNotice]
    ) -> tuple[dict[str, Held], dict[str, list[FindingNotice]]]:
        """Episodes that hold some of these findings, and which each of them holds."""
        by_id = {notice.finding_id: notice for notice in strangers}
        ids = dict.fromkeys(
            home for one in by_id if (home := self._recall.homes.get(one)) is not None
        )
        for chunk in _chunks(list(by_id)):
            found = self._store.find(EPISODES, {"finding_ids": chunk}, limit=MAX_FOUND)
            ids.update(dict.fromkeys(stored.doc_id for stored in found))
        read = self._keeper.read_all(ids)
        held = {}
        for home, one in read.items():
            known = one.episode.known_ids()
            held[home] = [
                notice
                for finding_id, notice in by_id.items()
                if finding_id in known and notice.source == one.episode.source
            ]
        return read, held

    def _newest(
        self, read: Mapping[str, Held], ids: Mapping[str, object]
    ) -> dict[str, Held]:
        """The episodes of these ids: as written since they were read, or as read."""
        return {its_id: self._keeper.held(its_id) or read[its_id] for its_id in ids}

    def _leave(
        self,
        read: Mapping[str, Held],
        leaving: Mapping[str, Sequence[str]],
        now: datetime,
        why: str,
    ) -> list[Transition]:
        def decide(episodes: Sequence[Episode]) -> list[Decision | None]:
            return [
                leave(
                    episode, ids, now, f"{len(ids)} finding{'s' * (len(ids) > 1)} {why}"
                )
                for episode in episodes
                for ids in (leaving[episode.episode_id],)
            ]

        return self._keeper.change_all(read, decide, now)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))
