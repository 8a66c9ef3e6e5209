import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import MaskError, parse_masks
from model.templates.masks import Mask, Masker


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("took 17 ms", "took <NUM> ms"),
        ("from 10.0.0.1:5432 to /10.0.0.2", "from <IP> to <IP>"),
        ("block blk_-3544 lost", "block <ID> lost"),
        ("see https://a.example/x?y=1 now", "see <URL> now"),
        ("mail to a.b@example.org", "mail to <EMAIL>"),
        ("open '/var/lib/pg/1' failed", "open '<PATH>' failed"),
        ("at 2026-11-22T12:00:00.123Z done", "at <TIME> done"),
        ("id 6f1e2d3c-0000-4000-8000-0123456789ab", "id <UUID>"),
        ("pointer 0xdeadbeef", "pointer <HEX>"),
        ("服务 已 启动", "服务 已 启动"),
        ("no values here", "no values here"),
    ],
)
def test_values_become_typed_placeholders(text: str, masked: str) -> None:
    assert Masker()(text) == masked


def test_a_mask_of_the_user_runs_first() -> None:
    masker = Masker((Mask("ORDER", r"ord-[a-z]+"),))
    assert masker("ord-abc of 10.0.0.1") == "<ORDER> of <IP>"


def test_explain_names_the_masks_in_order() -> None:
    names = [name for name, _ in Masker().explain("10.0.0.1 took 5 ms")]
    assert names == ["IP", "NUM"]


@pytest.mark.parametrize(
    ("definition", "complaint"),
    [
        ("ORDER", "NAME=REGEX"),
        ("A B=x", "NAME=REGEX"),
        ("X=(?<=a)b", "does not compile"),
        ("X=[", "does not compile"),
        ("X=.*", "matches the empty text"),
        ("X=.+", "hides whole messages"),
    ],
)
def test_bad_masks_are_refused_in_one_line(definition: str, complaint: str) -> None:
    with pytest.raises(MaskError, match=complaint) as caught:
        Masker(parse_masks([definition]))
    assert "\n" not in str(caught.value)


PIECES = [
    "10.0.0.1",
    "/a/b",
    "x9",
    "12:00:01",
    "blk_-3",
    "a@b.org",
    "0x1f",
    "http://h/",
]


@given(st.lists(st.one_of(st.text(max_size=5), st.sampled_from(PIECES))))
def test_the_one_pass_leaves_out_no_mask_that_matters(parts: list[str]) -> None:
    text = " ".join(parts).encode("utf-8", "replace").decode()
    masker = Masker()
    slow = text
    for substitute, replacement in masker._steps:
        slow = substitute(replacement, slow)
    assert masker(text) == slow


def test_masking_is_linear_in_hostile_text() -> None:
    hostile = "a" * 20_000 + "!" + "1." * 20_000
    assert len(Masker()(hostile)) < 50_000
