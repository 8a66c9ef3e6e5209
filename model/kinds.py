"""Stage 4 at work: the kind of an anomalous session, or that it fits none.

The class network gives the likeliest kind; *known* is decided apart, by the distance
to that kind's exemplars: a network always likes one of its classes best, also where
the truth is something it was never shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.events import EncodedSession
from model.features import FeatureSpace, Matrix, deep_features, deviation
from model.network import EnhancedNetwork
from model.out_of_memory import in_parts
from model.surprise import Surprise
from model.vocabulary import BOS, EOS, PAD

WINDOW = 20
AFTER = 5
EXEMPLARS = 32
MIN_RADIUS = 0.1
MAX_RADIUS = 0.3
RADIUS_MARGIN = 1.5
BATCH = 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """What stage 4 says of one session. `class_id` is None where it fits none."""

    class_id: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class KindModel:
    """The class network with what turns its output into kinds.

    classes (C) without *normal*, which is the network's class 0. exemplars (E, D) are
    deviation vectors, owners (E) their class, radii (C) how far a member may be.
    """

    network: EnhancedNetwork
    classes: tuple[str, ...]
    space: FeatureSpace
    temperature: float
    exemplars: Matrix
    owners: NDArray[np.int64]
    radii: Matrix

    def kinds(
        self,
        sessions: Sequence[EncodedSession],
        surprises: Sequence[Surprise],
        device: torch.device,
    ) -> list[Kind]:
        """The kind of each session (N) that is known to be anomalous."""
        if not sessions:
            return []
        chances = self._chances(sessions, surprises, device)  # (N, C)
        rows = deviation(sessions, surprises, self.space.columns)
        fits = near_enough(rows, self.exemplars, self.owners, self.radii)  # (N, C)
        return [
            self._decide(chance, fit) for chance, fit in zip(chances, fits, strict=True)
        ]

    def _decide(self, chances: Matrix, fits: NDArray[np.bool_]) -> Kind:
        """The likeliest among the classes whose exemplars are near enough."""
        if not fits.any():
            return Kind(None, float(1 - chances.max(initial=0.0)))
        best = int(np.argmax(np.where(fits, chances, -1.0)))
        return Kind(self.classes[best], float(chances[best]))

    def _chances(
        self,
        sessions: Sequence[EncodedSession],
        surprises: Sequence[Surprise],
        device: torch.device,
    ) -> Matrix:
        features = deep_features(sessions, surprises, self.space.columns)
        scaled = torch.from_numpy(self.space.scaled(features))
        windows = window_ids(sessions, surprises)
        self.network.eval()

        def rows(places: Sequence[int]) -> list[Matrix]:
            part = slice(places[0], places[-1] + 1)
            out = self.network(windows[part].to(device), scaled[part].to(device))
            logits = out.class_logits[:, 1:] / self.temperature  # (n, C)
            return list(logits.softmax(dim=1).cpu().numpy())

        found: list[Matrix] = []
        with torch.inference_mode():
            for at in range(0, len(sessions), BATCH):
                found += in_parts(rows, range(at, min(at + BATCH, len(sessions))))
        return np.stack(found)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """JSON values and arrays of all but the network's weights."""
        space, scaling = self.space.state()
        meta = {
            "classes": list(self.classes),
            "temperature": self.temperature,
            "space": space,
        }
        arrays: dict[str, NDArray[Any]] = {
            **{f"space.{name}": array for name, array in scaling.items()},
            "exemplars": self.exemplars,
            "owners": self.owners,
            "radii": self.radii,
        }
        return meta, arrays

    @classmethod
    def from_state(
        cls,
        network: EnhancedNetwork,
        meta: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
    ) -> KindModel:
        """A kind model as `state` described it, with its network."""
        space = FeatureSpace.from_state(
            meta["space"],
            {"mean": arrays["space.mean"], "scale": arrays["space.scale"]},
        )
        return cls(
            network,
            tuple(str(c) for c in meta["classes"]),
            space,
            float(meta["temperature"]),
            np.asarray(arrays["exemplars"], dtype=np.float32),
            np.asarray(arrays["owners"], dtype=np.int64),
            np.asarray(arrays["radii"], dtype=np.float32),
        )


def near_enough(
    rows: Matrix, exemplars: Matrix, owners: NDArray[np.int64], radii: Matrix
) -> NDArray[np.bool_]:
    """Which classes each row may belong to: (N, D) → (N, C).

    A row that is near no exemplar of any class is of an unknown kind.
    """
    distances = 1.0 - rows @ exemplars.T  # (N, E)
    near = np.full((len(rows), len(radii)), 2.0, dtype=np.float32)
    for index in range(len(radii)):
        near[:, index] = distances[:, owners == index].min(axis=1)
    fits: NDArray[np.bool_] = near <= radii
    return fits


def choose_exemplars(
    rows: Matrix, labels: NDArray[np.int64], classes: int
) -> tuple[Matrix, NDArray[np.int64], Matrix]:
    """Members that stand for each class, and how far members are from one another.

    rows (N, D) unit vectors, labels (N) → exemplars (E, D), owners (E), radii (C).
    Exemplars are spread out: each next one is the member farthest from those chosen.
    """
    chosen, owners = [], []
    radii = np.zeros(classes, dtype=np.float32)
    for index in range(classes):
        members = rows[labels == index]
        picks = _spread(members, EXEMPLARS)
        chosen.append(members[picks])
        owners.append(np.full(len(picks), index, dtype=np.int64))
        radius = RADIUS_MARGIN * _looseness(members)
        radii[index] = min(max(MIN_RADIUS, radius), MAX_RADIUS)
    return np.concatenate(chosen), np.concatenate(owners), radii


def _spread(members: Matrix, count: int) -> list[int]:
    centre = members.mean(axis=0)
    picks = [int(np.argmax(members @ centre))]
    nearest = 1.0 - members @ members[picks[0]]
    while len(picks) < min(count, len(members)) and nearest.max() > 1e-4:
        picks.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, 1.0 - members @ members[picks[-1]])
    return picks


def _looseness(members: Matrix) -> float:
    """The 95 % quantile of each member's distance to its nearest other member."""
    if len(members) < 2:
        return 0.0
    sample = members[:1000]
    distances = 1.0 - sample @ sample.T
    np.fill_diagonal(distances, 2.0)
    return float(np.quantile(np.maximum(distances.min(axis=1), 0.0), 0.95))


def window_ids(
    sessions: Sequence[EncodedSession], surprises: Sequence[Surprise]
) -> Tensor:
    """The WINDOW events around the most surprising one: (N, WINDOW), PAD at the end."""
    rows = torch.full((len(sessions), WINDOW), PAD, dtype=torch.long)
    for row, session, surprise in zip(rows, sessions, surprises, strict=True):
        ids = [BOS, *session.ids] if session.starts else list(session.ids)
        if session.ends:
            ids.append(EOS)
        worst = int(surprise.nats.argmax()) + (1 if session.starts else 0)
        last = min(len(ids), worst + 1 + AFTER)
        window = ids[max(0, last - WINDOW) : last]
        row[: len(window)] = torch.tensor(window, dtype=torch.long)
    return rows
