"""Batched scoring on a GPU, in 32- and 16-bit numbers, against the CPU of the same run.

    python -m benchmarks.gpu [--sessions 4000] [--out rows.json]

The anchor is the next-event network in 32-bit floats on one thread of the CPU; ours is
the same weights on CUDA, as `train --quantize bf16` and `fp16` have them scored. Both
give the highest surprise of every session, from event ids to a number on the CPU, so
that copying counts; by the wall's clock. The ids are those of the demo's logs, joined
to LENGTH events a session so that no two sessions are equal. Before anything is timed
the surprises must agree with the CPU's within TOLERANCE_NATS.

Where torch finds no CUDA device that is said in a line, and there are no rows.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.frame import Case, Row, compare, results, table, write
from benchmarks.stack import trained
from elkwatch.cli.options import FileOptions
from elkwatch.demo.logs import SESSION_FIELD, demo_file
from elkwatch.log_files import read_sessions
from model import TrainedModel, choose_device, load_bundle
from model.events import EncodedSession
from model.network import NextEvent
from model.precision import FULL
from model.surprise import highest_surprises
from model.vocabulary import encode

SESSIONS = 4000
LENGTH = 128
STRIDE = 997  # prime: where the next session begins in the joined ids
TOLERANCE_NATS = {FULL: 1e-3, "fp16": 0.05, "bf16": 0.2}
ANCHOR = "CPU, 32-bit floats, one thread, same weights"


def joined(model: TrainedModel, count: int) -> list[EncodedSession]:
    """Sessions of LENGTH events from the demo's live logs; no two begin alike."""
    options = FileOptions(session_fields=(SESSION_FIELD,))
    logs = encode(read_sessions([str(demo_file("live"))], options), model.templates)
    ids = [i for session in logs for i in session.ids]
    starts = ((n * STRIDE) % (len(ids) - LENGTH) for n in range(count))
    return [EncodedSession(tuple(ids[at : at + LENGTH])) for at in starts]


def check_agrees(
    precision: str, found: NDArray[np.float64], wanted: NDArray[np.float64]
) -> None:
    """Raises SystemExit where a surprise is further from the CPU's than allowed."""
    worst = float(np.abs(found - wanted).max())
    print(f"{precision}: largest difference from the CPU {worst:.1e} nats")
    if not worst <= TOLERANCE_NATS[precision]:
        raise SystemExit(f"gpu: {precision} differs from the CPU; nothing is timed")


def rows(
    model: TrainedModel,
    device: torch.device,
    *,
    precisions: tuple[str, ...] = tuple(TOLERANCE_NATS),
    sessions: int = SESSIONS,
    runs: int = 5,
) -> Iterator[Row]:
    """One row for each precision on this device."""
    cpu = choose_device("cpu")
    encoded = list(dict.fromkeys(joined(model, sessions)))
    plain = _network(model, FULL, cpu)
    anchor = partial(highest_surprises, plain, encoded, cpu)
    wanted = anchor()
    for precision in precisions:
        ours = partial(_on_device, model, precision, encoded, device)
        check_agrees(precision, ours()(), wanted)
        case = Case(
            f"{device.type}, {precision}",
            "events",
            LENGTH * len(encoded),
            ANCHOR,
            0,
            1,
            clock="wall",
            runs=runs,
        )
        yield compare(case, anchor=lambda: anchor, ours=ours)


def _on_device(
    model: TrainedModel,
    precision: str,
    encoded: list[EncodedSession],
    device: torch.device,
) -> partial[NDArray[np.float64]]:
    """What scores the sessions there; moving the weights is not part of it."""
    network = _network(model, precision, device)
    return partial(highest_surprises, network, encoded, device)


def _network(model: TrainedModel, precision: str, device: torch.device) -> NextEvent:
    """A copy: moving a network to a device takes it away from the other one."""
    own = copy.deepcopy(model.network)
    return replace(model, network=own, precision=precision).network_on(device)


def main() -> None:
    """Measures and prints, or says why there is nothing to measure on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bundle", type=Path, help="a model of the demo's logs")
    parser.add_argument("--out", type=Path, help="write the rows here, as JSON")
    chosen = parser.parse_args()
    measured: list[Row] = []
    if torch.cuda.is_available():
        print(f"on {torch.cuda.get_device_name()}")
        with TemporaryDirectory(prefix="elkwatch-bench-") as folder:
            model = load_bundle(chosen.bundle or trained(Path(folder) / "model"))
        device = torch.device("cuda")
        measured += rows(model, device, sessions=chosen.sessions, runs=chosen.runs)
        print(table(measured))
    else:
        print("GPU: left out, torch finds no CUDA device on this machine")
    if chosen.out is not None:
        write(results(measured), chosen.out)


if __name__ == "__main__":
    main()
