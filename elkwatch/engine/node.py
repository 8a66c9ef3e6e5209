"""One engine's directory, and what an engine tells through it.

engine-…/          ours
  lock             held as long as the engine's keeper lives
  record.json      how to find an engine that outlives its starter
  console.log      what Elasticsearch says on its terminal
  node/            Elasticsearch's
    config/ data/ logs/ tmp/ es.pid
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_LOOPBACK = re.compile(r"127\.0\.0\.1:(\d{1,5})")
_LONGEST_CAUSE = 300

# What a Java program says of its end: a thrown class and its words, or an error line.
# Suppressed exceptions are indented and tell of consequences, so they do not count.
_THROWN = re.compile(
    r"^(?:Caused by: )?(?:[a-z_$][\w$]*\.)+\w*(?:Exception|Error): (.+)"
)
_TOLD = re.compile(r"^(?:ERROR|Error|error): (.+)")
_LOG_PREFIX = re.compile(r"^(?:\[[^\]]*\]\s*){3}")

_MENDING = (
    ("Lock held by another program", "another engine uses this data directory"),
    ("is in the future", "a newer version wrote this data directory"),
    ("cannot downgrade", "a newer version wrote this data directory"),
    ("Java heap space", "give it a larger heap"),
)


@dataclass(frozen=True, slots=True)
class NodeDirectory:
    """The paths of one engine's directory."""

    path: Path

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def record(self) -> Path:
        return self.path / "record.json"

    @property
    def console(self) -> Path:
        return self.path / "console.log"

    @property
    def node(self) -> Path:
        return self.path / "node"

    @property
    def config(self) -> Path:
        return self.node / "config"

    @property
    def data(self) -> Path:
        return self.node / "data"

    @property
    def logs(self) -> Path:
        return self.node / "logs"

    @property
    def scratch(self) -> Path:
        return self.node / "tmp"

    @property
    def pid_file(self) -> Path:
        return self.node / "es.pid"

    @property
    def server_log(self) -> Path:
        return self.logs / "server.log"

    def port(self) -> int | None:
        """The port it listens on, once it does."""
        found = _LOOPBACK.search(_text(self.logs / "http.ports"))
        return int(found[1]) if found else None

    def pid(self) -> int | None:
        """The server's process id, once it has told."""
        text = _text(self.pid_file).strip()
        return int(text) if text.isdecimal() else None

    def cause_of_death(self) -> str:
        """Why it ended, in one line, as far as its logs know."""
        cause = cause_in(_text(self.console)) or cause_in(_text(self.server_log))
        return cause or "it left no word"

    def last_word(self) -> str:
        """What it logged last, whatever that is."""
        return _last_line(_text(self.server_log)) or self.cause_of_death()


def cause_in(log: str) -> str | None:
    """The innermost cause that a log names, else its last line, else None.

    Well-known causes are followed by what to make of them.
    """
    lines = log.splitlines()
    for pattern in (_THROWN, _TOLD):
        named = [found[1] for line in lines if (found := pattern.search(line))]
        if named:
            cause = named[-1].strip()[:_LONGEST_CAUSE]
            hints = [hint for words, hint in _MENDING if words in cause]
            return f"{cause} ({hints[0]})" if hints else cause
    return _last_line(log)


def _last_line(log: str) -> str | None:
    lines = [line for line in log.splitlines() if line.strip()]
    if not lines:
        return None
    return _LOG_PREFIX.sub("", lines[-1]).strip()[:_LONGEST_CAUSE]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
