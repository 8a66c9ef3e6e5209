"""`elkwatch engine` where none is running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from elkwatch.cli.shell import run


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, open_directory: Path) -> None:
    """Commands meet no engine but the test's own."""
    monkeypatch.setenv("ELKWATCH_CACHE", str(open_directory))


@pytest.mark.usefixtures("own_cache")
def test_commands_without_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["status"], ["stop"]):
        assert run(["engine", *words]) == 0
        assert capsys.readouterr().out == "no engine is running\n"
    for words in (["status"], ["stop"]):
        assert run(["engine", *words, "--port", "9209"]) == 0
        told = capsys.readouterr().out
        assert told == "no engine is running on port 9209\n"
    assert run(["engine", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "running": False,
        "engines": [],
        "ended": [],
    }


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("words", [["--version", "7.0"], ["--port", "70000"]])
def test_a_wrong_wish_is_one_line_and_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["engine", "start", *words]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert words[1] in told.err
    assert told.out == ""
