"""Frozen templates: what is merged, what matches, what a bundle keeps."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import BundleError, FrozenTemplates, MinerConfig, TemplateMiner
from model.templates.masks import Mask, Masker
from model.templates.reduction import as_text, reduce
from tests.model.templates.test_miner import LINES, learned


def frozen(
    lines: Sequence[object], config: MinerConfig | None = None
) -> FrozenTemplates:
    return learned(lines, config).freeze()


def texts(lines: Sequence[str]) -> list[str]:
    return [template.text for template in frozen(lines).templates]


NAMES = ["ada", "bob", "cyd", "dee", "eve", "fay"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # a word that takes many values is one, where enough says what happened
        (
            [f"login accepted for user {n}" for n in NAMES],
            ["login accepted for user <*>"],
        ),
        # few values: what happened may be told by them
        (
            [f"order has moved to {n}" for n in NAMES[:4]],
            [f"order has moved to {n}" for n in NAMES[:4]],
        ),
        # but after a noun that names things, three names are enough
        (
            [f"login accepted for user {n}" for n in NAMES[:3]],
            ["login accepted for user <*>"],
        ),
        # and alone between quotes
        (
            [f"cannot find '{n}' in it" for n in NAMES[:3]],
            ["cannot find '<*>' in it"],
        ),
        # nothing else says what happened
        ([f"daemon {n}" for n in NAMES], [f"daemon {n}" for n in NAMES]),
        # three names of classes, packages, hosts are values
        (
            [f"cannot load class {n} now" for n in ("a.B", "a.C", "d.E")],
            ["cannot load class <*> now"],
        ),
        # a value here and a word there, after the word that names them
        (
            ["stop requested by user 17", "stop requested by user root"],
            ["stop requested by user <*>"],
        ),
        # outcomes are what happened
        (
            ["cache is now enabled: 7", "cache is now enabled: false"],
            ["cache is now enabled: <NUM>", "cache is now enabled: false"],
        ),
        # the type of a value makes no event
        (
            ["sent to 10.0.0.1 ok", "sent to db7 ok", "sent to /tmp/x ok"],
            ["sent to <*> ok"],
        ),
        # a list is one value however long; so is a repeated group
        (
            ["nodes n1, n2, n3 are up", "nodes n4 are up", "nodes n5 n6 are up"],
            ["nodes <ID> are up"],
        ),
        (
            ["disks (sda1) (sdb1) full", "disks (sdc1) full"],
            ["disks (<ID>) full"],
        ),
        # singular and plural, units of any size
        (
            ["took 1 second for 17 B", "took 300 ms for 2.5 MB"],
            ["took <NUM> for <NUM>"],
        ),
        # values of key=value pairs
        (
            [
                "lock taken, tag=net, name=phone, ws=null",
                "lock taken, tag=audio, name=server, ws=null",
                'lock taken, tag="a b", name=android, ws=Work{x}',
            ],
            ["lock taken, tag=<*>, name=<*>, ws=<*>"],
        ),
        # Chinese: the values between stand alone
        (
            [f"用户{n}登录失败，请重试" for n in NAMES],
            ["用户<*>登录失败，请重试"],
        ),
    ],
)
def test_what_is_one_event_is_merged(lines: list[str], expected: list[str]) -> None:
    assert texts(lines) == expected


def test_a_merged_template_matches_what_was_never_seen() -> None:
    templates = frozen([f"login accepted for user {n}" for n in NAMES])
    assert templates.match("login accepted for user zoe") == 1
    assert templates.match("login accepted for user zoe twice") == 0
    assert templates.match("login refused for user zoe") == 0


def test_a_value_in_a_template_does_not_match_a_word() -> None:
    templates = frozen(["7"])
    assert templates.match("8") == 1
    assert templates.match("panic") == 0


def test_the_narrowest_template_wins() -> None:
    lines = [f"job {n} ended with code x" for n in NAMES]
    templates = frozen([*lines, "job ada ended with code y"])
    assert templates.match("job zoe ended with code x") == 1
    assert templates.match("job ada ended with code y") == 2


def test_every_line_that_was_learned_matches_and_sizes_add_up() -> None:
    lines = [*LINES, *(f"login accepted for user {n} at once" for n in NAMES)]
    templates = frozen(lines)
    ids = templates.match_all(lines)
    assert [ids.count(t.template_id) for t in templates.templates] == [
        t.size for t in templates.templates
    ]


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=20))
def test_any_text_that_was_learned_matches(lines: list[str]) -> None:
    templates = frozen(lines)
    assert 0 not in templates.match_all(lines)
    assert [templates.match(line) for line in lines] == templates.match_all(lines)


def test_matching_changes_nothing() -> None:
    templates = frozen(LINES)
    before = json.dumps(templates.state())
    templates.match_all(["something else entirely", *LINES])
    assert json.dumps(templates.state()) == before


def test_rules_say_why_templates_were_merged() -> None:
    (template,) = frozen([f"login accepted for user {n}" for n in NAMES]).templates
    assert template.rules == ("token 5 varies: 6 different ones",)
    assert template.size == 6


def test_words_that_turned_out_to_be_values_are_not_kept() -> None:
    state = json.dumps(frozen([f"login accepted for user {n}" for n in NAMES]).state())
    assert not [name for name in NAMES if name in state]


def test_the_order_of_lines_does_not_change_what_is_merged() -> None:
    lines = [*LINES, *(f"login accepted for user {n} at once" for n in NAMES)]
    assert set(texts(lines)) == set(texts(lines[::-1]))


def test_the_state_is_plain_json_and_restores_every_id() -> None:
    config = MinerConfig(masks=(Mask("ORDER", "ord-[a-z]+"),))
    lines = [*LINES, "ord-abc shipped", *(f"order of {n} was lost" for n in NAMES)]
    templates = frozen(lines, config)
    again = FrozenTemplates.from_state(json.loads(json.dumps(templates.state())))
    probes = [*lines, "ord-xyz shipped", "order of zoe was lost", "unknown line"]
    assert again.match_all(probes) == templates.match_all(probes)
    assert again.templates == templates.templates


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("templates", [[1, 2]]),
        ("templates", [[1, 7, []]]),
        ("keys", [[99, "x"]]),
        ("keys", [[1, 5]]),
        ("masks", [{"name": "X"}]),
        ("digest", None),
    ],
)
def test_damaged_state_is_refused_in_one_line(part: str, damage: object) -> None:
    state = frozen(LINES).state()
    state[part] = damage
    with pytest.raises(BundleError, match="train it again") as caught:
        FrozenTemplates.from_state(state)
    assert "\n" not in str(caught.value)


def test_other_masks_are_told_of() -> None:
    state = frozen(LINES).state() | {"digest": "of another elkwatch"}
    with pytest.raises(BundleError, match="made with other masks than this"):
        FrozenTemplates.from_state(state)


def test_a_literal_wildcard_or_placeholder_in_a_message_is_text() -> None:
    templates = frozen(["value <*> of order lost"])
    assert templates.match("value <*> of order lost") == 1
    assert templates.match("value any of order lost") == 0


def test_a_miner_learns_on_after_it_was_frozen() -> None:
    miner = TemplateMiner()
    miner.learn_all(LINES)
    early = miner.freeze()
    miner.learn("kernel panic")
    assert early.match("kernel panic") == 0
    assert miner.freeze().match("kernel panic") != 0


@given(st.lists(st.text(alphabet="ab 0123456789.:/-=<>_{}é\n", max_size=30)))
@settings(max_examples=60, deadline=None)
def test_a_masked_text_is_the_same_remembered_or_not(messages: list[str]) -> None:
    templates = frozen(LINES[:3])
    anew = Masker(templates.masks)
    for message in [*messages, *messages]:
        assert templates.mask(message) == anew(reduce(as_text(message)))
