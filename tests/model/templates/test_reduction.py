import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.templates.reduction import MAX_CHARS, as_text, reduce


def test_a_stack_trace_is_its_first_line_and_the_top_frames() -> None:
    trace = "\n".join(["boom", "", *(f"\tat a.B.c{n}(B.java:{n})" for n in range(20))])
    assert reduce(trace) == (
        "boom at a.B.c0(B.java:0) at a.B.c1(B.java:1) at a.B.c2(B.java:2)"
    )


def test_a_python_traceback_says_first_what_happened() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "shop.py", line 3, in <module>\n'
        "    pay()\n"
        "ValueError: no such order\n"
    )
    assert reduce(trace).startswith("ValueError: no such order Traceback")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"level": "info", "msg": "order placed", "id": 7}', "order placed"),
        ('{"time": 1, "log": {"message": "x"}, "msg": "paid"}', "paid"),
        (
            '{"event": "login", "user": {"name": "ada"}, "ok": true}',
            "event=login user.name=ada ok=<VALUE>",
        ),
        ('{"event": "login failed for ada@x.org"}', "login failed for ada@x.org"),
        ('{"a": 007}', '{"a": 007}'),
        ("{not json}", "{not json}"),
        ("{}", "{}"),
        ("[1, 2]", "[1, 2]"),
        (
            r'ts=1 level=error msg="cannot \"open\" it" err=eof',
            'cannot "open" it',
        ),
        (
            "type=AVC user=ada pid=3 tty=(none)",
            "type=AVC user=<VALUE> pid=<VALUE> tty=<VALUE>",
        ),
        ("a=1 b=2", "a=1 b=2"),
        ("auth failed user=ada tty=1 pid=3", "auth failed user=ada tty=1 pid=3"),
    ],
)
def test_structure_is_taken_apart_first(text: str, line: str) -> None:
    assert reduce(text) == line


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (None, ""),
        (b"caf\xe9", "caf\ufffd"),
        (17, "17"),
        ("\ud800x", "?x"),
        ("é" * (MAX_CHARS + 1), "é" * MAX_CHARS),
    ],
)
def test_anything_becomes_text(message: object, text: str) -> None:
    assert as_text(message) == text


@settings(deadline=None)
@given(st.one_of(st.text(), st.binary(), st.none(), st.integers()))
def test_what_is_left_is_one_line_of_utf8(message: object) -> None:
    line = reduce(as_text(message))
    line.encode()
    assert not [c for c in line if c < " "]
