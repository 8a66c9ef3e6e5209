"""What every store must do, real or in memory: one suite for all.

A test module subclasses a contract and gives it a fixture `store` (or `cursors`).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector import (
    Cursor,
    CursorStore,
    DeadLetter,
    DecodeProblem,
    FindingSink,
    InMemoryFindingSink,
    InMemoryRunMetrics,
    RunFigures,
    RunMetricsSink,
    StateConflict,
    StateStore,
    TickFigures,
    Write,
)
from tests.connector.samples import at, finding

FindingWriter = FindingSink | InMemoryFindingSink
FiguresWriter = RunMetricsSink | InMemoryRunMetrics

# Waits until searches see what was written; nothing to wait for in memory.
Settle = Callable[[], None]


class StateStoreContract:
    """StateStore: create once, replace only what was read, find what is there."""

    def test_what_is_not_there(self, store: StateStore) -> None:
        assert store.get("episodes", "e1") is None
        assert store.find("episodes", {}) == []

    def test_create_then_get(self, store: StateStore) -> None:
        body = {"state": "open", "count": 3, "payload": {"a": [1, {"b": None}]}}
        created = store.create("episodes", "e1", body)
        assert created is not None
        assert created.body == body
        assert (created.kind, created.doc_id) == ("episodes", "e1")
        assert store.get("episodes", "e1") == created

    def test_create_twice(self, store: StateStore) -> None:
        first = store.create("outbox", "r1", {"state": "pending"})
        assert store.create("outbox", "r1", {"state": "other"}) is None
        assert store.get("outbox", "r1") == first

    def test_kinds_are_apart(self, store: StateStore) -> None:
        store.create("outbox", "same", {"state": "pending"})
        assert store.get("episodes", "same") is None
        assert store.create("episodes", "same", {"state": "open"}) is not None

    def test_replace(self, store: StateStore) -> None:
        created = store.create("outbox", "r1", {"state": "pending"})
        assert created is not None
        replaced = store.replace(created, {"state": "sending"})
        assert replaced.body == {"state": "sending"}
        assert replaced.seq_no > created.seq_no
        assert store.get("outbox", "r1") == replaced
        again = store.replace(replaced, {"state": "sent"})
        assert store.get("outbox", "r1") == again

    def test_stale_replace(self, store: StateStore) -> None:
        created = store.create("outbox", "r1", {"state": "pending"})
        assert created is not None
        winner = store.replace(created, {"state": "sending", "by": "a"})
        with pytest.raises(StateConflict, match="outbox/r1"):
            store.replace(created, {"state": "sending", "by": "b"})
        assert store.get("outbox", "r1") == winner

    def test_replace_of_what_was_never_there(self, store: StateStore) -> None:
        created = store.create("outbox", "r1", {"state": "pending"})
        assert created is not None
        stranger = type(created)("catchups", "none", {}, created.seq_no, 1)
        with pytest.raises(StateConflict):
            store.replace(stranger, {"state": "sent"})

    def test_get_many(self, store: StateStore) -> None:
        assert store.get_many("outbox", ["r1"]) == {}
        store.write_many(
            "outbox", [Write(f"r{number}", {"number": number}) for number in range(220)]
        )
        wanted = [f"r{number}" for number in reversed(range(0, 220, 2))]
        read = store.get_many("outbox", [*wanted, "none", wanted[0]])
        assert list(read) == wanted
        assert read["r8"] == store.get("outbox", "r8")
        assert store.get_many("episodes", ["r8"]) == {}
        assert store.get_many("outbox", []) == {}

    def test_write_many(self, store: StateStore) -> None:
        written = store.write_many(
            "outbox", [Write(f"r{number}", {"number": number}) for number in range(600)]
        )
        assert all(stored is not None for stored in written)
        for number in (0, 1, 599):
            assert written[number] == store.get("outbox", f"r{number}")
        again = store.write_many(
            "outbox",
            [Write(s.doc_id, {"number": -1}, s) for s in written[:2] if s is not None],
        )
        assert [s and s.body for s in again] == [{"number": -1}] * 2
        assert again[1] == store.get("outbox", "r1")
        assert store.write_many("outbox", []) == []

    def test_a_conflict_of_one_write_is_its_own(self, store: StateStore) -> None:
        old = store.create("outbox", "old", {"state": "pending"})
        assert old is not None
        winner = store.replace(old, {"state": "sending"})
        stranger = type(old)("outbox", "none", {}, old.seq_no, 1)
        told = store.write_many(
            "outbox",
            [
                Write("new", {"state": "pending"}),
                Write("old", {"state": "sending"}, old),
                Write("none", {}, stranger),
                Write("next", {"state": "pending"}),
            ],
        )
        assert [stored is not None for stored in told] == [True, False, False, True]
        assert store.write_many("outbox", [Write("new", {"state": "pending"})]) == [
            None
        ]
        assert store.get("outbox", "old") == winner
        assert store.get("outbox", "none") is None
        assert store.get("outbox", "next") == told[3]

    def test_what_is_written_at_once_is_found(
        self, store: StateStore, settle: Settle
    ) -> None:
        store.write_many("outbox", [Write("a", {"state": "pending"})])
        settle()
        assert [s.doc_id for s in store.find("outbox", {"state": "pending"})] == ["a"]

    def test_find_by_equal_fields(self, store: StateStore, settle: Settle) -> None:
        store.create("outbox", "a", {"state": "pending", "channel": "mail"})
        store.create("outbox", "b", {"state": "pending", "channel": "hook"})
        store.create("outbox", "c", {"state": "sent", "channel": "mail"})
        store.create("outbox", "d", {"channel": "mail"})
        settle()

        def ids(**equals: str | list[str]) -> set[str]:
            return {stored.doc_id for stored in store.find("outbox", equals)}

        assert ids() == {"a", "b", "c", "d"}
        assert ids(state="pending") == {"a", "b"}
        assert ids(state="pending", channel="mail") == {"a"}
        assert ids(state=["pending", "sent"], channel="mail") == {"a", "c"}
        assert ids(state="never") == set()
        assert ids(unheard_of="x") == set()

    def test_find_sees_lists_numbers_and_booleans(
        self, store: StateStore, settle: Settle
    ) -> None:
        body = {"finding_ids": ["f1", "f2"], "sequence": 7, "known": True}
        store.create("episodes", "a", body)
        store.create("episodes", "b", {"finding_ids": ["f3"], "known": False})
        settle()

        def ids(**equals: str) -> list[str]:
            return [stored.doc_id for stored in store.find("episodes", equals)]

        assert ids(finding_ids="f2") == ["a"]
        assert ids(sequence="7") == ["a"]
        assert ids(known="true") == ["a"]
        assert ids(known="false") == ["b"]

    def test_find_does_not_see_what_is_nested(
        self, store: StateStore, settle: Settle
    ) -> None:
        payload = {"payload": {"state": "open"}, "other": {"state": "open"}}
        store.create("episodes", "a", payload)
        settle()
        assert store.find("episodes", {"payload.state": "open"}) == []
        assert store.find("episodes", {"other.state": "open"}) == []

    def test_find_gives_what_can_be_replaced(
        self, store: StateStore, settle: Settle
    ) -> None:
        store.create("outbox", "a", {"state": "pending", "payload": {"n": 1}})
        settle()
        [found] = store.find("outbox", {"state": "pending"})
        assert found.body == {"state": "pending", "payload": {"n": 1}}
        store.replace(found, {"state": "sent"})
        with pytest.raises(StateConflict):
            store.replace(found, {"state": "dead"})

    def test_find_in_order(self, store: StateStore, settle: Settle) -> None:
        for number, doc_id in ((3, "c"), (1, "a"), (2, "b")):
            due = f"2026-11-22T10:00:0{number}.000000Z"
            store.create("outbox", doc_id, {"due_at": due, "number": number})
        store.create("outbox", "never", {"state": "sent"})
        settle()
        by_time = store.find("outbox", {}, order_by="due_at")
        assert [stored.doc_id for stored in by_time] == ["a", "b", "c", "never"]
        by_number = store.find("outbox", {}, order_by="number", limit=2)
        assert [stored.doc_id for stored in by_number] == ["a", "b"]

    @pytest.mark.parametrize("limit", [0, -1, 10_001])
    def test_limit_out_of_bounds(self, store: StateStore, limit: int) -> None:
        with pytest.raises(ValueError, match="limit"):
            store.find("outbox", {}, limit=limit)

    def test_bodies_are_copies(self, store: StateStore) -> None:
        body = {"state": "pending", "payload": {"tries": [1]}}
        created = store.create("outbox", "a", body)
        assert created is not None
        body["payload"]["tries"].append(2)  # type: ignore[index]
        stored = store.get("outbox", "a")
        assert stored is not None
        assert stored.body["payload"] == {"tries": [1]}

    def test_times_and_texts_of_any_shape_are_kept(self, store: StateStore) -> None:
        """What the mapping cannot index must still be stored."""
        body = {"created_at": "not a time", "text": "x" * 40_000, "none": None}
        store.create("deliveries", "a", body)
        stored = store.get("deliveries", "a")
        assert stored is not None
        assert stored.body == body


class CursorStoreContract:
    """CursorStore: gives back what was saved, and notices a stranger's write."""

    def test_a_source_that_was_never_read(self, cursors: CursorStore) -> None:
        assert cursors.load("db") is None

    def test_save_then_load(self, cursors: CursorStore) -> None:
        cursor = Cursor(
            source="db",
            cursor_field="event.ingested",
            position=datetime(2026, 11, 22, 15, 52, 25, 933123, UTC),
            open_from=datetime(2026, 11, 22, 15, 40, tzinfo=UTC),
            seen=("00ff00ff00ff00ff:1", "10ff00ff00ff00ff:2"),
        )
        saved = cursors.save(cursor)
        assert saved.version is not None
        assert cursors.load("db") == saved
        assert saved == Cursor(
            "db",
            cursor.cursor_field,
            cursor.position,
            cursor.open_from,
            cursor.seen,
            saved.version,
        )

    def test_moves_on(self, cursors: CursorStore) -> None:
        first = cursors.save(Cursor("db", "@timestamp"))
        second = cursors.save(
            Cursor("db", "@timestamp", position=_NOON, version=first.version)
        )
        assert second.version != first.version
        assert cursors.load("db") == second

    def test_stale_save(self, cursors: CursorStore) -> None:
        first = cursors.save(Cursor("db", "@timestamp"))
        winner = cursors.save(
            Cursor("db", "@timestamp", position=_NOON, version=first.version)
        )
        with pytest.raises(StateConflict, match="db"):
            cursors.save(Cursor("db", "@timestamp", version=first.version))
        assert cursors.load("db") == winner

    def test_first_save_twice(self, cursors: CursorStore) -> None:
        first = cursors.save(Cursor("db", "@timestamp", position=_NOON))
        with pytest.raises(StateConflict, match="db"):
            cursors.save(Cursor("db", "@timestamp"))
        assert cursors.load("db") == first

    def test_sources_are_apart(self, cursors: CursorStore) -> None:
        names = ("db", "web", "a/b c", "日志", "x" * 2000)
        saved = {name: cursors.save(Cursor(name, "@timestamp")) for name in names}
        assert {name: cursors.load(name) for name in names} == saved


_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FindingSinkContract:
    """FindingSink: each finding once, and what became of it."""

    def test_created_then_there(self, findings: FindingWriter) -> None:
        one, two = finding(session="a"), finding(session="b")
        assert findings.write([one]).outcomes == {one.finding_id: "created"}
        report = findings.write([two, replace(one, detected_at=at(9999))])
        assert report.outcomes == {two.finding_id: "created", one.finding_id: "exists"}

    def test_amended_once(self, findings: FindingWriter) -> None:
        changed = finding(events=22, end=at(3), detected_at=at(500))
        findings.write([finding()])
        assert findings.write([changed]).count("amended") == 1
        assert findings.write([changed]).count("exists") == 1

    def test_withdrawn_and_found_again(self, findings: FindingWriter) -> None:
        gone = finding(status="withdrawn", score=1.0)
        never = finding(session="never", status="withdrawn")
        findings.write([finding()])
        report = findings.write([gone, never])
        assert report.outcomes == {
            gone.finding_id: "withdrawn",
            never.finding_id: "absent",
        }
        assert findings.write([gone]).count("exists") == 1
        assert findings.write([finding()]).count("amended") == 1

    def test_windows_of_a_key_are_findings_of_their_own(
        self, findings: FindingWriter
    ) -> None:
        windows = [finding(window_start=at(300 * n)) for n in range(3)]
        assert findings.write(windows).count("created") == 3

    def test_the_last_of_equal_ids_counts(self, findings: FindingWriter) -> None:
        report = findings.write([finding(events=1), finding(events=2)])
        assert report.outcomes == {finding().finding_id: "created"}
        assert findings.write([finding(events=2)]).count("exists") == 1

    def test_half_characters(self, findings: FindingWriter) -> None:
        odd = finding(advice="lone \ud800 one")
        assert findings.write([odd]).count("created") == 1
        assert findings.write([odd]).count("exists") == 1

    def test_nothing(self, findings: FindingWriter) -> None:
        assert findings.write([]).outcomes == {}

    def test_dead_letters_once(self, findings: FindingWriter) -> None:
        problems = [DecodeProblem("", "", "no @timestamp", text) for text in "ab"]
        letters = [DeadLetter.of_problem(p, source="db", at=_NOON) for p in problems]
        assert findings.dead_letter(letters) == 2
        assert findings.dead_letter(letters) == 0


class RunMetricsContract:
    """RunMetricsSink: the figures of each run and source once."""

    def test_once(self, metrics: FiguresWriter) -> None:
        run = RunFigures("r1", "db", _NOON, at(3))
        other = RunFigures("r1", "web", _NOON, at(3))
        tick = TickFigures("r1", _NOON, at(4), sent=1)
        assert metrics.write(run, tick) == 2
        assert metrics.write(run, other, tick) == 1
        assert metrics.write() == 0
