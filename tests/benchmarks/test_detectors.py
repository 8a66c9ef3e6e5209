"""The benchmark of detectors: what it keeps and what it tells."""

from __future__ import annotations

from pathlib import Path

from benchmarks.detectors import Task, read_rows, run, table, write_rows
from model import DetectorRow
from model.evaluate import Detection

GOOD = DetectorRow(
    "pca", "PCA", "clustering", "logs",
    Detection("pca", 0.5, 1.0, 2 / 3, 0.9, 4), 1.5, 0.25, 2048,
)  # fmt: skip
BAD = DetectorRow("svm", "SVM", "supervised", error="learns from labels")
ROWS: dict[Task, DetectorRow] = {("shop", 0, "pca"): GOOD, ("shop", 0, "svm"): BAD}


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.json", ROWS)
    kept = read_rows(tmp_path / "rows.json")
    assert kept == ROWS
    assert list(run(list(ROWS), 1, kept)) == []
    assert read_rows(tmp_path / "none.json") == {}


def test_the_best_comes_first_and_a_failure_says_why() -> None:
    lines = list(table("shop", {"svm": [BAD], "pca": [GOOD]}))
    assert lines[0] == "### shop"
    told = "| pca | 0.667 ± 0.000 | 0.500 | 1.000 | 0.900 ± 0.000 | 1.5 | 0.25 | 2 |"
    assert lines[4].startswith(told)
    assert lines[5].startswith("| svm | learns from labels |")
