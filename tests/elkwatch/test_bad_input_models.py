"""Models and catalogues that cannot be used, or do not fit: one line each."""

from __future__ import annotations

import hashlib
import json
import math
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import save_bundle, train
from tests.elkwatch.bad_input import KEY, Command, documents, ndjson, written
from tests.model.builders import START, session, shop
from tests.model.conftest import CONFIG

Spoil = Callable[[Path], object]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "shop"
    save_bundle(train(shop(60), CONFIG), folder, now=START)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A model to spoil."""
    return Path(shutil.copytree(whole, tmp_path / "m"))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return written(tmp_path / "logs", ndjson(documents(shop(5, seed=2))))


def changed(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    """A JSON part after `change`, with the digest that belongs to it."""
    body = json.loads((folder / name).read_text("utf-8"))
    change(body)
    replaced(folder, name, json.dumps(body).encode())


def replaced(folder: Path, name: str, content: bytes) -> None:
    """A part of other content, with the digest that belongs to it."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def manifest(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text, "utf-8")


def a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("x")


def a_directory(folder: Path) -> None:
    (folder / "model.json").unlink()
    (folder / "model.json").mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shutil.rmtree, "there is no such folder; make one with `elkwatch train"),
        (a_file, "is a file; name the folder"),
        (lambda f: (f / "manifest.json").unlink(), "so it is no model bundle"),
        (lambda f: (f / "model.json").unlink(), "model.json is missing; restore it"),
        (lambda f: os.truncate(f / "network.safetensors", 90), "is truncated or was"),
        (lambda f: manifest(f, '{"format": 9}'), "format 9, this elkwatch reads 2"),
        (lambda f: manifest(f, ""), "manifest.json is damaged"),
        (lambda f: manifest(f, "[" * 100_000), "manifest.json is damaged"),
        (lambda f: (f / "x.pkl").write_bytes(pickle.dumps(1)), "x.pkl does not belong"),
        (lambda f: (f / "sub").mkdir(), "sub does not belong to the bundle"),
        (a_directory, "model.json cannot be read (is a directory)"),
        (
            lambda f: replaced(f, "network.safetensors", pickle.dumps(1)),
            "do not fit together (SafetensorError); train it again",
        ),
        (
            lambda f: replaced(f, "model.json", b"[" * 100_000),
            "do not fit together (RecursionError); train it again",
        ),
        (
            lambda f: changed(
                f,
                "model.json",
                lambda b: b["calibration"].update(threshold=math.nan),
            ),
            "do not fit together (ValueError); train it again",
        ),
        (
            lambda f: changed(f, "templates.json", lambda b: b["templates"].pop()),
            "its templates are not readable (ValueError('a key of no template')); "
            "train it again",
        ),
        (
            lambda f: changed(
                f,
                "templates.json",
                lambda b: b.update(masks=[{"name": "X", "pattern": "("}]),
            ),
            "do not fit together (MaskError); train it again",
        ),
    ],
)
def test_models_that_cannot_be_used(
    command: Command,
    folder: Path,
    logs: Path,
    tmp_path: Path,
    spoil: Spoil,
    said: str,
) -> None:
    spoil(folder)
    told = command("classify", logs, "--model", folder, "--out", tmp_path / "o", *KEY)
    assert told.code == 1
    assert said in told.line
    assert str(folder) in told.line
    assert not (tmp_path / "o").exists()


def test_a_damaged_older_model_does_not_stop_the_new(
    command: Command, folder: Path, logs: Path, tmp_path: Path
) -> None:
    manifest(folder, "{broken")
    brief = ("--epochs", "1", "--device", "cpu", *KEY)
    assert command("train", logs, "--out", folder, *brief).code == 0
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["format"] == 2
    assert (tmp_path / "m.old" / "manifest.json").read_text() == "{broken"


@pytest.mark.parametrize("how", ["classify", "evaluate"])
def test_a_model_of_other_logs_is_told_of(
    command: Command, whole: Path, tmp_path: Path, how: str
) -> None:
    strange = [session(f"x{i}", ["disk is on fire", "run"]) for i in range(3)]
    logs = written(tmp_path / "logs", ndjson(documents(strange)))
    labels = written(tmp_path / "labels", "session,anomaly\nx0,0\nx1,0\n")
    more = ("--labels", labels) if how == "evaluate" else ("--out", tmp_path / "o")
    told = command(how, logs, "--model", whole, *more, *KEY)
    assert told.code == 0
    line = told.err.splitlines()[0]
    assert f"model {whole} does not fit: it knows no template for 100%" in line


ENTRY = "name: n, advice: a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", ":1:5: not valid YAML: "),
        ("[" * 5000, "not valid YAML: "),
        ("day: 2026-99-99", "not valid YAML: "),
        ('a: !!python/object/apply:os.system ["id"]', "could not determine"),
        ("foo: 1", "expected the sections patterns, rules and classes, no others"),
        ("- a", "expected the sections patterns, rules and classes, no others"),
        ("rules: []", "expected a mapping of ids to rules"),
        ("rules: {x: 1}", "x: expected name, severity, advice"),
        (f"rules: {{x: {{{ENTRY}}}}}", "x: match is missing"),
        (f'rules: {{x: {{match: "(", {ENTRY}}}}}', "does not compile; it is RE2"),
        (f'rules: {{x: {{match: "x*", {ENTRY}}}}}', "matches every line; narrow it"),
        (f"rules: {{x: {{match: a, advise: b, {ENTRY}}}}}", "unknown key advise"),
        (f"classes: {{c01: {{severity: bad, {ENTRY}}}}}", "severity 'bad' is none of"),
        ("classes: {c01: {name: 5, advice: a}}", "name is missing or no text"),
        (f"patterns: {{foo: {{{ENTRY}}}}}", "patterns: foo is none of new-event"),
        (b"\xff\xfe", "not UTF-8 text; save it as YAML in UTF-8"),
        (None, "not readable (No such file or directory); check the path"),
    ],
)
def test_catalogues_that_cannot_be_used(
    command: Command,
    whole: Path,
    logs: Path,
    tmp_path: Path,
    text: str | bytes | None,
    said: str,
) -> None:
    path = tmp_path / "own.yml"
    if text is not None:
        written(path, text)
    told = command(
        "classify", logs, "--model", whole, "--out", "-", "--catalogue", path, *KEY
    )
    assert told.code == 2
    assert said in told.line
    assert str(path) in told.line
    assert told.out == ""


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [
        ("nowhere", 1, "there is no such folder; make one with `elkwatch train"),
        (None, 2, "source shop: no model; make one with `elkwatch train"),
        ("logs", 1, "is a file; name the folder of a model"),
    ],
)
def test_a_service_without_its_model_does_not_start(
    command: Command,
    tmp_path: Path,
    logs: Path,
    model: str | None,
    code: int,
    said: str,
) -> None:
    source = {"name": "shop", "index": "logs-*", "session": {"field": "s"}}
    body = {
        "elasticsearch": {"hosts": ["http://127.0.0.1:9"]},
        "sources": [source | ({"model": model} if model else {})],
    }
    config = written(tmp_path / "elkwatch.yml", yaml.safe_dump(body))
    told = command("run", "--once", "--device", "cpu", "--config", config)
    assert told.code == code
    assert said in told.line
