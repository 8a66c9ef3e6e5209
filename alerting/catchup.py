"""One message for what was too old to be sent one by one.

Episodes tally the findings that joined them silently (``total``) and how many of these
a catch-up has told (``told``). A catch-up is a document that names, per episode, the
total it covers: written first, then its rows, then the episodes' ``told``, then "done".
Both figures only rise, so each step may be repeated after a crash and changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from alerting.episode import Episode
from alerting.errors import StateConflict, StoreBusy
from alerting.keeper import Keeper
from alerting.lifecycle import Decision, Policy, span
from alerting.news import CatchUpNews, catch_up_news
from alerting.outbox import Outbox
from alerting.recall import BoundedMap, Recall, newest_of_each
from alerting.rows import OutboxRow, catch_up_row_id, slug
from alerting.store import CATCHUPS, EPISODES, AlertStore, Stored

MAX_EPISODES = 5000
MAX_CONFLICTS = 8


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What came of asking for a catch-up message.

    number: from 1 on, of this source. rows: what is owed for it, none while it waits.
    """

    source: str
    number: int
    findings: int
    rows: tuple[str, ...]
    reason: str


class CatchUps:
    """Sums up silent findings, source by source."""

    def __init__(
        self,
        store: AlertStore,
        outbox: Outbox,
        keeper: Keeper,
        recall: Recall,
        policy: Policy,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._keeper = keeper
        self._recall = recall
        self._policy = policy
        self._numbers: BoundedMap[str, int] = BoundedMap()

    def done(self, source: str, now: datetime) -> CatchUp | None:
        """See ``EpisodeTracker.catch_up_done``. Raises StoreBusy."""
        for _ in range(MAX_CONFLICTS):
            number, stored = self._newest(source)
            if stored is not None and stored.body["state"] != "done":
                return self._finish(stored, now)
            episodes = self._pending(source)
            if not episodes:
                return None
            findings = sum(episode.silent.pending for episode in episodes)
            if stored is not None and (wait := self._wait(stored, now)):
                return CatchUp(source, number + 1, findings, (), wait)
            created = self._create(source, number + 1, episodes, now)
            if created is not None:
                return self._finish(created, now)
        raise StoreBusy(f"the catch-up of {source} keeps changing; try again")

    def _newest(self, source: str) -> tuple[int, Stored | None]:
        def read(places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Stored]:
            ids = {_doc_id(*place): place for place in places}
            found = self._store.get_many(CATCHUPS, list(ids))
            return {ids[doc_id]: stored for doc_id, stored in found.items()}

        hint = self._numbers.get(source)
        number, stored = newest_of_each(read, {source: hint})[source]
        self._numbers.put(source, number)
        return number, stored

    def _pending(self, source: str) -> list[Episode]:
        """Episodes with findings that nobody was told of, as they are right now."""
        equals = {"source": source, "catch_up": "pending"}
        found = self._store.find(
            EPISODES, equals, limit=MAX_EPISODES, order_by="last_seen_at"
        )
        ids = dict.fromkeys(
            [stored.doc_id for stored in found] + self._recall.pending(source)
        )
        read = self._keeper.read_all(list(ids)[:MAX_EPISODES])
        episodes = (held.episode for held in read.values())
        return [episode for episode in episodes if episode.silent.pending]

    def _wait(self, last: Stored, now: datetime) -> str | None:
        ago = now - datetime.fromisoformat(last.body["created_at"])
        if ago >= self._policy.catch_up_interval:
            return None
        return (
            f"waiting: the last catch-up was {span(ago)} ago, "
            f"the least interval is {span(self._policy.catch_up_interval)}"
        )

    def _create(
        self, source: str, number: int, episodes: list[Episode], now: datetime
    ) -> Stored | None:
        age_s = self._policy.max_alert_age.total_seconds()
        news = catch_up_news(source, number, episodes, age_s)
        body = {
            "source": source,
            "number": number,
            "state": "owed",
            "created_at": now.isoformat(),
            "payload": {
                "news": msgspec.to_builtins(news),
                "covers": {e.episode_id: e.silent.total for e in episodes},
            },
        }
        return self._store.create(CATCHUPS, _doc_id(source, number), body)

    def _finish(self, stored: Stored, now: datetime) -> CatchUp:
        """Rows, then the episodes, then done; every step may have happened before."""
        news = msgspec.convert(stored.body["payload"]["news"], CatchUpNews)
        rows = self._outbox.owe(
            _row(news, channel, stored.body["created_at"])
            for channel in self._outbox.channels
        )
        covers: Mapping[str, int] = stored.body["payload"]["covers"]
        self._tell(covers, now)
        body: dict[str, Any] = {**stored.body, "state": "done"}
        with contextlib.suppress(StateConflict):  # somebody finished the very same one
            self._store.replace(stored, body)
        reason = f"summed up: {news.findings} findings older than max_alert_age"
        return CatchUp(news.source, news.number, news.findings, rows, reason)

    def _tell(self, covers: Mapping[str, int], now: datetime) -> None:
        def decide(episodes: Sequence[Episode]) -> list[Decision | None]:
            return [_told(e, covers[e.episode_id], now) for e in episodes]

        self._keeper.change_each(list(covers), decide, now)


def _told(episode: Episode, total: int, now: datetime) -> Decision | None:
    """The episode with so many of its findings summed up."""
    silent = episode.silent
    told = min(max(silent.told, total), silent.total)
    if told == silent.told:
        return None
    after = replace(episode, silent=replace(silent, told=told), changed_at=now)
    return Decision(after, "amended", "summed up in a catch-up message")


def _row(news: CatchUpNews, channel: str, created_at: str) -> OutboxRow:
    created = datetime.fromisoformat(created_at)
    row_id = catch_up_row_id(news.source, news.number, channel)
    return OutboxRow(
        row_id=row_id,
        kind="catch-up",
        channel=channel,
        source=news.source,
        created_at=created,
        owed_since=created,
        next_attempt_at=created,
        thread_id=row_id,
        sequence=news.number,
        cause=(f"catch-up {news.number}",),
        catch_up=news,
    )


def _doc_id(source: str, number: int) -> str:
    return f"{slug(source)}-{number}"
