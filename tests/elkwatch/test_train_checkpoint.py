"""`elkwatch train --checkpoint`: killed, and continued with the same command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.elkwatch.bad_input import KEY, Command, documents, ndjson, written
from tests.model.builders import shop

LONG = (
    *KEY, "--device", "cpu", "--epochs", "80",
    "--set", "language_model.early_stopping=off", "--set", "language_model.hidden=8",
    "--set", "language_model.batches=2",
)  # fmt: skip


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return written(tmp_path / "logs", ndjson(documents(shop(60))))


def version(folder: Path) -> str:
    return str(json.loads((folder / "manifest.json").read_text())["version"])


def test_a_killed_training_ends_as_one_that_was_not(
    command: Command, logs: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    ours = ("train", logs, "--out", tmp_path / "m", *LONG, "--checkpoint", kept)
    program = (sys.executable, "-c", "from elkwatch.cli import main; main()")
    process = subprocess.Popen(
        [*program, *map(str, ours)],
        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    state, until = kept / "1-next-event.safetensors", time.monotonic() + 60
    while not state.exists() and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    assert process.wait(30) == -9
    assert not (tmp_path / "m").exists()
    told = command(*ours)
    assert told.code == 0, told.err
    assert "1 next-event network: going on after epoch" in told.err
    assert not kept.exists()
    assert command("train", logs, "--out", tmp_path / "whole", *LONG).code == 0
    assert version(tmp_path / "m") == version(tmp_path / "whole")


def test_a_checkpoint_of_other_options_is_one_line(
    command: Command, logs: Path, tmp_path: Path
) -> None:
    body = {"format": 1, "configuration": {"seed": 3}, "logs": "", "torch": ""}
    (tmp_path / "kept").mkdir()
    written(tmp_path / "kept" / "checkpoint.json", json.dumps(body))
    told = command(
        "train", logs, "--out", tmp_path / "m", *LONG, "--checkpoint", tmp_path / "kept"
    )
    assert told.code == 1
    assert f"checkpoint {tmp_path / 'kept'}: is of another configuration" in told.line


def test_a_setting_that_is_none_is_one_line(
    command: Command, logs: Path, tmp_path: Path
) -> None:
    told = command(
        "train", logs, "--out", tmp_path / "m", *KEY, "--set", "classes.beat=2"
    )
    assert told.code == 2
    assert "there is none; nearest: classes.beta" in told.line


def test_fp16_is_for_cuda(command: Command, logs: Path, tmp_path: Path) -> None:
    told = command(
        "train", logs, "--out", tmp_path / "m", *LONG, "--mixed-precision", "fp16"
    )
    assert told.code == 2
    assert "this needs CUDA; use --mixed-precision bf16" in told.line
