"""The benchmark of the GPU: left out where there is none, and never timed unequal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import gpu


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_without_a_device_it_is_left_out_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rows.json"
    monkeypatch.setattr("sys.argv", ["gpu", "--out", str(out)])
    gpu.main()
    told = capsys.readouterr().out
    assert told == "GPU: left out, torch finds no CUDA device on this machine\n"
    assert json.loads(out.read_text("utf-8"))["rows"] == []


def test_surprises_that_differ_are_not_timed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = np.array([7.0, 9.0, 12.0])
    for precision, allowed in gpu.TOLERANCE_NATS.items():
        gpu.check_agrees(precision, wanted + 0.9 * allowed, wanted)
        with pytest.raises(SystemExit, match="differs from the CPU"):
            gpu.check_agrees(precision, wanted + 1.1 * allowed, wanted)
    with pytest.raises(SystemExit):
        gpu.check_agrees("bf16", np.array([7.0, np.nan, 12.0]), wanted)
    assert "largest difference from the CPU" in capsys.readouterr().out
