"""Applications left out once: pieces of work are put together by seed again.

Cases of a database's log go by the kinds of its labels, whatever they are.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.quality import Done, _figures, _parts
from benchmarks.quality_cases import APPLICATIONS, Case, Drawn, postgresql
from model import Labels, train
from tests.model.applications import applications
from tests.model.test_presence import QUICK


def case() -> Case:
    sessions, truth = applications()

    def draw(number: int) -> Drawn:
        rest = [s for i, s in enumerate(sessions) if i != number]
        told = {s.key: truth.by_session[s.key] for s in rest}
        return Drawn(rest, [sessions[number]], Labels(told, named=True))

    return Case(APPLICATIONS, truth, draw, kinds=True, detects=False)


def test_each_one_left_out_is_one_piece_with_all_seeds() -> None:
    sessions, truth = applications()
    right = [truth.by_session[s.key] for s in sessions]
    assert _parts(case(), 5) == len(sessions) == 26
    done = Done(case())
    done.parts = {i: [kind, "normal"] for i, kind in enumerate(right)}
    first, second = _figures(done, 2)
    assert first["elkwatch: macro-F1"] == 1.0
    assert second["elkwatch: right"] == right.count("normal") / 26


def test_templates_that_were_mined_need_not_be_mined_again() -> None:
    sessions, labels = applications()
    first = train(sessions, QUICK, labels=labels)
    again = train(sessions, QUICK, labels=labels, mined=first.templates)
    assert again.templates is first.templates
    assert again.figures == first.figures


def log(path: Path, keys: list[str]) -> None:
    lines = [
        {
            "@timestamp": "2026-11-22T15:49:37.739Z",
            "message": "statement: BEGIN",
            "postgresql": {"log": {"session_id": key}},
        }
        for key in keys
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))


def test_the_cases_of_a_database_go_by_the_kinds_of_its_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = ["normal"] * 9 + ["read_only"] * 3 + ["reset"]
    log(tmp_path / "train.ndjson.gz", [f"n{i}" for i in range(30)])
    log(tmp_path / "test.ndjson.gz", [f"t{i}" for i in range(len(kinds))])
    rows = "".join(f"t{i},{kind}\n" for i, kind in enumerate(kinds))
    (tmp_path / "labels.csv").write_text(f"session,kind\n{rows}", "utf-8")
    cases = {case.name: case for case in postgresql(tmp_path)}
    of_one_kind = [name for name in cases if "of one kind" in name]
    assert of_one_kind == ["postgresql, 5 % of one kind: read_only"]
    assert "postgresql, 5 % mixed in" in cases
    told = capsys.readouterr().out
    assert "postgresql, 13 % mixed in: left out, too few anomalous sessions" in told
    for name in ("postgresql, 5 % mixed in", *of_one_kind):
        drawn = cases[name].drawn(0)
        odd = [s for s in drawn.train if s.key.startswith("t")]
        assert odd
        assert {s.key for s in odd}.isdisjoint(s.key for s in drawn.test)
