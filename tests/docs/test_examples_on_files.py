"""The documented commands that need files only do what they say, on the demo's logs."""

from __future__ import annotations

import gzip
import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from elkwatch.cli.shell import run
from elkwatch.demo.logs import demo_file
from tests.docs.examples import NOT_RUN, TRIED, examples, tried, words_of

Documents = list[dict[str, Any]]
NORMAL, ODD = 70, 12
_RULES = """
rules:
  archive-full:
    match: "archive is full"
    severity: high
    name: {en: archive full, zh: 归档已满}
    causes: {en: [nobody removes old archives], zh: [旧归档未清理]}
    advice: {en: Remove what is older than a year., zh: 删除一年以前的归档。}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file that an example names, small parts of the demo's logs."""
    made = tmp_path_factory.mktemp("examples")
    normal, odd = _sessions("normal", NORMAL), _sessions("incidents", ODD)
    week = [d for session in normal for d in session]
    today = [d for session in [*normal[:20], *odd] for d in session]
    for name in ("app.ndjson.gz", "app.log.gz", "week.ndjson.gz"):
        _gzipped(made / name, [json.dumps(d) for d in week])
    for name in ("today.ndjson.gz", "test.ndjson.gz"):
        _gzipped(made / name, [json.dumps(d) for d in today])
    jobs = [d | {"labels": {"application": d["trace"]["id"]}} for d in today]
    _gzipped(made / "applications.ndjson.gz", [json.dumps(d) for d in jobs])
    told = [
        f"{_key(s)},{'fault' if s in odd else 'normal'}" for s in (*normal[:20], *odd)
    ]
    (made / "kinds.csv").write_text("\n".join(["session,kind", *told]), "utf-8")
    (made / "app.log").write_text("\n".join(d["message"] for d in week), "utf-8")
    blocks = [f"{d['message']} blk_{int(_digits(d['trace']['id']), 16)}" for d in today]
    (made / "hdfs.log").write_text("\n".join(blocks), "utf-8")
    rows = [f"{_key(s)},{int(s in odd)}" for s in [*normal[:20], *odd]]
    for name in ("labels.csv", "known.csv"):
        (made / name).write_text("\n".join(["session,anomaly", *rows]), "utf-8")
    arguments = ["--epochs", "1", "--session-field", "trace.id", "--device", "cpu"]
    arguments += ["--detector", "pca"]
    (made / "our-rules.yml").write_text(_RULES, "utf-8")
    for name in ("models/app", "models/db", "models/shop-db", "m"):
        out = str(made / name)
        assert run(["train", str(made / "app.log.gz"), "--out", out, *arguments]) == 0
    return made


def _sessions(name: str, count: int) -> list[Documents]:
    with gzip.open(demo_file(name), "rt", encoding="utf-8") as stream:
        documents = [json.loads(line) for line in stream]
    for document in documents:
        document["trace"] = {"id": document["postgresql"]["log"]["session_id"]}
    ranked = sorted(documents, key=lambda d: d["trace"]["id"])
    whole = [list(own) for _, own in groupby(ranked, key=lambda d: d["trace"]["id"])]
    return sorted(whole, key=lambda s: s[0]["@timestamp"])[:count]


def _digits(key: str) -> str:
    return key.replace(".", "")


def _key(session: Documents) -> str:
    return str(session[0]["trace"]["id"])


def _gzipped(path: Path, lines: list[str]) -> None:
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


@pytest.mark.slow
@pytest.mark.parametrize("call", tried("files"))
def test_the_example_works(
    call: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    words = words_of(call)
    if words[0] == "train":
        words += ["--epochs", "1"]
    out = _out(words)
    before = out.stat().st_mtime_ns if out and out.exists() else 0
    assert run(words) == 0, capsys.readouterr().err
    if out is None:
        assert capsys.readouterr().out
    else:
        assert out.stat().st_mtime_ns > before, f"{out} was not written"


def _out(words: list[str]) -> Path | None:
    """The file or the manifest of the folder that a call is to write."""
    if "--out" not in words or (name := words[words.index("--out") + 1]) == "-":
        return None
    return Path(name) / "manifest.json" if words[0] == "train" else Path(name)


def test_each_example_is_run_or_it_is_said_why_not() -> None:
    """In one way exactly; and no way is listed that no example goes."""
    every = {call for _, call in examples()}
    ways = [*TRIED, *NOT_RUN]
    for call in every:
        found = [way for way in ways if re.match(way, call)]
        assert len(found) == 1, f"elkwatch {call}: {found}"
    assert [w for w in ways if not any(re.match(w, call) for call in every)] == []
    assert all(NOT_RUN.values())
