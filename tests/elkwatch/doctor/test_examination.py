"""One check that fails, crashes or is skipped never stops the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector import EngineUnreachable
from elkwatch import program_log
from elkwatch.doctor import Check, Line, Outcome, examine
from elkwatch.doctor.records import fail, ok, warn


def _raising(error: BaseException) -> Check:
    def run() -> Iterator[Outcome]:
        yield ok("as far as it went")
        raise error

    return Check("raising", run)


def test_what_a_check_raises_is_its_failure() -> None:
    error = EngineUnreachable("es:9200: connection refused; is it running?")
    assert list(examine([_raising(error)])) == [
        Line("raising", "ok", "as far as it went"),
        Line("raising", "fail", "es:9200: connection refused", "is it running?"),
    ]


@pytest.mark.parametrize("error", [ZeroDivisionError("1/0"), KeyError("x"), OSError()])
def test_a_crash_stops_nothing(error: Exception) -> None:
    after = Check("after", lambda: [ok("fine")])
    found = list(examine([_raising(error), after]))
    assert [line.status for line in found] == ["ok", "fail", "ok"]
    assert "internal error" in found[1].what


def test_ctrl_c_stops_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        list(examine([_raising(KeyboardInterrupt())]))


def test_what_needs_a_failure_is_skipped_and_so_on() -> None:
    checks = [
        Check("one", lambda: [fail("broken", "mend it")]),
        Check("two", lambda: [ok("never")], ("one",)),
        Check("three", lambda: [ok("never")], ("two",)),
        Check("four", lambda: [warn("odd", "look")]),
        Check("five", lambda: [ok("fine")], ("four",)),
    ]
    found = {line.name: (line.status, line.what) for line in examine(checks)}
    assert found["two"] == ("skipped", "needs one")
    assert found["three"] == ("skipped", "needs two")
    assert found["five"] == ("ok", "fine")


def test_a_line_is_one_line_without_secrets() -> None:
    program_log.hide(["hunter2-hunter2"])
    text = "a\nb\x1b[31m hunter2-hunter2 \u2028 c"
    (line,) = examine([Check("odd", lambda: [fail(text, text)])])
    for part in (line.what, line.cure):
        assert part == "a b [31m •••••• c"
    assert str(line).count("\n") == 0
