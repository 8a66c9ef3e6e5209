"""The examples of the documents, of the README and of `--help`, and how each is tried.

every call of elkwatch ──how_tried──▶ files | cluster | why it is not run here
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click

from elkwatch.cli.shell import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

How = Literal["files", "cluster"]

#: Which commands run on files alone, and which are run beside a test's Elasticsearch.
TRIED: dict[str, How] = {
    r"templates ": "files",
    r"train (?!--from-es)": "files",
    r"classify (?!--from-es)": "files",
    r"synth ": "files",
    r"evaluate ": "files",
    r"alerts render": "files",
    r"config example": "files",
    r"classes (list|check)": "files",
    r"config (check|show)": "cluster",
    r"setup(?! --api-key-file)": "cluster",
    r"train --from-es": "cluster",
    r"classify --from-es": "cluster",
    r"run --once": "cluster",
    r"alerts (test|list)": "cluster",
    r"feedback (list|apply)": "cluster",
    r"report ": "cluster",
    r"backtest ": "cluster",
    r"doctor": "cluster",
    r"dashboards (build|check|preview)": "cluster",
    r"init (?!.*--api-key-file)": "cluster",
}
#: What is not run by these tests, and why.
NOT_RUN = {
    r"demo": "takes minutes; tests/integration/test_demo.py runs it",
    r"engine ": "starts and stops engines; tests/integration/test_engine.py does",
    r"run(?! --once)": "never ends; tests/integration/test_path.py serves and stops",
    r"classes (show|rename|discover)": "one's own model; see test_classes_command.py",
    r"feedback (add|remove)": "a finding of one's own; see test_feedback.py",
    r"models ": "a bundle with others beside it; tests/integration/test_models.py does",
    r"health": "asks a running service; tests/integration/test_monitoring.py does",
    r"dashboards (un)?install": "need a Kibana; tests/integration/test_kibana.py",
    r"(init|setup) .*--api-key-file": "need a secured engine; see init/test_access.py",
}


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Page and text of every block in this language."""
    for page in PAGES:
        for found, text in BLOCK.findall(page.read_text("utf-8")):
            if found == language:
                yield page.name, text


def calls(text: str) -> Iterator[str]:
    """Calls of elkwatch in a shell example; lines joined, comments cut off."""
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        for part in re.split(r"&&|\|\||;|\s\|\s", line):
            words = re.sub(r"^.*\brun --rm \S+ (?!--)", "elkwatch ", part.strip())
            if words.startswith("elkwatch "):
                yield re.sub(r"(\s#|\s{2,}).*$", "", words.removeprefix("elkwatch "))


def examples() -> Iterator[tuple[str, str]]:
    """Where it stands, and the call without the word elkwatch."""
    for page, text in blocks("sh"):
        for call in calls(text):
            yield page, call
    for command in COMMANDS:
        if command.is_there:
            yield from _epilogs(command.name, command.load())


def tried(how: How) -> list[str]:
    """Every call that is tried this way, once, in the order of TRIED."""
    found = dict.fromkeys(call for _, call in examples())
    return [
        call
        for pattern, way in TRIED.items()
        if way == how
        for call in found
        if re.match(pattern, call)
    ]


def words_of(call: str) -> list[str]:
    """The arguments, without what a shell would do with the output."""
    return shlex.split(re.sub(r"\s\d?[<>].*$", "", call))


def _epilogs(name: str, command: click.Command) -> Iterator[tuple[str, str]]:
    for call in calls((command.epilog or "").replace("\b", "")):
        yield f"--help of {name}", call
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from _epilogs(f"{name} {below.name}", below)
