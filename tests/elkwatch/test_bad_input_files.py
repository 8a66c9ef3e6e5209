"""Hostile and broken files, labels, options: one line each, and the rest goes on."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from model import save_bundle, train
from tests.elkwatch.bad_input import KEY, Command, documents, ndjson
from tests.elkwatch.bad_input import written as write
from tests.integration.world import RUN
from tests.model.builders import START, deadlocked, session, shop
from tests.model.conftest import CONFIG

WHOLE = ndjson(documents(shop(12, seed=2)))
TIME = "2026-11-22T12:00:00Z"


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the shop."""
    rng = random.Random(7)
    model = train(shop(60), CONFIG, discover=[deadlocked(f"d{i}", rng) for i in "abc"])
    folder = tmp_path_factory.mktemp("model") / "shop"
    save_bundle(model, folder, now=START)
    return folder


def doc(key: object = "a", message: object = "connection closed") -> dict[str, object]:
    return {"@timestamp": TIME, "message": message, "session": {"id": key}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty; there is nothing to read"),
        (random.Random(1).randbytes(5000), "is a binary file, not logs"),
        (gzip.compress(WHOLE)[:14], "cut short before its first line; fetch it again"),
        (WHOLE.decode().encode("utf-16"), "is UTF-16; convert it first: iconv"),
        (WHOLE.decode().encode("utf-16-le"), "is UTF-16 without a mark"),
        (ndjson([{"message": "x"}]), "name the field with --time-field"),
        (ndjson([{"@timestamp": TIME, "text": "x"}]), "with --message-field"),
        (b'{"a": \n{"b\n', "no line could be read; give NDJSON or plain text"),
    ],
)
@pytest.mark.parametrize("how", ["classify", "train", "templates"])
def test_files_of_no_use(
    command: Command, bundle: Path, tmp_path: Path, how: str, content: bytes, said: str
) -> None:
    logs, out = write(tmp_path / "logs", content), tmp_path / "out"
    model = ("--model", bundle) if how == "classify" else ()
    told = command(how, logs, *model, "--out", out)
    assert told.code == 1
    assert said in told.err.splitlines()[-1]
    assert "internal error" not in told.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["logs"]


@pytest.mark.parametrize(
    ("content", "sessions", "said"),
    [
        (WHOLE.replace(b"\n", b"\r\n"), 12, ""),
        (b"\xef\xbb\xbf" + WHOLE, 12, ""),
        (WHOLE + b'{"a": \n{bad}\n', 12, "2 broken NDJSON lines left out"),
        (WHOLE + ndjson([doc(None)]), 13, "without the session field session.id"),
        (
            ndjson([doc(message=m) for m in ([1, 2], 3, {"a": 1})]),
            1,
            "3 messages whose",
        ),
        (ndjson([doc(k) for k in (["a", "b"], 5, {"x": 1}, True)]), 4, ""),
        (ndjson([doc(message="a \ud800 b \0 c <*> <IP>")]), 1, "no valid UTF-8"),
        (ndjson([doc()]).replace(b"connection", b"a\0b\tc"), 1, "no valid UTF-8"),
        (ndjson([doc(message="tok en " * 50_000)]), 1, "1 message over 32 kB cut"),
        (ndjson([doc(), {"message": "x"}]), 1, "1 document without a time left out"),
        (ndjson([{**doc(), "@timestamp": "9999-12-31T23:59:59Z"}]), 1, ""),
        (ndjson([{**doc(), "@timestamp": "2026-01-01T00:00:00.123456789Z"}]), 1, ""),
        ("用户登录失败，订单17号支付超时\n".encode("gbk") * 9, 1, "iconv -f GB18030"),
        ("用户登录失败，订单17号支付超时\n".encode() * 9, 1, "no line has the session"),
    ],
)
def test_what_can_be_used_is_and_the_rest_is_told(
    command: Command,
    bundle: Path,
    tmp_path: Path,
    content: bytes,
    sessions: int,
    said: str,
) -> None:
    logs = write(tmp_path / "logs", content)
    told = command("classify", logs, "--model", bundle, "--out", "-", *KEY)
    assert told.code == 0
    assert said in told.err
    assert len(told.records) == sessions
    assert f"{sessions} session" in told.err.splitlines()[-1]


def test_a_line_of_fifty_megabytes_is_cut_and_told(
    command: Command, bundle: Path, tmp_path: Path
) -> None:
    logs = write(tmp_path / "logs", WHOLE + b"x y" * 17_000_000 + b"\n" + WHOLE[:100])
    told = command("classify", logs, "--model", bundle, "--out", "-", *KEY)
    assert told.code == 0
    assert "1 line over 8 MB cut" in told.err


def test_every_session_has_one_line_with_the_fields_of_the_contract(
    command: Command, bundle: Path, tmp_path: Path
) -> None:
    sessions = [*shop(3), session("lonely", ["connection closed"])]
    sessions.append(deadlocked("odd", random.Random(1)))
    logs = write(tmp_path / "logs", ndjson(documents(sessions)))
    told = command("classify", logs, "--model", bundle, "--out", "-", *KEY)
    assert [r["session"] for r in told.records] == [s.key for s in sessions]
    types = {
        "session": str,
        "start": str,
        "end": str,
        "events": int,
        "anomaly": bool,
        "score": float,
        "threshold": float,
        "risk": int,
        "confidence": float,
        "class_id": str,
        "known": bool,
        "pattern": str,
        "class_name": str,
        "severity": str,
        "advice": str,
        "unknown_ratio": float,
        "model_version": str,
        "evidence": list,
    }
    for record in told.records:
        assert {k: type(record[k]) for k in types} == types
        assert record["anomaly"] is (record["score"] > record["threshold"])
        assert record["start"].endswith("Z")
        assert datetime.fromisoformat(record["start"])
    odd = told.records[-1]
    assert odd["anomaly"]
    assert {"position", "template", "message", "surprise_nats", "expected"} == set(
        odd["evidence"][0]
    )
    text, chance = odd["evidence"][0]["expected"][0]
    assert isinstance(text, str)
    assert isinstance(chance, float)


def test_templates_know_the_lines_of_the_files(
    command: Command, tmp_path: Path
) -> None:
    first = write(tmp_path / "a.log", 'x 1\n\n{"a": \n"q", 2\n')
    second = write(tmp_path / "b.log", "x 5\n")
    told = command("templates", first, second, "--out", "-")
    assert told.out.splitlines() == [
        "line,event_id,template",
        "1,E1,x <NUM>",
        '4,E2,"""q"", <NUM>"',
        "5,E1,x <NUM>",
    ]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("", ":1: the first line must be session,anomaly or session,kind"),
        ("id,label\nx,1\n", "not 'id,label'"),
        ("session,anomaly\ns2-0,2\n", ":2: anomaly is 0 or 1, not '2'"),
        ("session,anomaly\ns2-0,1\ns2-0,0\n", ":3: session 's2-0' has another label"),
        ("session,anomaly\nnobody,1\n", "none of its 1 sessions is in these logs"),
        ("session,anomaly\ns2-0\n", ":2: expected two values"),
        ("session,kind\ns2-0,c07\n", "elkwatch gives itself; choose another"),
        ("session,kind\ns2-0,C07\n", "elkwatch gives itself; choose another"),
        ("session,kind\ns2-0,new-event\n", "elkwatch gives itself"),
        ("session,kind\ns2-0,anomalous\n", "elkwatch gives itself"),
        ("session,kind\ns2-0,Normal\n", "write normal for 'Normal'"),
        ("session,kind\ns2-0,\n", "the kind is empty; write normal, ignore or"),
        ("session,kind\ns2-0," + "k" * 200 + "\n", "at most 100 printable"),
        ('session,kind\ns2-0,"' + "k" * 200_000 + '"\n', "not CSV: field larger"),
        (b"\xff\xfe\x00", "not UTF-8 text; save it as CSV in UTF-8"),
        (None, "not readable (No such file or directory); check the path"),
    ],
)
@pytest.mark.parametrize("how", ["evaluate", "train"])
def test_labels_that_cannot_be_used(
    command: Command,
    bundle: Path,
    tmp_path: Path,
    how: str,
    labels: str | bytes | None,
    said: str,
) -> None:
    path, out = tmp_path / "labels.csv", tmp_path / "out"
    if labels is not None:
        write(path, labels)
    logs = write(tmp_path / "logs", WHOLE)
    model = ("--model", bundle) if how == "evaluate" else ()
    told = command(how, logs, *model, "--labels", path, "--out", out, *KEY)
    assert told.code == 1
    assert said in told.line
    assert not out.exists()


@pytest.mark.parametrize("sheet", ["\ufeffsession,anomaly", "session;anomaly"])
def test_labels_as_spreadsheets_write_them(
    command: Command, bundle: Path, tmp_path: Path, sheet: str
) -> None:
    between = sheet[-8]
    rows = [f"s2-{i}{between}{int(i == 3)}" for i in range(12)]
    labels = write(tmp_path / "labels.csv", "\r\n".join([sheet, *rows, "", ""]))
    logs, out = write(tmp_path / "logs", WHOLE), tmp_path / "new" / "figures.json"
    told = command(
        "evaluate", logs, "--model", bundle, "--labels", labels, "--out", out, *KEY
    )
    assert told.code == 0
    assert told.err == ""
    figures = json.loads(out.read_text("utf-8"))
    assert figures["anomalous"] == 1
    assert figures["sessions"] == 12
    assert {"method", "precision", "recall", "f1"} <= set(figures["detection"][0])


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("--seed", "x"), 2, "'x' is not a valid integer"),
        (("--seed", "-1"), 2, "-1 is not in the range"),
        (("--epochs", "0"), 2, "0 is not in the range"),
        (("--mask", "x"), 2, "write it as NAME=REGEX"),
        (("--mask", "X=("), 2, "does not compile"),
        (("--mask", "X=(?=a)"), 2, "no look-around"),
        (("--mask", "X=.+"), 2, "hides whole messages; narrow it"),
        (("--mask", "X=x*"), 2, "matches the empty text"),
        (("--from", "now-1d"), 2, "--from goes with --from-es, not with FILE"),
        (("--from-es", "shop"), 2, "give FILE..., or --from-es SOURCE"),
        (("--window", "0s"), 2, "longer than zero"),
        (("--session-field", ""), 2, "--session-field is empty"),
        (("--message-field", ""), 2, "--message-field is empty"),
        (("--session-pattern", ""), 2, "--session-pattern is empty"),
        (("--session-field", "nope"), 1, "no line has the session field nope"),
        (("--session-pattern", "blk_1"), 1, "no line has a match of the session pat"),
        ((), 1, "only 1 session to learn what is normal from; give at least 5"),
        (("--out", "logs", *KEY), 1, "is a file; choose another --out"),
        (("--out", "logs/x", *KEY), 1, "logs is a file, no folder"),
        (("--out", ".", *KEY), 1, "is no name for a new folder"),
        (("--out", "full", *KEY), 1, "exists and is no model bundle"),
        (("--discover", "nowhere", *KEY), 1, "nowhere: no such file"),
    ],
)
def test_train_refuses_before_it_trains(
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "logs", WHOLE)
    (tmp_path / "full").mkdir()
    write(tmp_path / "full" / "thesis.txt", "years of work")
    told = command("train", "logs", "--out", "m", *argv)
    assert told.code == code
    assert said in told.line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full", "logs"]


@pytest.mark.parametrize("label", ["1", "ignore"])
def test_train_with_no_session_that_may_be_normal(
    command: Command, tmp_path: Path, label: str
) -> None:
    named = "anomaly" if label == "1" else "kind"
    rows = "".join(f"s2-{i},{label}\n" for i in range(12))
    labels = write(tmp_path / "labels.csv", f"session,{named}\n{rows}")
    logs = write(tmp_path / "logs", WHOLE)
    told = command("train", logs, "--out", tmp_path / "m", "--labels", labels, *KEY)
    assert told.code == 1
    assert "only 0 of 12 sessions" in told.line
    assert "the labels call the others anomalous, or ignore them" in told.line


def test_train_on_five_equal_sessions_and_on_sessions_all_different(
    command: Command, tmp_path: Path
) -> None:
    equal = [session(f"e{i}", ["connection closed"] * 3) for i in range(5)]
    logs = write(tmp_path / "logs", ndjson(documents(equal)))
    brief = ("--epochs", "1", "--device", "cpu", *KEY)
    told = command("train", logs, "--out", tmp_path / "m", *brief)
    assert told.code == 0
    assert "trained on 5 sessions, 15 events, 1 template" in told.out
    again = command("classify", logs, "--model", tmp_path / "m", "--out", "-", *KEY)
    assert [r["anomaly"] for r in again.records] == [False] * 5
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefgh", k=9)) for _ in range(120)]
    different = [session(f"d{i}", words[4 * i : 4 * i + 4]) for i in range(30)]
    logs = write(tmp_path / "logs", ndjson(documents(different)))
    told = command("train", logs, "--out", tmp_path / "m", *brief)
    assert told.code == 0
    assert "30 of 30 sessions are unlike all others" in told.err


NO_PLACE = (
    ("full", 1, "full: is a directory; name a file"),
    ("logs/x", 1, "is a file, no folder; choose another place"),
    ("/dev/full", 1, "/dev/full: no space left on device; free some space"),
)
INPUT = ("logs", 2, "is read by the same command and would be replaced")
UNNAMED = ("", 2, "--out is empty")


@pytest.mark.parametrize(
    ("how", "out", "code", "said"),
    [
        *(("classify", *each) for each in (*NO_PLACE, INPUT, UNNAMED)),
        *(("templates", *each) for each in (*NO_PLACE, INPUT, UNNAMED)),
        *(("evaluate", *each) for each in (*NO_PLACE, INPUT)),
        *(("render", *each) for each in NO_PLACE),
    ],
)
def test_results_that_cannot_be_written(
    command: Command,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    out: str,
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "logs", WHOLE)
    write(tmp_path / "labels", "session,anomaly\ns2-0,0\n")
    (tmp_path / "full").mkdir()
    judged = ("logs", "--model", str(bundle), *KEY)
    argv = {
        "classify": ("classify", *judged),
        "templates": ("templates", "logs"),
        "evaluate": ("evaluate", *judged, "--labels", "labels"),
        "render": ("alerts", "render"),
    }[how]
    told = command(*argv, "--out", out)
    assert told.code == code
    assert said in told.line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full", "labels", "logs"]
    assert (tmp_path / "logs").read_bytes() == WHOLE


# A job in the background of a shell inherits SIGINT ignored.
HEED_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


@pytest.mark.parametrize("how", ["train", "classify", "templates"])
def test_ctrl_c_leaves_the_older_result_and_nothing_half(
    bundle: Path, tmp_path: Path, how: str
) -> None:
    """Standard input that never ends: the command is in the middle of its work."""
    out = tmp_path / "out"
    if how != "train":
        write(out, "older")
    model = ["--model", str(bundle)] if how == "classify" else []
    line = [how, "-", *model, "--out", str(out), *(() if how == "templates" else KEY)]
    with subprocess.Popen(
        [sys.executable, "-c", HEED_CTRL_C + RUN, *line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdin is not None
        # More than a pipe holds: it returns when the command is reading.
        for _ in range(20):
            process.stdin.write(WHOLE.decode())
        process.stdin.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.strip() == "elkwatch: stopped"
    left = [] if how == "train" else ["out"]
    assert [p.name for p in tmp_path.iterdir()] == left
    if left:
        assert out.read_text() == "older"
