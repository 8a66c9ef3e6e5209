"""A tiny trained model and the command line in this process, for bad input tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from elkwatch.cli import shell
from model import Session

KEY = ("--session-field", "session.id")


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said and ended with."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Its one line on standard error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("elkwatch: ")
        assert "internal error" not in lines[0]
        return lines[0]

    @property
    def records(self) -> list[dict[str, Any]]:
        """Standard output as NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Told]


def command_of(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs command lines in this process."""

    def run(*argv: object) -> Told:
        code = shell.run([str(argument) for argument in argv])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Told(code, told.out, told.err)

    return run


def documents(sessions: Iterable[Session]) -> list[dict[str, Any]]:
    """The events of sessions as a shipper writes them."""
    return [
        {
            "@timestamp": event.time.isoformat(),
            "message": event.message,
            "session": {"id": session.key},
            "event": {"sequence": event.sequence},
        }
        for session in sessions
        for event in session.events
    ]


def ndjson(found: Iterable[object]) -> bytes:
    """Documents as lines."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in found)


def written(path: Path, content: bytes | str) -> Path:
    """The path, with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
