"""`elkwatch synth`: made-up logs that a model of the same logs takes for normal."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from model import Session
from tests.elkwatch.bad_input import KEY, Command, documents, ndjson, written
from tests.model.builders import deadlocked, looping, shop

TRAIN = shop(150)


def logs(path: Path, sessions: list[Session]) -> Path:
    return written(path, ndjson(documents(sessions)))


def read(path: Path) -> list[dict[str, object]]:
    packed = path.suffix == ".gz"
    data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    return [json.loads(line) for line in data.splitlines()]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return logs(tmp_path / "train", TRAIN)


def test_a_model_of_the_same_logs_flags_few_of_what_is_drawn(
    command: Command, tmp_path: Path, train: Path
) -> None:
    drawn, out = tmp_path / "drawn.ndjson.gz", tmp_path / "verdicts"
    told = command("synth", train, "--sessions", "100", "--out", drawn, *KEY)
    assert told.code == 0, told.err
    assert "100 sessions drawn in the likeness of 150" in told.err
    model = tmp_path / "m"
    done = command("train", train, "--out", model, "--epochs", "8", *KEY)
    assert done.code == 0, done.err
    done = command("classify", drawn, "--model", model, "--out", out, *KEY)
    assert done.code == 0, done.err
    verdicts = read(out)
    assert len(verdicts) == 100
    assert sum(bool(v["anomaly"]) for v in verdicts) <= 10
    assert {v["unknown_ratio"] for v in verdicts} == {0.0}


def test_templates_of_what_is_drawn_are_those_of_the_logs(
    command: Command, tmp_path: Path, train: Path
) -> None:
    drawn = tmp_path / "drawn"
    command("synth", train, "--sessions", "80", "--out", drawn, *KEY)
    found = []
    for number, path in enumerate((train, drawn)):
        out = tmp_path / f"{number}.csv"
        assert command("templates", path, "--out", out).code == 0
        with out.open(encoding="utf-8") as stream:
            found.append(Counter(row["template"] for row in csv.DictReader(stream)))
    assert set(found[1]) == set(found[0])
    originals = {event.message for s in TRAIN for event in s.events}
    made = [str(d["message"]) for d in read(drawn)]
    varied = [line for line in made if any(c.isdigit() for c in line)]
    assert varied
    assert len([line for line in varied if line in originals]) < len(varied) / 20


def test_equal_seeds_draw_equal_logs(command: Command, tmp_path: Path) -> None:
    drawn = []
    few = logs(tmp_path / "few", TRAIN[:30])
    for name, seed in (("a.gz", "3"), ("b.gz", "3"), ("c.gz", "4")):
        out = tmp_path / name
        command("synth", few, "--sessions", "20", "--out", out, "--seed", seed, *KEY)
        drawn.append(out.read_bytes())
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_the_like_of_a_kind_is_drawn_where_labels_name_it(
    command: Command, tmp_path: Path
) -> None:
    rng = random.Random(3)
    odd = [deadlocked(f"dead-{i}", rng) for i in range(12)]
    odd += [looping(f"loop-{i}", rng) for i in range(12)]
    both = logs(tmp_path / "both", [*TRAIN[:40], *odd])
    labels = tmp_path / "labels.csv"
    rows = [f"{s.key},{s.key[:4] if s in odd else 'normal'}" for s in TRAIN[:40] + odd]
    labels.write_text("\n".join(["session,kind", *rows, ""]), "utf-8")
    held = {}
    for kind in ("dead", None):
        out = tmp_path / f"{kind}"
        more = () if kind is None else ("--kind", kind)
        told = command(
            "synth", both, "--sessions", "30", "--labels", labels, *more,
            "--out", out, *KEY,
        )  # fmt: skip
        assert told.code == 0, told.err
        lines = [str(d["message"]) for d in read(out)]
        held[kind] = sum(line == "deadlock detected" for line in lines)
    assert held["dead"] >= 25
    assert held[None] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--kind", "dead"), 2, "--kind goes with --labels"),
        (("--start", "soon"), 2, "--start soon"),
        (("--start", "now-1h"), 2, "equal seeds are to draw equal logs"),
        (("--model", "nowhere"), 1, "there is no such folder"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    command: Command,
    tmp_path: Path,
    train: Path,
    arguments: tuple[str, str],
    code: int,
    complaint: str,
) -> None:
    told = command(
        "synth", train, "--sessions", "5", "--out", tmp_path / "x", *arguments, *KEY
    )
    assert told.code == code
    assert complaint in told.err
    assert not (tmp_path / "x").exists()


def test_too_few_sessions_are_told(command: Command, tmp_path: Path) -> None:
    few = logs(tmp_path / "few", TRAIN[:4])
    told = command("synth", few, "--sessions", "5", "--out", tmp_path / "x", *KEY)
    assert told.code == 1
    assert "only 4 sessions to draw the like of" in told.err
    assert told.err.count("\n") == 1
