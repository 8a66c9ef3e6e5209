"""How surprised the next-event network is, event by event, in nats.

Sessions are scored whole: BOS, e1 … en, EOS; a unit without a true start or end is
not judged there. Equal sessions are scored once, batches hold sessions of like
length, long ones are run in segments that carry the LSTM's state on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import log_softmax

from model.events import EncodedSession
from model.network import NextEventLSTM, State
from model.vocabulary import BOS, EOS, PAD

MAX_NATS = 20.0
SEGMENT = 512
BATCH_VALUES = 8_000_000


@dataclass(frozen=True, slots=True)
class Surprise:
    """What the network made of one session of n events, V event ids, H hidden.

    `nats` (n + 1): −log p of each event, then of the end; 0 where not judged.
    `expected` (V): how often each event was expected, summed over the session.
    `hidden` (H): the hidden state before the most surprising event.
    """

    nats: NDArray[np.float32]
    expected: NDArray[np.float32]
    hidden: NDArray[np.float32]

    @property
    def highest(self) -> float:
        """The largest surprise of the session, nats."""
        return float(self.nats.max(initial=0.0))


def surprises(
    network: NextEventLSTM, sessions: Sequence[EncodedSession], device: torch.device
) -> list[Surprise]:
    """Surprise of each session; equal sessions share one result. Source: DeepLog."""
    distinct = list(dict.fromkeys(sessions))
    results: dict[EncodedSession, Surprise] = {}
    network.eval()
    with torch.inference_mode():
        for batch in _batches(distinct, network.config.vocabulary):
            results.update(
                zip(batch, _score_batch(network, batch, device), strict=True)
            )
    return [results[session] for session in sessions]


def expectations(
    network: NextEventLSTM,
    session: EncodedSession,
    positions: Sequence[int],
    device: torch.device,
    top: int = 3,
) -> list[list[tuple[int, float]]]:
    """The `top` likeliest events before each position: [[(event id, p)]]."""
    network.eval()
    inputs, _ = _tensors([session], device)
    with torch.inference_mode():
        logits, _, _ = network(inputs)
        chances = log_softmax(logits[0], dim=-1).exp()  # (n + 1, V)
        chances[:, [PAD, BOS]] = 0.0
        values, ids = chances[list(positions)].topk(min(top, chances.shape[1]))
    return [
        [(int(i), float(p)) for i, p in zip(row_ids, row, strict=True)]
        for row_ids, row in zip(ids.cpu(), values.cpu(), strict=True)
    ]


def _batches(
    sessions: Sequence[EncodedSession], vocabulary: int
) -> Iterator[list[EncodedSession]]:
    batch: list[EncodedSession] = []
    for session in sorted(sessions, key=lambda s: len(s.ids)):
        width = min(len(session.ids) + 1, SEGMENT)
        if batch and (len(batch) + 1) * width * vocabulary > BATCH_VALUES:
            yield batch
            batch = []
        batch.append(session)
    if batch:
        yield batch


def _tensors(
    batch: Sequence[EncodedSession], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Sessions (B) → inputs, targets (B, T): BOS e1 … en and e1 … en EOS."""
    width = max(len(s.ids) for s in batch) + 1
    inputs = torch.full((len(batch), width), PAD, dtype=torch.long)
    targets = torch.full((len(batch), width), PAD, dtype=torch.long)
    for row, session in enumerate(batch):
        ids = torch.tensor(session.ids, dtype=torch.long)
        inputs[row, 0] = BOS
        inputs[row, 1 : len(ids) + 1] = ids
        targets[row, : len(ids)] = ids
        targets[row, len(ids)] = EOS
    return inputs.to(device), targets.to(device)


def _score_batch(
    network: NextEventLSTM, batch: Sequence[EncodedSession], device: torch.device
) -> list[Surprise]:
    inputs, targets = _tensors(batch, device)
    count, width = inputs.shape
    nats = torch.zeros(count, width, device=device)
    expected = torch.zeros(count, network.config.vocabulary, device=device)
    hidden = torch.zeros(count, width, network.config.hidden, device=device)
    state: State | None = None
    for at in range(0, width, SEGMENT):
        part = slice(at, min(at + SEGMENT, width))
        logits, hidden[:, part], state = network(inputs[:, part], state)
        log_p = log_softmax(logits, dim=-1)  # (B, t, V)
        real = (targets[:, part] != PAD).unsqueeze(-1)  # (B, t, 1)
        chosen = log_p.gather(-1, targets[:, part].unsqueeze(-1))  # (B, t, 1)
        nats[:, part] = (-chosen * real).squeeze(-1)
        expected += (log_p.exp() * real).sum(dim=1)
    nats.clamp_(max=MAX_NATS)
    return _unpack(batch, nats, expected, hidden)


def _unpack(
    batch: Sequence[EncodedSession], nats: Tensor, expected: Tensor, hidden: Tensor
) -> list[Surprise]:
    for row, session in enumerate(batch):
        if not session.starts:
            nats[row, 0] = 0.0
        if not session.ends:
            nats[row, len(session.ids)] = 0.0
    worst = nats.argmax(dim=1)  # (B,)
    states = hidden[torch.arange(len(batch), device=hidden.device), worst]  # (B, H)
    all_nats, all_expected = nats.cpu().numpy(), expected.cpu().numpy()
    all_states = states.cpu().numpy()
    return [
        Surprise(
            nats=all_nats[row, : len(session.ids) + 1].copy(),
            expected=all_expected[row].copy(),
            hidden=all_states[row].copy(),
        )
        for row, session in enumerate(batch)
    ]
