"""What is private is masked, what only looks like it stays, whatever the text is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import DeadLetter
from elkwatch.config import MaskSettings
from elkwatch.privacy import Masker, masking
from elkwatch.translate import masked_document, masked_letter, shown_key

KEY = b"0" * 16
KINDS = ("email", "ip", "card", "token")
ALL = tuple(MaskSettings(name=name) for name in KINDS)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc=\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl"

SECRETS = {
    "ada@example.org": "email",
    "Ada.Lovelace+x@mail.example.co.uk": "email",
    "ada%40example.org": "email",
    "jürgen@müller.example": "email",
    "10.20.30.40": "ip",
    "255.255.255.255": "ip",
    "::1": "ip",
    "2001:db8::8a2e:370:7334": "ip",
    "2001:0DB8:0000:0000:0000:8A2E:0370:7334": "ip",
    "fe80::1%eth0": "ip",
    "::ffff:10.0.0.1": "ip",
    "dead:beef::cafe": "ip",
    "4111 1111 1111 1111": "card",
    "5500-0000-0000-0004": "card",
    "378282246310005": "card",
    "3782 822463 10005": "card",
    "6212345678900000003": "card",
    JWT: "token",
    "AKIAIOSFODNN7EXAMPLE": "token",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789": "token",
    "github_pat_11ABCDEFG0abcdefghijkl_mnop": "token",
    "xoxb-123456789012-abcdefABCDEF": "token",
    "sk-proj-abcdefghijklmnop": "token",
    PEM: "token",
}


@pytest.fixture
def mask() -> Masker:
    return masking(ALL, KEY)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", ["{}", "got {}, twice", "<{}>", "地址{}已", '"{}"'])
def test_what_is_private_is_masked(mask: Masker, secret: str, form: str) -> None:
    masked = mask(form.format(secret))
    assert secret not in masked
    assert f"<{SECRETS[secret]}:" in masked
    assert masking((MaskSettings(name=SECRETS[secret]),), KEY)(secret) == mask(secret)


@pytest.mark.parametrize(
    ("text", "secret", "left"),
    [
        ("Authorization: Bearer abcdef0123456789 x", "abcdef0123456789", "Bearer <"),
        ("bearer supersecrettoken", "supersecrettoken", "bearer <"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz", "Basic <"),
        ("password=hunter22, next", "hunter22", ">, next"),
        ("password: hunter22", "hunter22", "password: <"),
        ("login password=a,b;c!d ok", "a,b;c!d", "> ok"),
        ('{"password": "a b\\"c", "x": 1}', "a b", '>", "x": 1}'),
        ('{\\"password\\":\\"abc\\",\\"y\\":2}', "abc", '>\\",\\"y\\":2}'),
        ('{"msg":"password=abc","user":"bob"}', "abc", '>","user":"bob"}'),
        ("dbPassword='x y' z", "x y", ">' z"),
        ("AWS_SECRET_ACCESS_KEY=abc/d+ef", "abc/d+ef", "KEY=<"),
        ("api_key => 'q1w2e3'", "q1w2e3", "api_key => '<"),
        ("https://bob:p$w0rd!@db.example.org/x", "p$w0rd!", ">@db.example.org/x"),
        ("postgres://ada:pw@db.example.org", "pw", ">@db.example.org"),
        ("root:pw@tcp(db:3306)/x", "root:pw", ">@tcp(db:3306)/x"),
        ("GET /x?token=abcdef&page=1&api_key=zzz", "zzz", ">&page=1&api_key=<"),
        ("Cookie: sid=abcdef; other=1", "abcdef", "Cookie: <"),
        ("Cookie: sid=abcdef; other=1", "other", "Cookie: <"),
        ("10.0.0.1:8080 refused", "10.0.0.1", ">:8080 refused"),
        ("src: /10.250.19.102:54106", "10.250", "src: /<"),
        ("[2001:db8::1]:443", "2001", ">]:443"),
        ("src:2001:db8::1,", "2001", "src:<"),
        ("2001:db8:0:0:0:0:0:1:443", "2001", ">:443"),
        ("ip-10-0-0-1.ec2.internal", "10-0-0-1", "ip-<"),
        ("1234 4111 1111 1111 1111", "4111", "1234 <"),
        (PEM.partition("-----END")[0], "MIIEow", "<token:"),
    ],
)
def test_of_a_pair_only_the_value_is_masked(
    mask: Masker, text: str, secret: str, left: str
) -> None:
    masked = mask(text)
    assert secret not in masked
    assert left in masked


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112 shipped",
        "blk_-1608999687919862906 and blk_4111111111111111",
        "ratio 0.4111111111111111",
        "took 12:30:45.123, at 2026-11-22T10:00:00.123Z",
        "mac aa:bb:cc:dd:ee:ff, std::vector<core::fmt>, a::b, ::",
        "v1.2.3.4, 1.2.3.4.5, 999.1.1.1, 1.2.3",
        "duration: 0.4 ms, 版本 1.2",
        "lodash@4.17.21, user@localhost",
        "Basic authentication failed, bearer authentication too",
        "token: null, password=, password=<*>, secret=<TOKEN>",
        "deadbeef 0x1f 5f3c2a1b.1234",
    ],
)
def test_what_only_looks_like_it_stays(mask: Masker, text: str) -> None:
    assert mask(text) == text


def test_equal_values_get_equal_placeholders_and_others_do_not(mask: Masker) -> None:
    assert mask("10.0.0.1") == mask("10.0.0.1") != mask("10.0.0.2")
    assert masking(ALL, b"1" * 16)("10.0.0.1") != mask("10.0.0.1")
    assert mask("2001:DB8::1") == mask("2001:db8:0::1")
    assert mask("Ada@Example.org") == mask("ada@example.org")
    assert mask("4111 1111 1111 1111") == mask("4111-1111-1111-1111")
    assert mask("Bearer abcdef012345")[7:] == mask("token=abcdef012345")[6:]
    assert masking(ALL)("10.0.0.1") == masking(ALL)("10.0.0.1")  # one run, one key


def test_own_patterns_are_masked() -> None:
    own = (MaskSettings(name="staff", pattern=r"E\d{6}"), *ALL)
    masked = masking(own, KEY)("by E123456 (E123456@example.org)")
    assert masked.startswith("by <staff:")
    assert "E123456" not in masked


def test_what_one_mask_hides_keeps_no_other_from_seeing() -> None:
    own = (MaskSettings(name="word", pattern="wor"), *ALL)
    assert "pass" not in masking(own, KEY)("token=pass-wor-d")


def test_without_settings_nothing_changes() -> None:
    assert masking(())("ada@example.org") == "ada@example.org"


def test_names_of_kinds_do_not_tell_values_apart(mask: Masker) -> None:
    assert mask.unnumbered("from 10.0.0.1 by ada@example.org") == "from <ip> by <email>"


@pytest.mark.parametrize(
    "pattern",
    ["", ".*", "(?s).+", ".", r"\S+", r"\w", "[^ ]+", "a*", "x?", r"\b", "|a", "(?:)"],
)
def test_a_mask_that_hides_everything_or_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"empty text|hides whole lines"):
        MaskSettings(name="all", pattern=pattern)


@pytest.mark.parametrize("pattern", [r"E\d{6}", "user=.*", r"\d+", "^.{8}"])
def test_a_mask_that_hides_a_part_is_taken(pattern: str) -> None:
    MaskSettings(name="part", pattern=pattern)


_PLACES = st.text(alphabet=st.characters(exclude_categories=()), max_size=12)
_PIECES = st.one_of(
    st.sampled_from([*SECRETS, "password=", "Bearer ", "://", "@", ":", "<ip:", "v"]),
    st.sampled_from([" ", ",", '"', "'", "\\", "\n", "&", ";", "=", "-", ".", "1"]),
    _PLACES,
)
_TEXTS = st.lists(_PIECES, max_size=10).map("".join)


@settings(max_examples=400, deadline=None)
@given(_TEXTS)
def test_masking_twice_changes_nothing(text: str) -> None:
    mask = masking(ALL, KEY)
    masked = mask(text)
    assert mask(masked) == masked
    assert masked.encode().decode() == masked
    assert json.loads(json.dumps(masked)) == masked


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(SECRETS)), _PLACES, _PLACES)
def test_no_secret_survives_between_spaces(
    secret: str, before: str, after: str
) -> None:
    assert secret not in masking(ALL, KEY)(f"{before} {secret} {after}")


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "a@", "1", "4 ", "4111 ", ":", "a:", "password=x ", "password='", "<"),
        *("1.1.1.1 ", "Bearer ", "cookie: a=b\n", "a://", "eyJ", "\\", ",a.b-"),
        *("ada@example.org ", "password=,a", "password=\\", "secret:"),
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_long_lines_are_masked_in_linear_time(mask: Masker, piece: str) -> None:
    """Were it quadratic, it would not end before the test's time is up."""
    line = "password=" + piece * (250_000 // len(piece))
    masked = mask(line)
    assert masked == line or "<" in masked


def test_a_dead_letter_stays_json_and_holds_no_secret(mask: Masker) -> None:
    document = json.dumps({"a": ["mail ada@example.org"], "n": 5, "b": {"c": "::1"}})
    letter = DeadLetter("decode", "s", "bad time '10.0.0.1'", NOW, document=document)
    masked = masked_letter(letter, mask)
    assert json.loads(masked.document)["n"] == 5
    assert "ada@" not in masked.document
    assert "::1" not in masked.document
    assert "10.0.0.1" not in masked.reason
    cut = DeadLetter("decode", "s", "", NOW, document=document[:30])
    assert "ada@example.org" not in masked_letter(cut, mask).document


def test_keys_are_masked_but_for_the_names_in_them(mask: Masker) -> None:
    assert shown_key("blk_1", (), mask) == "blk_1"
    assert shown_key("ada@example.org", (), mask).startswith("<email:")
    assert shown_key("10.0.0.1", {"10.0.0.1"}, mask) == "10.0.0.1"
    shown = shown_key("shop|10.0.0.1|10.0.0.2", {"shop", "10.0.0.1"}, mask)
    assert shown.startswith("shop|10.0.0.1|<ip:")


def test_a_stored_finding_is_masked_for_a_report(mask: Masker) -> None:
    stored = {
        "@timestamp": "2026-11-22T10:00:00.000Z",
        "message": "X, session 10.0.0.1",
        "event": {"reason": "of 10.0.0.1", "url": "https://k/10.0.0.1", "id": "a"},
        "host": {"name": "10.9.9.9"},
        "elkwatch": {
            "session": {"id": "10.0.0.1"},
            "evidence": [{"message": "from 10.0.0.1", "position": 3}],
        },
    }
    masked = masked_document(stored, mask, show_keys=False)
    assert "10.0.0.1" not in json.dumps(masked)
    assert masked["host"] == {"name": "10.9.9.9"}
    assert masked["elkwatch"]["evidence"][0]["position"] == 3
    assert "10.0.0.1" in json.dumps(stored), "what was given is left as it is"
    assert masked_document(masked, mask, show_keys=False) == masked
    assert masked_document({"event": 3, "x": None}, mask, show_keys=False)
