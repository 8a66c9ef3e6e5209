"""LSTM next event: DeepLog's network (Du et al. 2017), ids embedded."""

from __future__ import annotations

from model.detectors.next_event import NextEventDetector
from model.network import NextEvent, NextEventLSTM


class NextEventLstm(NextEventDetector):
    """Stage 1 of elkwatch alone: no counts, no patterns, no cleaning."""

    name = "lstm"

    def _build(self) -> NextEvent:
        return NextEventLSTM(self._config())
