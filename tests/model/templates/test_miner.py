"""The miner is drain3 that is given every line, one by one; only faster."""

import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plain_drain3 import plain_drain3, state
from model import MinerConfig, TemplateMiner
from model.templates.masks import BUILT_IN, Mask
from model.templates.reduction import as_text, reduce

LINES = [
    "connection received: host=10.0.0.1 port=4711",
    "connection received: host=10.0.0.2 port=9",
    "disk /dev/sda1 is full",
    "login accepted for user ada after 3 attempts",
    "login accepted for user bob after 9 attempts",
]


def learned(
    lines: Sequence[object], config: MinerConfig | None = None
) -> TemplateMiner:
    miner = TemplateMiner(config)
    miner.learn_all(lines)
    return miner


def mine(miner: TemplateMiner) -> list[tuple[int, int, tuple[str, ...]]]:
    return [(c.cluster_id, c.size, c.tokens) for c in miner.clusters()]


def test_ids_count_from_one_in_order_of_first_sight() -> None:
    miner = TemplateMiner()
    assert miner.learn_all(LINES) == [1, 1, 2, 3, 4]
    assert [c.size for c in miner.clusters()] == [2, 1, 1, 1]


WORDS = [
    "open",
    "close",
    "file",
    "a",
    "b",
    "c",
    "7",
    "x9",
    "10.0.0.1",
    "blk_-81",
    "x=1",
]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
ANY = st.one_of(TEXTS, TEXTS, st.text(max_size=12).map(as_text).map(reduce))


HEXADECIMAL = st.one_of(
    st.uuids().map(str),
    st.text("0123456789abcdef", min_size=13, max_size=18),
    st.text("0123456789ABCDEF", min_size=7, max_size=12),
    st.sampled_from(["a", "9", "=", '="x"', "://h", "0x", "ms", "10.0.0.1"]),
)
JOINED = st.lists(
    st.tuples(
        HEXADECIMAL, st.sampled_from(["", " ", "-", ":", "/", "=", ".", "@", "_"])
    ),
    max_size=4,
).map(lambda parts: "at " + "".join(a + b for a, b in parts))


@settings(max_examples=200, deadline=None)
@given(st.lists(JOINED, max_size=30))
def test_hexadecimal_words_are_known_by_one_key_only_where_masks_hide_them(
    lines: list[str],
) -> None:
    lines = [line.strip() for line in lines]
    drain3, ours = plain_drain3(), TemplateMiner()
    theirs = [drain3.add_log_message(line)["cluster_id"] for line in lines]
    assert ours.learn_all(lines) == theirs
    assert mine(ours) == state(drain3)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(ANY, max_size=60),
    st.sampled_from([0.3, 0.5, 0.7, 1.0]),
    st.sampled_from([3, 4, 5]),
    st.sampled_from([2, 3, 100]),
    st.integers(1, 9),
)
def test_ids_and_state_are_those_of_drain3_line_by_line(
    lines: list[str], similarity: float, depth: int, children: int, page: int
) -> None:
    lines = [line or "-" for line in lines]
    config = MinerConfig(similarity=similarity, depth=depth, max_children=children)
    drain3, ours = plain_drain3(config), TemplateMiner(config)
    theirs = [drain3.add_log_message(line)["cluster_id"] for line in lines]
    ids: list[int] = []
    for at in range(0, len(lines), page):
        ids += ours.learn_all(lines[at : at + page])
    assert ids == theirs
    assert mine(ours) == state(drain3)


def test_the_same_with_a_mask_of_the_user_that_tells_digits_apart() -> None:
    masks = (Mask("HIGH", r"\b9\d\d\b"),)
    lines = ["error 901", "error 101", "error 950", "error 150", "error 101"]
    drain3 = plain_drain3(masks=(*masks, *BUILT_IN))
    theirs = [drain3.add_log_message(line)["cluster_id"] for line in lines]
    assert TemplateMiner(MinerConfig(masks=masks)).learn_all(lines) == theirs
    assert theirs == [1, 2, 1, 2, 2]


def test_templates_are_capped_and_the_rest_is_counted() -> None:
    lines = [f"{word} went wrong" for word in ("alpha", "beta", "gamma", "delta")]
    miner = learned([*lines, "alpha went wrong"], MinerConfig(max_templates=2))
    assert [c.size for c in miner.clusters()] == [2, 1]
    assert miner.overflow == 2
    assert miner.learn("delta went wrong") == 0


def test_one_leaf_cannot_take_all_the_room() -> None:
    names = [f"user {'abcdefghij'[i % 10] * (i // 10 + 1)} left" for i in range(50)]
    config = MinerConfig(max_per_leaf=10, depth=3)
    miner = learned([*names, "disk full"], config)
    assert len(miner.clusters()) == 11
    assert miner.overflow == 40


def test_memory_does_not_grow_with_messages_that_are_all_different() -> None:
    config = MinerConfig(max_templates=50, cache_size=100)
    miner = TemplateMiner(config)

    def flood(start: int, count: int) -> int:
        for at in range(start, start + count):
            word = "".join(chr(97 + int(d)) for d in str(at))
            miner.learn_all([f"{word} is new in {word}", f"用户{word}登录失败"])
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = flood(0, 1000)
        late = flood(1000, 4000)
    finally:
        tracemalloc.stop()
    assert late < early * 1.2
    assert len(miner.clusters()) == 50
    assert miner.overflow == 10_000 - 50


STRANGE = [
    "",
    None,
    b"bytes \xff\xfe",
    17,
    "\0",
    "a\0b",
    "\ud800 lone",
    "<*>",
    "<NUM> <*> <IP>",
    "x" * 1_000_000,
    "9" * 1_000_000,
    "a " * 100_000,
    "\n\n\n",
    "\x1b[31mred\x1b[0m",
    "{" * 10_000,
    '{"a": ' * 2_000 + "1" + "}" * 2_000,
    "=" * 8_000,
    "a=b " * 3_000,
    "不" * 20_000,
]


@pytest.mark.parametrize("message", STRANGE, ids=lambda m: repr(m)[:20])
def test_strange_messages_are_taken(message: object) -> None:
    miner = learned([*LINES, message, *LINES])
    templates = miner.freeze()
    assert templates.match(message) != 0
    assert templates.match_all([LINES[0], message, LINES[2]]) == [
        templates.match(LINES[0]),
        templates.match(message),
        templates.match(LINES[2]),
    ]
    assert max(len(t.text) for t in templates.templates) < 10_000


def test_strange_messages_are_counted() -> None:
    miner = learned([None, b"x", "\ud800", "y" * 9000, "fine"])
    assert (miner.odd.not_text, miner.odd.bad_unicode, miner.odd.too_long) == (2, 1, 1)


def test_the_branch_is_the_way_through_the_tree() -> None:
    miner = learned(LINES)
    assert miner.branch(LINES[3]) == ["8 tokens", "login", "accepted"]
    assert miner.branch("logout of ada was not yet seen here") == [
        "8 tokens",
        "no branch for logout",
    ]
