"""Several workers give what one gives."""

from __future__ import annotations

import gzip
import json
import os
import random
from functools import partial
from pathlib import Path

import pytest

from elkwatch.workers import Workers
from model import Session, save_bundle, train
from tests.elkwatch.bad_input import KEY, Command, documents
from tests.model.builders import START, deadlocked, looping, shop
from tests.model.conftest import CONFIG


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the shop."""
    rng = random.Random(7)
    odd = [deadlocked(f"d{i}", rng) for i in "abc"]
    folder = tmp_path_factory.mktemp("model") / "shop"
    save_bundle(train(shop(60), CONFIG, discover=odd), folder, now=START)
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    """Two files; sessions go over from one to the other, and lines have no key."""
    rng = random.Random(4)
    sessions: list[Session] = [
        *shop(40, seed=5),
        *(deadlocked(f"dead-{i}", rng) for i in range(3)),
        looping("loop", rng),
    ]
    lines = documents(sessions)
    for number, line in enumerate(lines):
        if number % 17 == 0:
            del line["session"]
    rng.shuffle(lines)
    paths = [tmp_path / "a.ndjson", tmp_path / "b.ndjson.gz"]
    half = len(lines) // 2
    paths[0].write_text("".join(json.dumps(x) + "\n" for x in lines[:half]), "utf-8")
    with gzip.open(paths[1], "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(x) + "\n" for x in lines[half:])
    return paths


def test_classify_with_several_workers_gives_what_one_gives(
    command: Command, bundle: Path, logs: list[Path]
) -> None:
    line = ("classify", *logs, "--model", bundle, "--out", "-", *KEY)
    alone = command(*line)
    assert alone.code == 0
    assert sum(record["anomaly"] for record in alone.records) >= 4
    shared = command(*line, "--workers", 2)
    assert shared.code == 0
    assert shared.records == alone.records
    assert shared.err == alone.err


def test_what_is_wrong_is_told_in_one_line(
    command: Command, bundle: Path, logs: list[Path], tmp_path: Path
) -> None:
    two = ("--out", "-", "--workers", 2, *KEY)
    told = command("classify", "-", "--model", bundle, *two)
    assert told.code == 2
    assert "standard input cannot be read by several workers" in told.err
    told = command("classify", *logs, "--model", tmp_path / "none", *two)
    assert told.code == 1
    assert "none" in told.line
    empty = tmp_path / "empty.ndjson"
    empty.write_text("")
    assert command("classify", empty, "--model", bundle, *two).code != 0


def test_each_worker_begins_once_and_results_keep_their_order() -> None:
    with Workers(2, partial(_begun, 100)) as workers:
        results = workers.map(_added, range(20))
    assert [total for total, _ in results] == list(range(100, 120))
    assert {pid for _, pid in results}.isdisjoint({os.getpid()})
    assert len({pid for _, pid in results}) <= 2


def test_one_worker_is_this_process() -> None:
    with Workers(1, partial(_begun, 1)) as workers:
        assert workers.map(_added, [1]) == [(2, os.getpid())]


@pytest.mark.parametrize("count", [1, 2])
def test_a_failure_of_a_worker_is_raised_here(count: int) -> None:
    with Workers(count, partial(_begun, 0)) as workers:
        with pytest.raises(ZeroDivisionError):
            workers.map(_divided, [1, 0])
        assert workers.map(_divided, [1]) == [1.0]
    with (
        Workers(count, _cannot_begin) as workers,
        pytest.raises(LookupError, match="no model"),
    ):
        workers.map(_added, [1])


def test_fewer_than_one_worker_are_refused() -> None:
    with pytest.raises(ValueError, match="0 workers"):
        Workers(0, _cannot_begin)


def _begun(number: int) -> int:
    return number


def _cannot_begin() -> int:
    raise LookupError("no model")


def _added(own: int, part: int) -> tuple[int, int]:
    return own + part, os.getpid()


def _divided(_: int, part: int) -> float:
    return 1 / part
