import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import BundleError, MinerConfig, TemplateMiner
from model.templates.masks import Mask

LINES = [
    "connection received: host=10.0.0.1 port=4711",
    "connection received: host=10.0.0.2 port=9",
    "disk /dev/sda1 is full",
    "login accepted for user ada after 3 attempts",
    "login accepted for user bob after 9 attempts",
]


def learned(lines: list[str], config: MinerConfig | None = None) -> TemplateMiner:
    miner = TemplateMiner(config)
    for line in lines:
        miner.learn(line)
    return miner


def test_lines_of_one_kind_share_a_template() -> None:
    miner = learned(LINES)
    ids = [miner.match(line) for line in LINES]
    assert ids[0] == ids[1]
    assert ids[3] == ids[4]
    assert len(set(ids)) == 3
    assert 0 not in ids


def test_a_line_that_was_never_seen_has_no_template() -> None:
    assert learned(LINES).match("kernel panic") == 0


def test_matching_changes_nothing() -> None:
    miner = learned(LINES)
    before = miner.state()
    miner.match("something else entirely")
    assert miner.state() == before


def test_the_state_is_plain_json_and_restores_every_id() -> None:
    config = MinerConfig(masks=(Mask("ORDER", "ord-[a-z]+"),))
    miner = learned([*LINES, "ord-abc shipped"], config)
    again = TemplateMiner.from_state(json.loads(json.dumps(miner.state())))
    probes = [*LINES, "ord-xyz shipped", "unknown line"]
    assert [again.match(p) for p in probes] == [miner.match(p) for p in probes]
    assert again.templates() == miner.templates()


@pytest.mark.parametrize("damage", ["clusters", "masks", "similarity"])
def test_damaged_state_is_refused_in_one_line(damage: str) -> None:
    state = learned(LINES).state()
    state[damage] = [[1, "x", 5]]
    with pytest.raises(BundleError, match="train it again"):
        TemplateMiner.from_state(state)


def test_templates_are_capped_and_the_rest_is_counted() -> None:
    miner = learned(
        [f"{w} went wrong" for w in ("alpha", "beta", "gamma", "delta")],
        MinerConfig(max_templates=2, similarity=1.0),
    )
    assert len(miner.templates()) == 2
    assert miner.overflow == 2
    assert miner.match("delta went wrong") == 0


def test_a_stack_trace_is_its_first_lines() -> None:
    trace = "boom\n\n" + "\n".join(f"  at frame{chr(97 + i)}" for i in range(20))
    longer = trace + "\n  at somewhere else"
    miner = learned([trace])
    assert miner.match(longer) == miner.match(trace) != 0


@given(st.text())
def test_any_text_gets_the_same_id_when_it_comes_again(text: str) -> None:
    miner = TemplateMiner()
    miner.learn(text)
    assert miner.match(text) == miner.match(text) != 0


@pytest.mark.parametrize(
    "text",
    ["", "\0", "\ud800 lone", "<*>", "x" * 2_000_000, "a " * 100_000, "\n\n\n"],
)
def test_strange_text_is_taken(text: str) -> None:
    miner = learned(LINES)
    miner.learn(text)
    miner.match(text)
    assert max(len(t.text) for t in miner.templates()) < 10_000


def test_what_is_learned_after_a_miss_is_found() -> None:
    miner = learned(LINES)
    assert miner.match("kernel panic") == 0
    miner.learn("kernel panic")
    assert miner.match("kernel panic") != 0


def test_a_literal_wildcard_in_a_message_is_text() -> None:
    miner = learned(["value <*> of order lost"])
    assert miner.match("value <*> of order lost") != 0
    assert miner.match("value any of order lost") == 0
