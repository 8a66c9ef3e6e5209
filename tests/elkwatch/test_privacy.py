import pytest

from elkwatch.config import MaskSettings
from elkwatch.privacy import Mask, masking

KEY = b"0" * 16
ALL = tuple(MaskSettings(name=name) for name in ("email", "ip", "card", "token"))


@pytest.fixture
def mask() -> Mask:
    return masking(ALL, KEY)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("mail from ada@example.org failed", "ada@example.org"),
        ("client 10.20.30.40 refused", "10.20.30.40"),
        ("client 2001:db8::8a2e:370:7334 refused", "8a2e:370:7334"),
        ("paid with 4111 1111 1111 1111 today", "4111 1111"),
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("password=hunter22, next", "hunter22"),
        ("got eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    ],
)
def test_what_is_private_is_masked(mask: Mask, text: str, secret: str) -> None:
    masked = mask(text)
    assert secret not in masked
    assert "<" in masked


@pytest.mark.parametrize(
    "text",
    ["order 4111111111111112 shipped", "took 12:30:45", "duration: 0.4 ms", "版本 1.2"],
)
def test_what_only_looks_like_it_stays(mask: Mask, text: str) -> None:
    assert mask(text) == text


def test_equal_values_get_equal_placeholders_and_others_do_not(mask: Mask) -> None:
    assert mask("10.0.0.1") == mask("10.0.0.1") != mask("10.0.0.2")
    assert masking(ALL, b"1" * 16)("10.0.0.1") != mask("10.0.0.1")


def test_own_patterns_are_masked() -> None:
    own = (MaskSettings(name="staff", pattern=r"E\d{6}"),)
    assert masking(own, KEY)("by E123456").startswith("by <staff:")


def test_without_settings_nothing_changes() -> None:
    assert masking(())("ada@example.org") == "ada@example.org"
