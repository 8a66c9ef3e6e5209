"""How surprised the next-event network is, event by event, in nats.

Sessions are scored whole: BOS, e1 … en, EOS; a unit without a true start or end is
not judged there. Equal sessions are scored once, batches hold sessions of like
length, long ones are run in segments that carry the LSTM's state on. Where the highest
surprise is all that is asked for (screening), nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import log_softmax

from model.events import EncodedSession
from model.network import NextEvent, NextEventLSTM, State
from model.out_of_memory import in_parts
from model.vocabulary import BOS, EOS, PAD

MAX_NATS = 20.0
SEGMENT = 512
BATCH_VALUES = 8_000_000
EXPECTED = 0.5


@dataclass(frozen=True, slots=True)
class Surprise:
    """What the network made of one session of n events, H hidden.

    `nats` (n + 1): −log p of each event, then of the end; 0 where not judged.
    `expected`: how often an event id was expected, summed over the session, by id;
    those that were expected half a time or more.
    `hidden` (H): the hidden state before the most surprising event.
    """

    nats: NDArray[np.float32]
    expected: Mapping[int, np.float32]
    hidden: NDArray[np.float32]

    @property
    def highest(self) -> float:
        """The largest surprise of the session, nats."""
        return float(self.nats.max(initial=0.0))


def surprises(
    network: NextEvent, sessions: Sequence[EncodedSession], device: torch.device
) -> list[Surprise]:
    """Surprise of each session; equal sessions share one result. Source: DeepLog."""
    distinct = list(dict.fromkeys(sessions))
    results: dict[EncodedSession, Surprise] = {}
    network.eval()
    with torch.inference_mode():
        for batch in _batches(distinct, network.config.vocabulary):
            found = in_parts(partial(_score_batch, network, device), batch)
            results.update(zip(batch, found, strict=True))
    return [results[session] for session in sessions]


def highest_surprises(
    network: NextEvent, sessions: Sequence[EncodedSession], device: torch.device
) -> NDArray[np.float64]:
    """`Surprise.highest` of each session (N) → (N,), and nothing beside."""
    results: dict[EncodedSession, float] = {}
    network.eval()
    with torch.inference_mode():
        for batch in _batches(list(dict.fromkeys(sessions)), network.config.vocabulary):
            found = in_parts(partial(_highest, network, device), batch)
            results.update(zip(batch, found, strict=True))
    return np.array([results[session] for session in sessions], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Carried:
    """The state of an LSTM between two events, (layers, H) each, on the CPU."""

    hidden: NDArray[np.float32]
    cell: NDArray[np.float32]


def carry_on(
    network: NextEventLSTM,
    sequences: Sequence[Sequence[int]],
    carried: Sequence[Carried | None],
    device: torch.device,
) -> tuple[NDArray[np.float32], list[Carried]]:
    """Reads on in B sequences of T + 1 events that were left before the first of them.

    carried (B): the states there, None at a start. → −log p of each event but the
    first (B, T), nats, and the states before the last event, to carry on from.
    """
    ids = torch.tensor(sequences, dtype=torch.long, device=device)  # (B, T + 1)
    layers, size = network.config.layers, network.config.hidden
    state: State = _stacked(carried, (layers, size), network.embed.weight)
    parts = []
    with torch.inference_mode():
        for found in _passes(network, ids[:, :-1], ids[:, 1:], state):
            parts.append(found.nats)
            state = found.state
        nats: NDArray[np.float32] = torch.cat(parts, dim=1).cpu().numpy()
        hidden, cell = (
            part.transpose(0, 1).float().cpu().numpy() for part in state
        )  # (B, layers, H)
    return nats, [
        Carried(hidden[row].copy(), cell[row].copy()) for row in range(len(hidden))
    ]


def _stacked(
    carried: Sequence[Carried | None], shape: tuple[int, int], like: Tensor
) -> State:
    """States (B), each of `shape` → a state of the network, (layers, B, H), in the
    numbers of these weights and where they are."""
    none = np.zeros(shape, dtype=np.float32)
    hidden = np.stack([none if c is None else c.hidden for c in carried], axis=1)
    cell = np.stack([none if c is None else c.cell for c in carried], axis=1)
    return torch.from_numpy(hidden).to(like), torch.from_numpy(cell).to(like)


def expectations(
    network: NextEvent,
    sessions: Sequence[EncodedSession],
    positions: Sequence[Sequence[int]],
    device: torch.device,
    top: int = 3,
) -> list[list[list[tuple[int, float]]]]:
    """The `top` likeliest events before each position of each session.

    sessions (N), positions (N of any number) → N of as many [(event id, p)].
    """
    asked: dict[EncodedSession, list[int]] = {}
    for place, session in enumerate(sessions):
        asked.setdefault(session, []).append(place)
    found: list[list[list[tuple[int, float]]]] = [[] for _ in sessions]
    network.eval()
    with torch.inference_mode():
        for batch in _batches(list(asked), network.config.vocabulary):
            rows = in_parts(partial(_logits, network, device), batch)
            for row, session in zip(rows, batch, strict=True):
                for place in asked[session]:
                    found[place] = _likeliest(row[list(positions[place])], top)
    return found


def _logits(
    network: NextEvent, device: torch.device, batch: Sequence[EncodedSession]
) -> list[Tensor]:
    """What is expected before each event of B sessions: (T, V) each."""
    logits, _, _ = network(_tensors(batch, device)[0])  # (B, T, V)
    return list(logits)


def _likeliest(logits: Tensor, top: int) -> list[list[tuple[int, float]]]:
    """logits (P, V) → P of `top` events with their probabilities."""
    chances = log_softmax(logits.float(), dim=-1).exp()
    chances[:, [PAD, BOS]] = 0.0
    values, ids = chances.topk(min(top, chances.shape[1]))
    return [
        list(zip(row_ids, row, strict=True))
        for row_ids, row in zip(ids.tolist(), values.tolist(), strict=True)
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
    lengths = np.array([len(session.ids) for session in batch])
    ids = np.fromiter(
        chain.from_iterable(session.ids for session in batch), np.int64, lengths.sum()
    )
    rows = np.repeat(np.arange(len(batch)), lengths)
    columns = np.arange(len(ids)) - np.repeat(lengths.cumsum() - lengths, lengths)
    inputs = np.full((len(batch), lengths.max() + 1), PAD)
    targets = inputs.copy()
    inputs[:, 0] = BOS
    inputs[rows, columns + 1] = ids
    targets[rows, columns] = ids
    targets[np.arange(len(batch)), lengths] = EOS
    return torch.from_numpy(inputs).to(device), torch.from_numpy(targets).to(device)


@dataclass(frozen=True, slots=True)
class _Pass:
    """One segment of a batch: t of its T steps. 0 and uniform where PAD."""

    part: slice
    nats: Tensor  # (B, t)
    log_p: Tensor  # (B, t, V)
    real: Tensor  # (B, t, 1)
    hidden: Tensor  # (B, t, H)
    state: State


def _passes(
    network: NextEvent,
    inputs: Tensor,
    targets: Tensor,
    state: State | None = None,
) -> Iterator[_Pass]:
    """A batch through the network, segment by segment: memory stays bounded."""
    for at in range(0, inputs.shape[1], SEGMENT):
        part = slice(at, at + SEGMENT)
        logits, hidden, state = network(inputs[:, part], state)
        log_p = log_softmax(logits.float(), dim=-1)
        real = (targets[:, part] != PAD).unsqueeze(-1)
        chosen = log_p.gather(-1, targets[:, part].unsqueeze(-1))  # (B, t, 1)
        nats = (-chosen * real).squeeze(-1).clamp(max=MAX_NATS)
        yield _Pass(part, nats, log_p, real, hidden, state)


def _judged(batch: Sequence[EncodedSession], nats: Tensor) -> NDArray[np.float32]:
    """nats (B, T) without what lies at bounds that are not true."""
    result: NDArray[np.float32] = nats.cpu().numpy()
    for row, session in enumerate(batch):
        if not session.starts:
            result[row, 0] = 0.0
        if not session.ends:
            result[row, len(session.ids)] = 0.0
    return result


def _highest(
    network: NextEvent, device: torch.device, batch: Sequence[EncodedSession]
) -> list[float]:
    inputs, targets = _tensors(batch, device)
    nats = torch.cat([p.nats for p in _passes(network, inputs, targets)], 1)
    highest: list[float] = _judged(batch, nats).max(axis=1, initial=0.0).tolist()
    return highest


def _score_batch(
    network: NextEvent, device: torch.device, batch: Sequence[EncodedSession]
) -> list[Surprise]:
    inputs, targets = _tensors(batch, device)
    count, width = inputs.shape
    nats = torch.zeros(count, width, device=device)
    expected = torch.zeros(count, network.config.vocabulary, device=device)
    hidden = torch.zeros(count, width, network.config.hidden, device=device)
    for found in _passes(network, inputs, targets):
        nats[:, found.part], hidden[:, found.part] = found.nats, found.hidden
        expected += (found.log_p.exp() * found.real).sum(dim=1)
    judged, all_expected = _judged(batch, nats), expected.cpu().numpy()
    worst = torch.from_numpy(judged.argmax(axis=1)).to(device)  # (B,)
    states = hidden[torch.arange(count, device=device), worst].cpu().numpy()  # (B, H)
    return [
        Surprise(
            nats=judged[row, : len(session.ids) + 1].copy(),
            expected=_awaited(all_expected[row]),
            hidden=states[row].copy(),
        )
        for row, session in enumerate(batch)
    ]


def _awaited(expected: NDArray[np.float32]) -> dict[int, np.float32]:
    """Of how often each event was expected (V), what is half a time or more."""
    places = np.flatnonzero(expected >= EXPECTED)
    return dict(zip(places.tolist(), expected[places], strict=True))
