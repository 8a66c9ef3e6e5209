"""The command line on CUDA: what is trained there judges alike on the CPU."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from tests.elkwatch.bad_input import KEY, Command, documents, ndjson, written
from tests.model.builders import deadlocked, looping, shop


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("mixed", ["off", "auto", "fp16"])
def test_trained_on_cuda_and_judged_on_both(
    command: Command, tmp_path: Path, mixed: str
) -> None:
    rng = random.Random(4)
    odd = [deadlocked(f"d{i}", rng) for i in range(10)]
    odd += [looping(f"l{i}", rng) for i in range(10)]
    logs = written(tmp_path / "logs", ndjson(documents(shop(200))))
    judged = [*shop(40, seed=1), *odd]
    probes = written(tmp_path / "probes", ndjson(documents(judged)))
    model = tmp_path / "m"
    options = ("--device", "cuda", "--mixed-precision", mixed, "--epochs", "12")
    done = command("train", logs, "--discover", probes, "--out", model, *KEY, *options)
    assert done.code == 0, done.err
    found = {}
    for device in ("cuda", "cpu"):
        asked = ("--model", model, "--device", device, "--out", "-")
        told = command("classify", probes, *asked, *KEY)
        assert told.code == 0, told.err
        found[device] = {v["session"]: v for v in told.records}
    assert len(found["cpu"]) == len(judged)
    assert found["cuda"].keys() == found["cpu"].keys()
    assert sum(v["anomaly"] for v in found["cpu"].values()) >= 20
    for name, ours in found["cuda"].items():
        theirs = found["cpu"][name]
        assert ours["anomaly"] == theirs["anomaly"]
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-3)
