"""Smaller numbers for the next-event network, and fewer of them.

    int8         weights and, batch by batch, activations as 8-bit integers; CPU
    bf16, fp16   16-bit floating point; CUDA

A bundle keeps the weights as they were trained and the name of the precision; the
numbers are made smaller when it is loaded, equal weights giving equal ones. On a device
that a precision is not for, the network runs as it was trained. With int8 torch
chooses the scale of activations by the batch, so a score depends a little on what is
scored beside it.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from model.errors import TrainingError
from model.network import NextEventLSTM, State

FULL = "float32"
INT8 = "int8"
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
PRECISIONS = (FULL, INT8, *HALVES)


def at_precision(
    network: NextEventLSTM, precision: str, device: torch.device
) -> NextEventLSTM:
    """The network on a device, ready to score. Raises TrainingError, ValueError.

    The one given stays as it is, but for where it is.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is none of {', '.join(PRECISIONS)}")
    network = network.to(device).eval()
    if precision == INT8 and device.type == "cpu":
        return _int8(network)
    if precision in HALVES and device.type == "cuda":
        # torch keeps weights in one piece for cuDNN, only not those in bf16, and says
        # at each call that it could be faster: by a tenth, measured on an H200.
        warnings.filterwarnings("ignore", message="RNN module weights are not part")
        return copy.deepcopy(network).to(HALVES[precision])
    return network


def prune(network: NextEventLSTM, share: float) -> None:
    """Sets the smallest weights of each matrix to 0: so large a share, 0 to 1.

    In place. Embeddings and biases stay. Source: magnitude pruning (Han et al. 2015).
    """
    if not 0 <= share < 1:
        raise TrainingError(f"prune {share:g}: give a share from 0 to below 1")
    with torch.no_grad():
        for name, weights in network.named_parameters():
            count = int(share * weights.numel())
            if weights.dim() == 2 and count and not name.startswith("embed"):
                smallest = weights.abs().flatten().argsort()[:count]
                weights.view(-1)[smallest] = 0.0


def _int8(network: NextEventLSTM) -> NextEventLSTM:
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        raise TrainingError(
            "int8: this build of torch has no 8-bit arithmetic for this processor; "
            "train without --quantize"
        )
    small = copy.copy(network)
    small._modules = dict(network._modules)
    with warnings.catch_warnings():
        # torch means to move this out of its core one day.
        warnings.filterwarnings("ignore", message=".*quantize", category=UserWarning)
        small.lstm = _Int8LSTM(network.lstm)  # type: ignore[assignment]
        small.next_event = _Int8Linear(network.next_event)  # type: ignore[assignment]
    return small


class _Int8Linear(nn.Module):
    """A linear layer with 8-bit weights."""

    def __init__(self, full: nn.Linear) -> None:
        super().__init__()
        self.packed = _packed(full.weight, full.bias)

    def forward(self, values: Tensor) -> Tensor:
        """values (…, H) → (…, V)."""
        result: Tensor = torch.ops.quantized.linear_dynamic(values, self.packed)
        return result


class _Int8LSTM(nn.Module):
    """An LSTM with 8-bit weights; batch first."""

    def __init__(self, full: nn.LSTM) -> None:
        super().__init__()
        self.layers, self.size = full.num_layers, full.hidden_size
        self.cells = [_cell(full, layer) for layer in range(full.num_layers)]

    def forward(
        self, values: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """values (B, T, E) → hidden (B, T, H), state."""
        if state is None:
            none = values.new_zeros(self.layers, len(values), self.size)
            state = none, none
        hidden, last, cell = torch.quantized_lstm(
            values,
            state,
            self.cells,
            True,  # biases
            self.layers,
            0.0,  # dropout
            False,  # training
            False,  # bidirectional
            True,  # batch first
            dtype=torch.qint8,
            use_dynamic=True,
        )
        return hidden, (last, cell)


def _cell(full: nn.LSTM, layer: int) -> Any:
    weights = {
        name: getattr(full, f"{name}_l{layer}").detach()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    return torch.ops.quantized.make_quantized_cell_params_dynamic(
        _packed(weights["weight_ih"], weights["bias_ih"]),
        _packed(weights["weight_hh"], weights["bias_hh"]),
        weights["bias_ih"],
        weights["bias_hh"],
        True,  # one bit of activations less: older processors overflow else
    )


def _packed(weights: Tensor, bias: Tensor) -> Any:
    full = weights.detach()
    scale = float(full.abs().max()) / 127 or 1.0
    small = torch.quantize_per_tensor(full, scale, 0, torch.qint8)
    return torch.ops.quantized.linear_prepack(small, bias.detach())
