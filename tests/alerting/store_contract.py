"""What every ``AlertStore`` must do: a test module subclasses this with a ``store``.

``settle`` waits until searches see what was written; in memory there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alerting import AlertStore, StateConflict, Write

Settle = Callable[[], None]


class AlertStoreContract:
    """Create once, swap only what was read, find by keys."""

    def test_nothing_is_there_at_first(self, store: AlertStore) -> None:
        assert store.get("episodes", "e1") is None
        assert store.find("episodes", {"source": "s"}) == []

    def test_create_once(self, store: AlertStore) -> None:
        body = {"state": "pending", "payload": {"a": 1}}
        created = store.create("outbox", "r1", body)
        assert created is not None
        assert store.create("outbox", "r1", {"state": "sent"}) is None
        held = store.get("outbox", "r1")
        assert held is not None
        assert held.body == body
        assert held.seq_no == created.seq_no

    def test_replace_only_what_was_read(self, store: AlertStore) -> None:
        first = store.create("outbox", "r1", {"state": "pending"})
        assert first is not None
        second = store.replace(first, {"state": "sending"})
        with pytest.raises(StateConflict):
            store.replace(first, {"state": "dead"})
        third = store.replace(second, {"state": "sent"})
        held = store.get("outbox", "r1")
        assert held is not None
        assert held.body == third.body == {"state": "sent"}

    def test_read_many(self, store: AlertStore) -> None:
        assert store.get_many("outbox", ["r1"]) == {}
        for name in ("r1", "r2"):
            store.create("outbox", name, {"state": name})
        read = store.get_many("outbox", ["r2", "none", "r1", "r2"])
        assert list(read) == ["r2", "r1"]
        assert read["r1"] == store.get("outbox", "r1")
        assert store.get_many("outbox", []) == {}

    def test_write_many(self, store: AlertStore) -> None:
        first = store.create("outbox", "r1", {"state": "pending"})
        assert first is not None
        newer = store.replace(first, {"state": "sending"})
        stale, new, there, over = store.write_many(
            "outbox",
            [
                Write("r1", {"state": "dead"}, first),
                Write("r2", {"state": "pending"}),
                Write("r1", {"state": "dead"}),
                Write("r1", {"state": "sent"}, newer),
            ],
        )
        assert (stale, there) == (None, None)
        assert new == store.get("outbox", "r2")
        assert over == store.get("outbox", "r1")
        assert over is not None
        assert over.body == {"state": "sent"}
        (again,) = store.write_many("outbox", [Write("r1", {"state": "dead"}, over)])
        assert again is not None
        assert store.write_many("outbox", []) == []

    def test_find_by_keys(self, store: AlertStore, settle: Settle) -> None:
        for number, state in enumerate(["pending", "sending", "sent"]):
            body = {"state": state, "source": "s", "created_at": _at(9 - number)}
            store.create("outbox", f"r{number}", body)
        store.create("outbox", "r9", {"state": "pending", "source": "t"})
        settle()

        def ids(equals: dict[str, str | list[str]], limit: int = 10) -> list[str]:
            found = store.find("outbox", equals, limit=limit, order_by="created_at")
            return [one.doc_id for one in found]

        assert ids({"source": "s"}) == ["r2", "r1", "r0"]
        assert ids({"source": "s"}, limit=2) == ["r2", "r1"]
        assert ids({"state": ["pending", "sending"], "source": "s"}) == ["r1", "r0"]
        assert ids({"state": "pending"}) == ["r0", "r9"]

    def test_find_in_lists(self, store: AlertStore, settle: Settle) -> None:
        store.create("episodes", "e1", {"finding_ids": ["a", "b"]})
        store.create("episodes", "e2", {"finding_ids": ["c"]})
        store.create("episodes", "e3", {"finding_ids": []})
        settle()
        found = store.find("episodes", {"finding_ids": ["b", "c", "x"]})
        assert sorted(one.doc_id for one in found) == ["e1", "e2"]
        assert store.find("episodes", {"finding_ids": "x"}) == []

    def test_a_found_document_can_be_replaced(
        self, store: AlertStore, settle: Settle
    ) -> None:
        store.create("episodes", "e1", {"source": "s", "state": "opened"})
        settle()
        (found,) = store.find("episodes", {"source": "s"})
        store.replace(found, {"source": "s", "state": "resolved"})
        held = store.get("episodes", "e1")
        assert held is not None
        assert held.body["state"] == "resolved"


def _at(hour: int) -> str:
    return f"2026-03-04T{hour:02d}:00:00Z"
