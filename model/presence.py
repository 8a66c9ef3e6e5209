"""Normal or which kind, by which templates a session holds: a weight a template.

    templates of a session (V) ─▶ weights of each kind (K + 1) ─▶ chances
                                                              └─▶ score, kind, lines

It decides where so few sessions are normal, and so unlike each other, that no threshold
can be set on them, and labels tell every session (presence_choice.py). The score is the
odds of the likeliest kind of trouble against *normal*, so 1 is the threshold. A session
with a larger share of lines that no labelled session had than any labelled one had
beside the others is strange to it: anomalous, and of no known kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.kinds import Kind

MOST_LOG_ODDS = 10.0
SHOWN_LINES = 3


@dataclass(frozen=True, slots=True)
class PresenceHead:
    """Weights (K + 1, V) and bias (K + 1) of *normal*, then of the kinds (K).

    columns (V) are event ids. `strange`: the largest share of lines of no column that
    is still like the labelled sessions.
    """

    kinds: tuple[str, ...]
    columns: tuple[int, ...]
    weights: Floats
    bias: Floats
    strange: float

    def logits(self, sessions: Sequence[EncodedSession]) -> Floats:
        """Of normal, then of each kind. sessions (N) → (N, K + 1)."""
        found: Floats = presence(sessions, self.columns) @ self.weights.T + self.bias
        return found

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """Past 1 is anomalous. sessions (N) → (N,)."""
        odds = odds_of(self.logits(sessions))
        shares = unknown_shares(sessions, self.columns)
        return np.where(shares > self.strange, np.maximum(odds, 1.0) + shares, odds)

    def kinds_of(self, sessions: Sequence[EncodedSession]) -> list[Kind]:
        """The kind of each session (N) that is known to be anomalous."""
        found = self.logits(sessions)[:, 1:]
        chances = np.exp(found - found.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        strange = unknown_shares(sessions, self.columns) > self.strange
        return [
            Kind(None, float(1 - row.max()))
            if odd
            else Kind(self.kinds[int(row.argmax())], float(row.max()))
            for row, odd in zip(chances, strange, strict=True)
        ]

    def lines(self, session: EncodedSession) -> list[int]:
        """Positions of the first lines that speak most for its kind of trouble."""
        rows = presence([session], self.columns)
        best = 1 + int(self.logits([session])[0, 1:].argmax())
        gains = rows[0] * (self.weights[best] - self.weights[0])
        order = [i for i in np.argsort(-gains, kind="stable") if gains[i] > 0]
        return [session.ids.index(self.columns[i]) for i in order[:SHOWN_LINES]]

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """JSON values and arrays that `from_state` needs."""
        meta = {
            "kinds": list(self.kinds),
            "columns": list(self.columns),
            "strange": self.strange,
        }
        return meta, {"weights": self.weights, "bias": self.bias}

    @classmethod
    def from_state(
        cls,
        meta: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        vocabulary: int,
    ) -> PresenceHead:
        """The head that `state` described. Raises ValueError for one that cannot be."""
        kinds = tuple(str(kind) for kind in meta["kinds"])
        columns = tuple(int(event) for event in meta["columns"])
        weights = np.asarray(arrays["weights"], dtype=np.float64)
        bias = np.asarray(arrays["bias"], dtype=np.float64)
        strange = float(meta["strange"])
        fits = weights.shape == (len(kinds) + 1, len(columns)) and kinds
        if not fits or bias.shape != (len(kinds) + 1,):
            raise ValueError("weights, kinds and columns differ in size")
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise ValueError("a weight is no number")
        if len(set(columns)) < len(columns) or not 0 <= strange <= 1:
            raise ValueError("a column comes twice, or the share is none")
        if any(not 0 <= event < vocabulary for event in columns):
            raise ValueError("a column is of no template")
        return cls(kinds, columns, weights, bias, strange)


def presence(sessions: Sequence[EncodedSession], columns: Sequence[int]) -> Floats:
    """1 where a session holds a template. sessions (N), columns (V) → (N, V)."""
    place = {event: column for column, event in enumerate(columns)}
    rows = np.zeros((len(sessions), len(columns)))
    for row, session in zip(rows, sessions, strict=True):
        row[[place[event] for event in set(session.ids) if event in place]] = 1.0
    return rows


def unknown_shares(
    sessions: Sequence[EncodedSession], columns: Sequence[int]
) -> Floats:
    """The share of a session's lines that are of no column. sessions (N) → (N,)."""
    known = set(columns)
    return np.array(
        [
            sum(n for event, n in Counter(s.ids).items() if event not in known)
            / max(len(s.ids), 1)
            for s in sessions
        ]
    )


def odds_of(logits: Floats) -> Floats:
    """The likeliest kind of trouble against normal. logits (N, K + 1) → (N,)."""
    gap = logits[:, 1:].max(axis=1) - logits[:, 0]
    odds: Floats = np.exp(np.clip(gap, -MOST_LOG_ODDS, MOST_LOG_ODDS))
    return odds
