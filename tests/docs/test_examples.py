"""Examples in the documents, in `--help` and in the README work as they are written."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from connector import SessionRule, SourceSpec, roles
from elkwatch.cli.shell import cli
from elkwatch.config import load_config
from elkwatch.errors import ConfigError
from tests.docs.examples import BLOCK, PAGES, blocks, calls, examples, words_of

# Everything a configuration must have, so that a part of one can be tried.
_LEAST: dict[str, Any] = {
    "elasticsearch": {"hosts": ["http://localhost:9200"]},
    "sources": [{"name": "shop", "index": "logs-shop-*"}],
}


@pytest.mark.parametrize(("where", "call"), list(examples()))
def test_the_call_is_one_that_elkwatch_takes(where: str, call: str) -> None:
    words = words_of(call)
    command, context = _enter(cli, words)
    try:
        command.make_context("example", context, resilient_parsing=False).close()
    except click.exceptions.Exit:
        pass  # --help and --version
    except click.BadParameter as error:
        if "does not exist" not in error.message:  # files need not be here
            pytest.fail(f"{where}: {call}: {error.format_message()}")


def _enter(command: click.Command, words: list[str]) -> tuple[click.Command, list[str]]:
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        context = click.Context(command)
        below = command.get_command(context, words[0])
        assert below is not None, f"elkwatch has no command {words[0]}"
        command, words = below, words[1:]
    return command, words


@pytest.mark.parametrize(("page", "text"), list(blocks("yaml")))
def test_the_configuration_is_valid(page: str, text: str, tmp_path: Path) -> None:
    part = yaml.safe_load(text)
    if not isinstance(part, dict) or not set(part) <= _KEYS:
        pytest.fail(f"{page}: not a part of a configuration: mark it as ```text")
    whole = {**_LEAST, **part}
    file = tmp_path / "elkwatch.yml"
    file.write_text(_without_references(whole), "utf-8")
    try:
        load_config(file, {})
    except ConfigError as error:
        pytest.fail(f"{page}: {error}")


_KEYS = {
    *("elasticsearch", "namespace", "sources", "schedule", "limits", "kibana"),
    *("privacy", "alerting", "results", "retention", "catalogue", "monitoring"),
}


def _without_references(whole: Any) -> str:
    """The configuration with every {file: …} and {env: …} replaced by a text."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) in ({"file"}, {"env"}):
                return "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list) else value

    return yaml.safe_dump(plain(whole), allow_unicode=True)


@pytest.mark.parametrize(("page", "text"), list(blocks("json")))
def test_the_json_is_json(page: str, text: str) -> None:
    assert json.loads(text) is not None, page


def test_the_roles_to_copy_are_those_that_setup_prints() -> None:
    (page,) = (text for page, text in blocks("json") if page == "security.md")
    source = SourceSpec("shop", "logs-shop-*", session=SessionRule(field="trace.id"))
    assert json.loads(page) == roles([source], "default")


@pytest.mark.parametrize("language", ["sh", "yaml", "json"])
def test_there_are_examples(language: str) -> None:
    """Else a test of theirs would be skipped, and nobody would notice."""
    assert list(blocks(language))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text("utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text)
    for target in (a or b for a, b in targets):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.slow
def test_the_readmes_file_commands_do_what_they_say(tmp_path: Path) -> None:
    """The block is run as it stands, on files of the names it gives."""
    (block,) = (
        text
        for page, text in blocks("sh")
        if page == "README.md" and "elkwatch classify" in text
    )
    _write_logs(tmp_path)
    for call in calls(block):
        done = subprocess.run(
            [sys.executable, "-c", _RUN, *shlex.split(call)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{call}: {done.stderr}"
    verdicts = (tmp_path / "verdicts.ndjson").read_text("utf-8").splitlines()
    odd = [v["session"] for v in map(json.loads, verdicts) if v["anomaly"]]
    assert odd == ["s3"]


_RUN = "import sys; from elkwatch.cli.shell import run; sys.exit(run(sys.argv[1:]))"


def _write_logs(folder: Path) -> None:
    """What the README's commands read; one session of today is not normal."""
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    steps = ["connected", "query took 12 ms", "committed", "disconnected"]

    def lines(key: str, texts: list[str], minute: int) -> list[str]:
        return [
            json.dumps(
                {
                    "@timestamp": (
                        noon + timedelta(minutes=minute, seconds=i)
                    ).isoformat(),
                    "message": text,
                    "trace": {"id": key},
                }
            )
            for i, text in enumerate(texts)
        ]

    normal = [ln for n in range(300) for ln in lines(f"n{n}", steps, n)]
    today = [ln for n in range(6) for ln in lines(f"s{n}", steps, n)]
    broken = lines("s3", [*steps[:2], "PANIC: disk full", *steps[3:]], 3)
    today = [ln for ln in today if '"s3"' not in ln] + broken
    (folder / "app.ndjson").write_text("\n".join(normal), "utf-8")
    _gzip(folder / "app.ndjson.gz", normal)
    _gzip(folder / "today.ndjson.gz", today)
    _gzip(folder / "test.ndjson.gz", today)
    labels = "session,anomaly\n" + "".join(f"s{n},{int(n == 3)}\n" for n in range(6))
    (folder / "labels.csv").write_text(labels, "utf-8")


def _gzip(path: Path, lines: list[str]) -> None:
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
