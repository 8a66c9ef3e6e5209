"""`elkwatch evaluate --detectors`: many methods on the same sessions, one table."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from model import Session
from tests.elkwatch.bad_input import KEY, Command, documents, ndjson, written
from tests.model.builders import deadlocked, looping, shop

FEW = "unseen-template,pca,decision-tree"


def logs(path: Path, sessions: list[Session]) -> Path:
    return written(path, ndjson(documents(sessions)))


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, Path]:
    """Logs of 40 normal and 12 anomalous sessions, one without a label; labels."""
    rng = random.Random(1)
    odd = [make(f"odd{i}", rng) for i in range(6) for make in (deadlocked,)]
    odd += [looping(f"loop{i}", rng) for i in range(6)]
    sessions = [*shop(41, seed=2), *odd]
    rows = [f"s2-{i},normal" for i in range(40)]
    rows += [f"{session.key},trouble" for session in odd]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["session,kind", *rows, ""]), "utf-8")
    return logs(tmp_path / "test", sessions), labels


def test_one_table_and_the_same_as_json(
    command: Command, tmp_path: Path, judged: tuple[Path, Path]
) -> None:
    test, labels = judged
    train, out = logs(tmp_path / "train", shop(60)), tmp_path / "figures.json"
    told = command(
        "evaluate", test, "--labels", labels, "--detectors", FEW,
        "--train", train, "--out", out, *KEY,
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "52 labelled sessions, 12 anomalous; fitted on 60; 1 without" in told.out
    assert "elkwatch: 2 of 3: PCA" in told.err
    rows = {row["name"]: row for row in json.loads(out.read_text("utf-8"))["detectors"]}
    assert list(rows) == FEW.split(",")
    assert rows["unseen-template"]["recall"] == 0.5
    assert rows["unseen-template"]["learned_from"] == "logs"
    assert rows["pca"]["average_precision"] > 0.9
    assert rows["decision-tree"]["learned_from"] == "5-fold"
    assert rows["decision-tree"]["f1"] > 0.9
    for row in rows.values():
        assert row["fit_s"] >= 0
        assert row["size_bytes"] > 0
        assert row["error"] == ""
    lines = told.out.splitlines()
    assert [line.split()[0] for line in lines[-3:]][-1] == "unseen-template"


def test_labels_of_the_training_logs_teach(
    command: Command, tmp_path: Path, judged: tuple[Path, Path]
) -> None:
    test, labels = judged
    rng = random.Random(4)
    learned = [*shop(30, seed=5), *(deadlocked(f"d{i}", rng) for i in range(8))]
    known = tmp_path / "known.csv"
    rows = [f"{s.key},{int(s.key.startswith('d'))}" for s in learned]
    known.write_text("\n".join(["session,anomaly", *rows, ""]), "utf-8")
    told = command(
        "evaluate", test, "--labels", labels, "--detectors", "knn", "--json",
        "--train", logs(tmp_path / "t", learned), "--train-labels", known, *KEY,
    )  # fmt: skip
    assert told.code == 0, told.err
    (row,) = json.loads(told.out)["detectors"]
    assert row["learned_from"] == "labels"
    assert row["recall"] >= 0.5


def test_one_that_cannot_be_fitted_is_a_line_and_costs_the_others_nothing(
    command: Command, tmp_path: Path, judged: tuple[Path, Path]
) -> None:
    test, labels = judged
    rows = labels.read_text("utf-8").splitlines()
    few = [row for row in rows if not row.startswith(("loop", "odd2", "odd3", "odd4"))]
    labels.write_text("\n".join([*few, ""]), "utf-8")
    told = command(
        "evaluate", test, "--labels", labels, "--detectors", "svm,pca",
        "--train", logs(tmp_path / "train", shop(60)), *KEY,
    )  # fmt: skip
    assert told.code == 0, told.err
    *_, pca, svm = told.out.splitlines()
    assert pca.startswith("pca")
    assert svm.startswith("svm")
    assert "3 sessions of one sort are too few for 5 folds" in svm


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--detectors", "pca"), "give mostly normal logs with --train FILE, or"),
        (("--detectors", "pcb", "--train", "test"), "did you mean pca?"),
        (("--detectors", ",", "--train", "test"), "--detectors names none"),
        (("--train", "test"), "--train goes with --detectors"),
        ((), "Missing option '--model'"),
        (("--detectors", "pca", "--train", "gone"), "gone"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    command: Command,
    judged: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(judged[0].parent)
    told = command("evaluate", "test", "--labels", "labels.csv", *argv, *KEY)
    assert told.code in (1, 2)
    assert said in told.line
