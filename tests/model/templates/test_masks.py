import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import MaskError, parse_masks
from model.templates.masks import Mask, Masker


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("took 17 ms, then 3 seconds", "took <NUM>, then <NUM>"),
        ("read 8.8 KB of 104.0 B, 97%", "read <NUM> of <NUM>, <NUM>"),
        ("lifetime <1 sec", "lifetime <NUM>"),
        ("from 10.0.0.1:5432 to /10.0.0.2", "from <IP> to <IP>"),
        ("from db7/10.0.0.1:5432", "from <IP>"),
        ("peer 10.1.2.3.dyn.isp.example", "peer <IP>"),
        ("to shop.example:443 via App.java:17", "to <HOST> via <HOST>"),
        ("block blk_-3544 lost", "block <ID> lost"),
        ("see https://a.example/x?y=1 now", "see <URL> now"),
        ("mail to a.b@example.org", "mail to <EMAIL>"),
        ("open '/var/lib/pg/1' failed", "open '<PATH>' failed"),
        (r"open C:\Windows\x.log failed", "open <PATH> failed"),
        ("start com.acme.shop/.Main now", "start <PATH> now"),
        ("read/write and/or", "read/write and/or"),
        ("at 2026-11-22T12:00:00.123Z done", "at <TIME> done"),
        ("at 12:00:00 for 00:01", "at <TIME> for <TIME>"),
        ("slot 0000:00:1f.2 and 0000:00:02.0", "slot <NUM> and <NUM>"),
        ("id 6f1e2d3c-0000-4000-8000-0123456789ab", "id <UUID>"),
        ("pointer 0xdeadbeef, mask ffffffff", "pointer <HEX>, mask <HEX>"),
        ("to fe80::1%en0 from ::1", "to <IP> from <IP>"),
        ('tag="a b", ws=Source{a}', "tag=<STR>, ws=<OBJ>"),
        ("服务 3 已启动", "服务 <NUM> 已启动"),
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


def test_the_digest_names_the_masks_and_their_order() -> None:
    first, second = Mask("A", "a+"), Mask("B", "b+")
    digests = {Masker(m).digest for m in ((), (first, second), (second, first))}
    assert len(digests) == 3
    assert Masker((first,)).digest == Masker((first,)).digest


@pytest.mark.parametrize(
    ("definition", "complaint"),
    [
        ("ORDER", "NAME=REGEX"),
        ("A B=x", "NAME=REGEX"),
        ("é=x", "NAME=REGEX"),
        ("X=(?<=a)b", "does not compile"),
        ("X=[", "does not compile"),
        ("X=\ud800", "does not compile"),
        ("X=(?:a{500}){500}", "does not compile"),
        ("X=.*", "matches the empty text"),
        ("X=.+", "hides whole messages"),
        (r"X=[^|]+", "hides whole messages"),
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


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(max_size=5), st.sampled_from(PIECES))))
def test_what_a_mask_needs_leaves_out_no_match(parts: list[str]) -> None:
    text = " ".join(parts).encode("utf-8", "replace").decode()
    slow = text.encode()
    masker = Masker()
    for step in masker._steps:
        slow = step(slow)
    assert masker(text) == slow.decode()


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(max_size=5), st.sampled_from(PIECES))))
def test_no_ascii_digit_is_left(parts: list[str]) -> None:
    text = " ".join(parts).encode("utf-8", "replace").decode()
    assert not set(Masker()(text)) & set("0123456789")


HOSTILE = ["a" * 8000 + "!", "1." * 4000, "a.a" * 2700, "a-" * 4000, "x=" * 4000]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:3])
def test_hostile_text_and_masks_that_would_backtrack_come_to_an_end(text: str) -> None:
    """With a backtracking engine this takes longer than the age of the universe."""
    masker = Masker((Mask("BAD", r"(?:(?:[ax1.=-]+)+)+\*"),))
    assert len(masker(text)) < 4 * len(text)
