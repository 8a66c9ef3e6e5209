"""Support and distance: what survives training logs that nobody cleaned.

Two views of a session, each a ratio that is 1 at its own threshold:

*novelty*: its order. Repeats are collapsed, start and end added; a pattern (1, 2 or
3 templates in a row) that few training sessions hold adds `ln(bound / (support+½))`,
the bound being 2 % of the training sessions. Anomalies bring several rare patterns
together, a rare normal flow brings one or two. Longer patterns are admitted only if
they flag at most 2 % more of the training sessions: interleaved logs would drown.
Where those of two pass and those of three do not (steps in any order, each with the
same line after it), the bound of three is halved until they flag at most 0.5 % more:
what next to none has done still counts.

*distance*: its counts. Bray-Curtis distance to the training session that is not
nearer than the rarest 2 %: an anomaly that came a few times is no excuse for the next.
Or far more of one template than sessions with it have (amounts.py).

Support on the training sessions themselves is leave-one-out, so that the same rule
cleans the training set. What comes too often for that is set aside first (cleaning.py).
Counts that people called normal in two sessions or more are known: they are near, and
their templates are not rare; an order that was never seen still is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.detectors.amounts import far_amounts, farthest_amount, usual_amounts
from model.detectors.cleaning import (
    CUT_DISTANCE,
    CUT_SHARE,
    made_of_common,
    troubled,
)
from model.detectors.count_table import CountTable
from model.detectors.ngrams import Pattern, patterns
from model.detectors.protocol import Flags, Floats
from model.detectors.unseen import counts_digest
from model.events import EncodedSession, distinct

Bounds = Mapping[int, float]
RARE_SHARE = 0.02
MIN_RARE = 1.5
ADMIT_SHARE = 0.02
LESS_SHARE = 0.005
KNOWN_TWICE = 2
MAX_PATTERNS = 200_000
FENCE_QUANTILE = 0.98
FENCE_FACTOR = 3.0
MIN_FENCE = 1 / 3


@dataclass(frozen=True, slots=True)
class SupportParts:
    """The two views of N sessions; each (N,), 1 at its own threshold."""

    novelty: Floats
    distance: Floats


class SupportDistance:
    """Novelty of order and distance of counts; no network, no labels."""

    name = "support and distance"

    def __init__(self, rare_share: float = RARE_SHARE) -> None:
        """`rare_share`: what fewer of the training sessions have is rare."""
        self._rare_share = rare_share
        self.threshold = 1.0
        self.rare = MIN_RARE
        self.bounds: Bounds = {1: MIN_RARE}
        self.clean: Flags = np.zeros(0, dtype=bool)
        self.fence = MIN_FENCE
        self._support: dict[Pattern, int] = {}
        self._known: dict[str, int] = {}
        self._table = CountTable.of(())
        self._usual: dict[int, int] = {}

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of the patterns that are looked at."""
        return tuple(self.bounds)

    def fit(
        self,
        sessions: Sequence[EncodedSession],
        errors: Collection[int] = (),
        trusted: Flags | None = None,
    ) -> None:
        """Learns supports, then distances; says which sessions are `clean` (N,).

        `errors` are event ids of error severity. `trusted` (N,) sessions are known to
        be normal: they stay, whatever they look like.
        """
        known = np.zeros(len(sessions), bool) if trusted is None else trusted
        self._known = {}
        aside = (troubled(sessions, errors) | self._cut_short(sessions)) & ~known
        if aside.all():
            aside[:] = False
        self.clean = known.copy()
        self.clean[~aside] |= self._learn(
            [s for s, out in zip(sessions, aside, strict=True) if not out]
        )
        self._known = Counter(
            counts_digest(s) for s, sure in zip(sessions, known, strict=True) if sure
        )

    def _learn(self, sessions: Sequence[EncodedSession]) -> Flags:
        """Counts supports and distances; → which of the sessions (N,) are usual."""
        self.rare = max(self._rare_share * len(sessions), MIN_RARE)
        support: Counter[Pattern] = Counter()
        for session, times in Counter(sessions).items():
            for pattern in set(patterns(session, (1, 2, 3))):
                support[pattern] += times
        self._support = dict(support)
        self.bounds, flagged = self._admit(sessions)
        kept = [s for s, odd in zip(sessions, flagged, strict=True) if not odd]
        self._fit_distance(kept or list(sessions))
        near = self.parts(sessions, left_out=1).distance <= 1
        self._support = {
            pattern: count
            for pattern, count in support.most_common(MAX_PATTERNS)
            if len(pattern) in self.lengths
        }
        usual: Flags = ~flagged & near
        return usual

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """The larger of the two views. sessions (N) → (N,)."""
        parts = self.parts(sessions)
        return np.maximum(parts.novelty, parts.distance)

    def parts(
        self, sessions: Sequence[EncodedSession], left_out: int = 0
    ) -> SupportParts:
        """Both views. A unit with an open bound has no distance: counts may grow.

        `left_out` = 1 for sessions that were fitted on: they do not support themselves.
        """
        own, places = distinct(sessions)
        novelty = np.array([self._novelty(s, self.bounds, left_out) for s in own])
        distance = np.zeros(len(own))
        whole = [i for i, s in enumerate(own) if s.starts and s.ends]
        if whole and len(self._table):
            far = self._table.kth_distances(
                [own[i] for i in whole], self._k() + left_out
            )
            most = [farthest_amount(own[i], self._usual) for i in whole]
            distance[whole] = np.maximum(far / self.fence, most)
            known = [i for i in whole if self.is_known(own[i], left_out)]
            distance[known] = 0.0
        return SupportParts(novelty.astype(np.float64)[places], distance[places])

    def nearest_counts(self, session: EncodedSession) -> dict[int, float]:
        """Counts of the normal session nearest to this one, by event id."""
        if not len(self._table):
            return {}
        ((_, (distances,)),) = self._table.distances([session])
        return self._table.counts(int(np.lexsort((-self._table.weights, distances))[0]))

    def far_amounts(self, session: EncodedSession) -> tuple[int, ...]:
        """The event ids that come far more often than sessions with them have, the
        farthest first; none of a unit with an open bound."""
        if not (session.starts and session.ends):
            return ()
        return far_amounts(session, self._usual)

    def usual_sets(self) -> Counter[frozenset[int]]:
        """Which templates usual sessions hold together, and how many do."""
        found: Counter[frozenset[int]] = Counter()
        for place, times in enumerate(self._table.weights.tolist()):
            found[frozenset(self._table.counts(place))] += times
        return found

    def support(self, event_id: int) -> int:
        """In how many training sessions an event id occurs."""
        return self._support.get((event_id,), 0)

    def rare_among(
        self,
        session: EncodedSession,
        bounds: Bounds | None = None,
        left_out: int = 0,
    ) -> set[Pattern]:
        """The patterns of a session that few training sessions hold.

        `bounds`: below how many a pattern is rare, by its length; those admitted.
        """
        support, bounds = self._support, bounds or self.bounds
        return {
            pattern
            for pattern in patterns(session, tuple(bounds))
            if support.get(pattern, 0) < bounds[len(pattern)] + left_out
        }

    def novelty_of(
        self,
        rare: Collection[Pattern],
        known: bool,
        left_out: int = 0,
        bounds: Bounds | None = None,
    ) -> float:
        """Sum over distinct rare patterns; past 1 at once for a rare template.

        `known`: people called a session of these counts normal; its templates are no
        news then, and its order only where nobody else has it.
        """
        bounds = bounds or self.bounds
        total, rare_template = 0.0, False
        for pattern in rare:
            support = max(0, self._support.get(pattern, 0) - left_out)
            single = len(pattern) == 1
            bound = MIN_RARE if known else bounds[len(pattern)]
            if support >= bound or (known and single):
                continue
            total += max(0.0, math.log(bound / (support + 0.5)))
            rare_template = rare_template or single
        return total + 1.0 + 1e-6 if rare_template else total

    def rare_patterns(
        self, session: EncodedSession, left_out: int = 0
    ) -> list[tuple[Pattern, int]]:
        """Patterns that few training sessions hold, with how many, the rarest first.

        Of equally rare ones the shortest: a rare template makes all around it rare.
        """
        rare = [
            (pattern, max(0, self._support.get(pattern, 0) - left_out))
            for pattern in self.rare_among(session, left_out=left_out)
        ]
        return sorted(rare, key=lambda pair: (pair[1], len(pair[0]), pair[0]))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """All that `from_state` needs: JSON values, arrays."""
        meta = {
            "rare": self.rare,
            "lengths": list(self.lengths),
            "bounds": list(self.bounds.values()),
            "fence": self.fence,
            "usual": [[event, most] for event, most in self._usual.items()],
            "known": dict(sorted(self._known.items())),
            "support": [[list(p), n] for p, n in sorted(self._support.items())],
        }
        return meta, self._table.state()

    @classmethod
    def from_state(
        cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> SupportDistance:
        """A fitted detector as `state` described it."""
        detector = cls()
        detector.rare = float(meta["rare"])
        lengths = [int(n) for n in meta["lengths"]]
        bounds = meta.get("bounds", [detector.rare] * len(lengths))
        detector.bounds = dict(zip(lengths, map(float, bounds), strict=True))
        detector._usual = {int(e): int(n) for e, n in meta.get("usual", [])}
        detector.fence = float(meta["fence"])
        detector._known = {str(k): int(n) for k, n in meta.get("known", {}).items()}
        detector._support = {tuple(p): int(n) for p, n in meta["support"]}
        detector._table = CountTable.from_state(arrays)
        return detector

    def _admit(self, sessions: Sequence[EncodedSession]) -> tuple[Bounds, Flags]:
        """The bounds of the lengths that are admitted, and what they flag (N,)."""
        bounds: Bounds = {1: self.rare}
        flagged = self._flag(sessions, bounds)
        for length in (2, 3):
            wider = {**bounds, length: self.rare}
            odd = self._flag(sessions, wider)
            if odd.mean() - flagged.mean() > ADMIT_SHARE:
                if length > 2:
                    return self._lowered(sessions, bounds, flagged, length)
                break
            bounds, flagged = wider, odd
        return bounds, flagged

    def _lowered(
        self,
        sessions: Sequence[EncodedSession],
        bounds: Bounds,
        flagged: Flags,
        length: int,
    ) -> tuple[Bounds, Flags]:
        """With patterns of a length at the largest bound that flags few more; without
        where there is none. The bound is halved, so that few have to be tried."""
        found = bounds, flagged
        first, last = 1, math.floor(math.log2(self.rare / MIN_RARE))
        while first <= last:
            halved = (first + last) // 2
            wider = {**bounds, length: self.rare / 2**halved}
            odd = self._flag(sessions, wider)
            if odd.mean() - flagged.mean() <= LESS_SHARE:
                found, last = (wider, odd), halved - 1
            else:
                first = halved + 1
        return found

    def _flag(self, sessions: Sequence[EncodedSession], bounds: Bounds) -> Flags:
        own, places = distinct(sessions)
        odd: Flags = np.array([self._novelty(s, bounds, 1) > 1 for s in own])[places]
        return odd

    def _novelty(self, session: EncodedSession, bounds: Bounds, left_out: int) -> float:
        rare = self.rare_among(session, bounds, left_out)
        known = self.is_known(session, left_out)
        return self.novelty_of(rare, known, left_out, bounds)

    def is_known(self, session: EncodedSession, left_out: int = 0) -> bool:
        """Whether people called these very counts normal, more than once."""
        if not self._known:
            return False
        return self._known.get(counts_digest(session), 0) >= KNOWN_TWICE + left_out

    def _cut_short(self, sessions: Sequence[EncodedSession]) -> Flags:
        """Which sessions (N,) are a small part of what nearly all others are."""
        cut = np.zeros(len(sessions), dtype=bool)
        places = np.flatnonzero(made_of_common(sessions))
        if len(places):
            self._fit_distance(sessions)
            own, which = distinct([sessions[int(i)] for i in places])
            k = max(1, round(CUT_SHARE * len(sessions))) + 1
            cut[places] = (self._table.kth_distances(own, k) > CUT_DISTANCE)[which]
        return cut

    def _fit_distance(self, sessions: Sequence[EncodedSession]) -> None:
        self._table = CountTable.of(sessions)
        pages = self._table.own_distances()
        own = np.concatenate([self._table.kth(page, self._k() + 1) for page in pages])
        typical = np.quantile(np.repeat(own, self._table.weights), FENCE_QUANTILE)
        self.fence = float(min(max(MIN_FENCE, FENCE_FACTOR * typical), 1.0))
        self._usual = usual_amounts(sessions)

    def _k(self) -> int:
        return max(1, math.ceil(self.rare - 0.5))
