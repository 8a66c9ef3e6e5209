"""Secrets planted into real logs: not one of them leaves, by any way there is."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from elkwatch import program_log
from elkwatch.cli.shell import run
from model import Session
from tests.integration.shop import recent
from tests.integration.world import SECRET, World
from tests.model.builders import FLOW, session, shop

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJncmFjZSJ9.c2lnbmF0dXJlLW9mLWdyYWNl"
PLANTED = {
    "mail of grace.hopper@navy.example.org bounced": "grace.hopper@navy.example.org",
    "refused 198.51.100.77 at the gate": "198.51.100.77",
    "peer [2001:db8:77::c0de]:443 reset": "2001:db8:77::c0de",
    "card 4111 1111 1111 1111 declined": "4111 1111 1111 1111",
    "header Authorization: Bearer s3cretBearerT0ken": "s3cretBearerT0ken",
    f"session cookie {JWT} expired": JWT,
    'body {"user": "x", "password": "correct-horse"} dropped': "correct-horse",
    "retry with password=hunter22hunter, giving up": "hunter22hunter",
    "uploader uses AKIAIOSFODNN7EXAMPLE still": "AKIAIOSFODNN7EXAMPLE",
    "badge E123456 used twice": "E123456",
    "dsn postgres://shop:tr0ub4dor@db.example.org/x": "tr0ub4dor",
}
KEYS = ("grace.hopper@navy.example.org", "203.0.113.9")
FORBIDDEN = re.compile(
    "|".join(map(re.escape, [*PLANTED.values(), *KEYS, SECRET])) + r"|\b10\.0\.\d+\.\d+"
)
PRIVACY = {
    "mask": ["email", "ip", "card", "token", {"name": "staff", "pattern": r"E\d{6}"}]
}


def leaking() -> list[Session]:
    """One session for each secret, and two whose keys are secrets."""
    begin = [step.format(ip="10.0.1.2", n=1, user="x") for step in FLOW[:2]]
    keys = [f"leak-{i}" for i in range(len(PLANTED))]
    sessions = [
        session(key, [*begin, line]) for key, line in zip(keys, PLANTED, strict=True)
    ]
    sessions += [session(key, ["deadlock detected", *FLOW[4:]]) for key in KEYS]
    return recent([*shop(20, seed=77), *sessions])


@pytest.fixture
def leaky(world: World) -> World:
    """A world whose logs hold secrets, and one document that cannot be read."""
    world.more = {
        "privacy": PRIVACY,
        "kibana": {"url": "https://kibana.example.org"},
    }
    world.source = {"start": "earliest"}
    world.ship(leaking())
    world.es.index(
        index=world.index,
        op_type="create",
        document={"@timestamp": -62_300_000_000_000, "message": " ".join(PLANTED)},
        refresh=True,
    )
    return world


def test_no_planted_secret_leaves(leaky: World, tmp_path: Path) -> None:
    outputs = dict(_outputs(leaky, tmp_path))
    found = {name: FORBIDDEN.findall(text) for name, text in outputs.items()}
    assert {name: hits for name, hits in found.items() if hits} == {}
    for name in SHOWING:
        assert _placeholders(outputs[name]), f"{name}: was anything written at all?"
    assert _placeholders(outputs["findings"]) == KINDS
    assert "elkwatch-dead-letters" in outputs["states"]


PAST = ("backtest", "--from", "now-30m", "--every", "1m")
SHOWING = (
    *("findings", "mail text", "webhooks", "report", "verdicts"),
    *("backtest", "backtest, JSON", "training report"),
)
KINDS = {"email", "ip", "card", "token", "staff"}


def _placeholders(text: str) -> set[str]:
    return {kind for kind in KINDS if re.search(rf"(?:<|&lt;){kind}:", text)}


def _outputs(world: World, folder: Path) -> Iterator[tuple[str, str]]:
    """Everything that elkwatch gives away, by name."""
    for style in ("human", "json"):
        done = world.command("--log-format", style, "run", "--once", "--device", "cpu")
        assert done.returncode == 0, done.stderr
        yield f"program log, {style}", done.stdout + done.stderr
    world.es.indices.refresh(index=f"*{world.namespace}*")
    yield "findings", _stored(world, world.findings_stream)
    yield "metrics", _stored(world, f"metrics-elkwatch.run-{world.namespace}")
    yield "states", _stored(world, f"elkwatch-*-{world.namespace}")
    mails = world.mail.received
    yield "mail text", "\n".join(m.subject + m.text for m in mails)
    yield "mail html", "\n".join(m.html for m in mails)
    hooks = world.hook.received
    yield "webhooks", "\n".join(call.raw.decode() for call in hooks)
    page = folder / "report.html"
    command = "report", "--from", "now-1d", "--out", str(page)
    yield "report command", _said(world, *command)
    yield "report", page.read_text("utf-8")
    yield "alerts list", _said(world, "alerts", "list", "--json", "--all")
    yield "alerts owed", _said(world, "alerts", "list", "--owed", "--json")
    yield "config show", _said(world, "config", "show")
    # What `run` knows of the past: a backtest finds the same sessions, and tells them.
    backtest = *PAST, "--device", "cpu"
    yield "backtest", _said(world, *backtest)
    yield "backtest, JSON", _said(world, *backtest, "--json")
    forms = ("text", "html", "subject")
    rendered = [_here("alerts", "render", "--format", form) for form in forms]
    yield "alerts render", "\n".join(rendered)
    logs = folder / "logs.ndjson"
    logs.write_text(_as_file(leaking()), "utf-8")
    verdicts = folder / "verdicts.ndjson"
    bundle = "--model", str(world.bundle), "--source", "shop"
    yield (
        "classify",
        _said(world, "classify", str(logs), *bundle, "--out", str(verdicts)),
    )
    yield "verdicts", verdicts.read_text("utf-8")
    model = folder / "model"
    train = "train", str(logs), "--source", "shop", "--epochs", "1", "--out", str(model)
    yield "train", _said(world, *train, "--device", "cpu")
    yield "training report", (model / "report.html").read_text("utf-8")


def _said(world: World, *arguments: str) -> str:
    return _here(*arguments, "--config", str(world.config()))


def _here(*arguments: str) -> str:
    """What a command says, in this process: a dozen of their own would take minutes."""
    told = io.StringIO()
    try:
        with redirect_stdout(told), redirect_stderr(told):
            code = run(arguments)
    finally:
        program_log.mask_excerpts(None)
    assert code == 0, told.getvalue()
    return told.getvalue()


def _stored(world: World, index: str) -> str:
    world.es.indices.refresh(index=index, ignore_unavailable=True)
    answer = world.es.search(index=index, size=10_000, ignore_unavailable=True)
    assert answer["hits"]["hits"], f"nothing in {index}"
    return json.dumps(answer["hits"]["hits"], ensure_ascii=False)


def _as_file(sessions: list[Session]) -> str:
    lines: list[Any] = [
        {
            "@timestamp": event.time.isoformat(),
            "message": event.message,
            "session": {"id": one.key},
        }
        for one in sessions
        for event in one.events
    ]
    return "\n".join(map(json.dumps, lines))


def test_a_finding_says_the_same_after_a_restart(leaky: World) -> None:
    """Another process has other memory, but the key of the namespace is the same."""
    assert leaky.command("run", "--once", "--device", "cpu").returncode == 0
    before = leaky.findings()
    leaky.es.indices.delete(index=f"elkwatch-cursors-{leaky.namespace}")
    progress = leaky.run_once().sources[0].progress
    assert progress.created == progress.amended == progress.withdrawn == 0
    assert {json.dumps(f, sort_keys=True) for f in leaky.findings()} == {
        json.dumps(f, sort_keys=True) for f in before
    }


def test_keys_are_shown_where_that_is_asked_for(leaky: World) -> None:
    leaky.more = {**leaky.more, "privacy": {**PRIVACY, "session_keys": "shown"}}
    leaky.run_once()
    assert set(KEYS) <= set(leaky.finding_counts())
    linked = [f["event"]["url"] for f in leaky.findings()]
    assert any("203.0.113.9" in url for url in linked)


def test_a_backtest_shows_keys_where_that_is_asked_for(leaky: World) -> None:
    backtest = *PAST, "--device", "cpu", "--json"
    assert not [key for key in KEYS if key in _said(leaky, *backtest)]
    leaky.more = {**leaky.more, "privacy": {**PRIVACY, "session_keys": "shown"}}
    told = _said(leaky, *backtest)
    assert [key for key in KEYS if key in told] == list(KEYS)
    found = json.loads(told[told.index("{\n") :])  # after how far it is
    links = [e["log_url"] for c in found["classes"] for e in c["examples"]]
    assert any("203.0.113.9" in link for link in links)


def test_links_hold_no_key_that_is_masked(leaky: World) -> None:
    leaky.run_once()
    links = [f["event"]["url"] for f in leaky.findings()]
    assert len(links) == len(PLANTED) + len(KEYS)
    assert any("leak-3" in link for link in links)
    assert not any("203.0.113.9" in link for link in links)


def test_error_lines_are_masked_but_for_what_the_configuration_names(
    leaky: World,
) -> None:
    leaky.url = "http://127.0.0.1:9"
    done = leaky.command("run", "--once", "--device", "cpu")
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr


def test_the_mask_of_the_program_log_hides_what_documents_say(
    capsys: pytest.CaptureFixture[str], leaky: World
) -> None:
    from elkwatch.cli.options import load

    try:
        load(leaky.config())
        program_log.configure()
        log = program_log.get_logger("test")
        log.error("failed", reason="cannot parse 198.51.100.77", at=datetime.now(UTC))
        told = capsys.readouterr().err
    finally:
        program_log.mask_excerpts(None)
    assert "198.51.100.77" not in told
    assert "<ip:" in told
