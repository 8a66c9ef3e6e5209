import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import BundleError, Lineage
from model.lineage import Remembered, check_name
from model.naming import Found, name_classes
from model.prototypes import Prototype, unit, wording

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DISK: Prototype = {"disk full": 1.0}
LOCK: Prototype = {"deadlock detected": 0.8, "rollback": 0.6}
LOOP: Prototype = {"select stock": 1.0}


def known(*classes: tuple[str, Prototype], own_name: str = "") -> Lineage:
    found = tuple(Remembered(i, False, p, 10, own_name=own_name) for i, p in classes)
    return Lineage(found, highest=len(found))


def told(lineage: Lineage, class_id: str) -> list[str]:
    return [c.told() for c in lineage.history(class_id)]


def test_a_first_training_numbers_from_one() -> None:
    ids, lineage = name_classes([Found(DISK, 9), Found(LOCK, 5)], Lineage())
    assert ids == ("c01", "c02")
    assert told(lineage, "c02") == ["found"]


def test_ids_and_own_names_stay_whatever_the_order() -> None:
    former = known(("c01", DISK), ("c02", LOCK), own_name="ours")
    ids, lineage = name_classes(
        [Found(LOCK, 9), Found(LOOP, 5), Found(DISK, 4)], former
    )
    assert ids == ("c02", "c03", "c01")
    assert [c.own_name for c in lineage.classes] == ["ours", "", "ours"]


def test_an_id_is_never_given_to_something_else() -> None:
    ids, lineage = name_classes([Found(LOOP, 9)], known(("c01", DISK), ("c02", LOCK)))
    assert ids == ("c03",)
    assert told(lineage, "c01") == ["gone"]
    ids, lineage = name_classes([Found(DISK, 3), Found({"new": 1.0}, 3)], lineage)
    assert ids == ("c01", "c04")
    assert told(lineage, "c01") == ["gone", "back"]
    assert told(lineage, "c03") == ["found", "gone"]


def test_the_best_pairs_together_win_not_the_first() -> None:
    near_both = unit({"disk full": 1.0, "deadlock detected": 1.0})
    only_disk = unit({"disk full": 1.0, "deadlock detected": 0.9})
    former = known(("c01", near_both), ("c02", only_disk))
    ids, _ = name_classes([Found(only_disk, 9), Found(near_both, 9)], former)
    assert ids == ("c02", "c01")


def test_members_outweigh_a_wording_that_changed() -> None:
    former = known(("c01", {"a": 1.0, "b": 0.0}))
    alike = unit({"a": 0.4, "z": 1.0})
    assert name_classes([Found(alike, 10)], former)[0] == ("c02",)
    voted = Found(alike, 10, votes={"c01": 10})
    assert name_classes([voted], former)[0] == ("c01",)


def test_a_split_and_a_merger_are_told() -> None:
    larger = Found(LOCK, 8, votes={"c01": 8})
    smaller = Found({"rollback": 1.0}, 3, votes={"c01": 3})
    ids, lineage = name_classes([larger, smaller], known(("c01", LOCK)))
    assert ids == ("c01", "c02")
    assert told(lineage, "c02") == ["split from c01"]
    assert told(lineage, "c01") == ["split from c01"]
    both = Found(LOCK, 9, votes={"c01": 6, "c02": 3})
    ids, lineage = name_classes([both], lineage)
    assert ids == ("c01",)
    assert told(lineage, "c02") == ["split from c01", "merged into c01"]


def test_what_mostly_was_something_else_does_not_take_an_id_over() -> None:
    mixed = Found(unit({**LOCK, "cut off": 0.6}), 32, votes={"c01": 12})
    ids, lineage = name_classes([mixed], known(("c01", LOCK)))
    assert ids == ("c02",)
    assert told(lineage, "c01") == ["merged into c02"]


def test_what_the_old_model_knows_nothing_of_is_new_unless_it_reads_the_same() -> None:
    alike = unit({**LOCK, "pump melted": 0.9})
    former = known(("c01", LOCK))
    assert name_classes([Found(alike, 9)], former)[0] == ("c01",)
    assert name_classes([Found(alike, 9, judged=True)], former)[0] == ("c02",)
    assert name_classes([Found(LOCK, 9, judged=True)], former)[0] == ("c01",)


def test_what_people_teach_takes_over_what_was_found() -> None:
    taught = Found(LOCK, 9, class_id="deadlock", votes={"c01": 9})
    ids, lineage = name_classes([taught], known(("c01", LOCK)))
    assert ids == ("deadlock",)
    assert told(lineage, "c01") == ["taught as deadlock"]


TOPICS = ("disk full", "deadlock", "cut off", "retry", "login refused", "melted")
LIFE = st.lists(st.lists(st.sampled_from(TOPICS), unique=True), min_size=2, max_size=6)


@given(trainings=LIFE, seed=st.integers(0, 1 << 32))
def test_an_id_never_changes_its_meaning(trainings: list[list[str]], seed: int) -> None:
    """Kinds come, go and come back in any order; other lines are there beside them."""
    noise = random.Random(seed)
    lineage, meaning = Lineage(), dict[str, str]()
    for kinds in trainings:
        found = [
            Found(unit({t: 1.0, "usual": 0.5, f"x{noise.random()}": 0.3}), 5)
            for t in kinds
        ]
        ids, lineage = name_classes(found, lineage)
        assert len(set(ids)) == len(ids)
        for class_id, kind in zip(ids, kinds, strict=True):
            assert meaning.setdefault(class_id, kind) == kind
        assert len(meaning) == len(set(meaning.values())), "a kind has one id"
        assert {c.class_id for c in lineage.classes if c.current} == set(ids)
        assert {c.class_id for c in lineage.classes} == set(meaning)


def test_seen_times_grow() -> None:
    first = Found(DISK, 3, first_seen=AT, last_seen=AT)
    _, lineage = name_classes([first], Lineage())
    later = AT + timedelta(days=7)
    _, lineage = name_classes([Found(DISK, 3, later, later)], lineage)
    assert (lineage.classes[0].first_seen, lineage.classes[0].last_seen) == (AT, later)


def test_the_lineage_comes_back_as_it_went(tmp_path: Path) -> None:
    _, lineage = name_classes([Found(DISK, 3, AT, AT)], Lineage())
    stamped = lineage.renamed("c01", "archive full", AT).stamped(AT)
    assert Lineage.from_state(stamped.state()) == stamped
    assert told(stamped, "c01") == ["found", "renamed to archive full"]


@pytest.mark.parametrize("state", [{}, {"classes": 5, "changes": [], "highest": 0}])
def test_a_damaged_lineage_is_one_line(state: dict[str, object]) -> None:
    with pytest.raises(BundleError, match=r"lineage\.json is damaged"):
        Lineage.from_state(state)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b"])
def test_names_that_cannot_be_shown_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="the name"):
        check_name(name)


def test_wording_outlives_masks() -> None:
    assert wording("user <ID> logged in from <IP>") == wording(
        "user <*> logged in from"
    )
    assert wording("<*>") == "<*>"
