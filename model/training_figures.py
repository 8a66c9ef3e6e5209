"""What a training says about itself, as plain JSON: the figures of `figures.json`.

Numbers, names of kinds and event ids only, never a word of the logs: a session is
named by its place among those that were given, a template by its event id. Equal
seeds give equal figures on CPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from model.best_epoch import History
from model.class_discovery import ClassSet
from model.detectors.protocol import Floats
from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.labels import ANOMALOUS, NORMAL
from model.network import NextEventLSTM
from model.scoring import Calibration, views
from model.surprise import highest_surprises, surprises
from model.vocabulary import RESERVED, UNK, Vocabulary

MAX_SCORES = 1000
MAX_CLEANED = 200
MAX_JUDGED = 2000
UNKNOWN = "unknown kind"
_DIGITS = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Learned:
    """What the figures are made of: the sessions by their part, and what they taught.

    `span`: first and last event of the pool. `places` (N) of its sessions among those
    given; `aside` (N) those that the split kept from the network, unusual ones among
    them.
    """

    span: tuple[datetime, datetime]
    pool: Sequence[EncodedSession]
    places: NDArray[np.int64]
    aside: NDArray[np.bool_]
    suspects: Sequence[EncodedSession]
    suspects_in_pool: bool
    taught: Sequence[EncodedSession]
    taught_kinds: Sequence[str]
    suspected: Sequence[EncodedSession]
    support: SupportDistance
    vocabulary: Vocabulary
    network: NextEventLSTM
    calibration: Calibration
    history: History
    found: ClassSet
    overflow: int
    device: torch.device


def training_figures(learned: Learned) -> dict[str, Any]:
    """All figures of one training."""
    support, found = learned.support, learned.found
    return {
        "sessions": len(learned.pool),
        "events": sum(len(s.ids) for s in learned.pool),
        "taught_sessions": len(learned.taught),
        "templates": len(learned.vocabulary.texts),
        "cleaned_out": int((~support.clean).sum()),
        "pattern_lengths": list(support.lengths),
        "suspects": len(learned.suspects),
        "epochs": [asdict(epoch) for epoch in learned.history.epochs],
        "best_epoch": learned.history.best,
        "class_epochs": [asdict(epoch) for epoch in found.history.epochs],
        "class_best_epoch": found.history.best,
        "troubles": [*learned.history.troubles, *found.history.troubles],
        "clustering": [asdict(trial) for trial in found.trials],
        "classes": len(found.classes),
        "class_map": asdict(found.map),
        "span": {
            "from": learned.span[0].isoformat(),
            "to": learned.span[1].isoformat(),
        },
        "likeness": _likeness(learned.pool),
        "scores": _scores(learned),
        "cleaned": _cleaned(learned),
        "unseen": _unseen(learned),
        "labelled": _labelled(learned),
        "confusion": _confusion(learned),
    }


def _likeness(pool: Sequence[EncodedSession]) -> dict[str, float]:
    """How many different sessions there are, and how long they are in events."""
    counts = Counter(pool)
    lengths = [len(s.ids) for s in pool]
    return {
        "different_sessions": len(counts),
        "commonest": counts.most_common(1)[0][1],
        "shortest_events": min(lengths),
        "median_events": float(np.median(lengths)),
        "longest_events": max(lengths),
    }


def _scores(learned: Learned) -> dict[str, Any]:
    """Scores by group of sessions. Those of the pool do not support themselves."""
    clean = learned.support.clean
    groups = {
        "held_out": _chosen(learned.pool, learned.aside & clean),
        "held_out_unusual": _chosen(learned.pool, learned.aside & ~clean),
        "cleaned_out": _chosen(learned.pool, ~clean),
    }
    threshold = learned.calibration.threshold
    result: dict[str, Any] = {"threshold": threshold}
    for name, sessions in groups.items():
        judged = _spaced(sessions, MAX_JUDGED) if name != "held_out" else sessions
        scores = _score(learned, judged, 1)
        result[name] = group_of(len(sessions), scores, threshold)
    total, scores = len(learned.suspects), _deviant_scores(learned)
    result["deviants"] = group_of(total, scores, threshold)
    return result


def group_of(sessions: int, scores: Floats, threshold: float) -> dict[str, Any]:
    """The scores (N,) of a group of so many sessions."""
    return {
        "sessions": sessions,
        "judged": len(scores),
        "flagged": int((scores > threshold).sum()),
        "values": _sample_of(scores),
    }


def _deviant_scores(learned: Learned) -> Floats:
    """Those that labels call anomalous come last, and never were in the pool."""
    own = len(learned.suspects) - len(learned.suspected)
    judged = _spaced(list(enumerate(learned.suspects)), MAX_JUDGED)
    found = [s for place, s in judged if place < own]
    told = [s for place, s in judged if place >= own]
    scores = _score(learned, found, int(learned.suspects_in_pool))
    return np.concatenate([scores, _score(learned, told, 0)])


def _score(
    learned: Learned, sessions: Sequence[EncodedSession], left_out: int
) -> Floats:
    """The scores of sessions (N) → (N,)."""
    if not sessions:
        return np.zeros(0)
    highest = highest_surprises(learned.network, sessions, learned.device)
    fence, threshold = learned.calibration.surprise_fence, learned.calibration.threshold
    seen = views(learned.support, highest, sessions, fence, left_out)
    return seen.joined(threshold)


def _sample_of(scores: Floats) -> list[float]:
    """Sorted; the quantiles of more than MAX_SCORES."""
    ordered = np.sort(scores)
    if len(ordered) > MAX_SCORES:
        ordered = np.quantile(ordered, np.linspace(0, 1, MAX_SCORES))
    return [round(float(score), _DIGITS) for score in ordered]


def _cleaned(learned: Learned) -> list[dict[str, Any]]:
    """The sessions left out, the most unusual first, with what is unusual in them."""
    places = [int(i) for i in np.flatnonzero(~learned.support.clean)]
    parts = learned.support.parts([learned.pool[i] for i in places], left_out=1)
    order = np.argsort(-np.maximum(parts.novelty, parts.distance), kind="stable")
    return [
        {
            "place": int(learned.places[places[row]]),
            "novelty": round(float(parts.novelty[row]), _DIGITS),
            "distance": round(float(parts.distance[row]), _DIGITS),
            **_reason(learned, learned.pool[places[row]], float(parts.novelty[row])),
        }
        for row in order[:MAX_CLEANED]
    ]


def _reason(
    learned: Learned, session: EncodedSession, novelty: float
) -> dict[str, Any]:
    """Why a session was left out, and the event ids that it is about.

    `others` is how many other sessions hold the rarest of it.
    """
    if novelty > 1 and (rare := learned.support.rare_patterns(session, left_out=1)):
        pattern, others = rare[0]
        if len(pattern) > 1:
            return {"reason": "rare-order", "about": list(pattern), "others": others}
        about = [p[0] for p, _ in rare if len(p) == 1]
        return {"reason": "rare-template", "about": about[:5], "others": others}
    near = learned.support.nearest_counts(session)
    own = Counter(session.ids)
    gaps = {e: abs(own[e] - near.get(e, 0.0)) for e in {*own, *near}}
    about = sorted((e for e in gaps if gaps[e]), key=lambda e: (-gaps[e], e))
    return {"reason": "far-counts", "about": about[:3], "others": None}


def _unseen(learned: Learned) -> dict[str, Any]:
    """How new the held-out part would be to a model of the other part alone.

    The miner reads all logs, so no line of the training is unknown to the model; this
    says what to expect of lines that come next.
    """
    known = {e for s in _chosen(learned.pool, ~learned.aside) for e in s.ids}
    aside = _chosen(learned.pool, learned.aside)
    events = Counter(e for s in aside for e in s.ids)
    strange = {e for e in events if e not in known or e == UNK}
    holding = Counter(e for s in learned.pool for e in set(s.ids))
    size = len(learned.vocabulary.texts)
    own = [holding[e] for e in range(RESERVED, RESERVED + size)]
    single = {e for e in holding if holding[e] == 1}
    return {
        "held_out_events": events.total(),
        "unknown_events": sum(events[e] for e in strange),
        "held_out_sessions": len(aside),
        "sessions_with_unknown": sum(not strange.isdisjoint(s.ids) for s in aside),
        "session_counts": own,
        "single_templates": len(single),
        "sessions_with_single": sum(not single.isdisjoint(s.ids) for s in learned.pool),
        "rare_below": learned.support.rare,
        "overflow": learned.overflow,
    }


def _labelled(learned: Learned) -> list[dict[str, Any]]:
    """Each labelled kind: detected among all its sessions, told right among those
    that were held out of stage 4. None of them taught what is normal."""
    threshold = learned.calibration.threshold
    groups: dict[str, list[EncodedSession]] = {}
    for session, kind in zip(learned.taught, learned.taught_kinds, strict=True):
        groups.setdefault(kind, []).append(session)
    if learned.suspected:
        groups[ANOMALOUS] = list(learned.suspected)
    rows = []
    for kind, sessions in sorted(groups.items()):
        judged = _spaced(sessions, MAX_JUDGED)
        held_out = [h for h in learned.found.held_out if h.kind == kind]
        flags = _score(learned, [h.session for h in held_out], 0) > threshold
        rows.append(
            {
                "kind": kind,
                "sessions": len(sessions),
                "judged": len(judged),
                "detected": int((_score(learned, judged, 0) > threshold).sum()),
                "held_out": len(held_out),
                "right": sum(
                    bool(flag) and h.given == kind
                    for h, flag in zip(held_out, flags, strict=True)
                ),
            }
        )
    return rows


def _confusion(learned: Learned) -> dict[str, Any] | None:
    """Held-out sessions: what they are (rows) by what they are called (columns).

    None without kinds to hold it against. Rows begin with *normal*: sessions that the
    network did not learn from, taken as normal.
    """
    held_out, kinds = learned.found.held_out, learned.found.kinds
    if not held_out or kinds is None:
        return None
    threshold = learned.calibration.threshold
    table: dict[str, Counter[str]] = {NORMAL: Counter()}
    flags = _score(learned, [h.session for h in held_out], 0) > threshold
    for one, flag in zip(held_out, flags, strict=True):
        called = (one.given or UNKNOWN) if flag else NORMAL
        table.setdefault(one.kind, Counter())[called] += 1
    normal = _chosen(learned.pool, learned.aside & learned.support.clean)
    odd = _chosen(normal, _score(learned, normal, 1) > threshold)
    table[NORMAL][NORMAL] = len(normal) - len(odd)
    found = surprises(learned.network, odd, learned.device)
    for kind in kinds.kinds(odd, found, learned.device):
        table[NORMAL][kind.class_id or UNKNOWN] += 1
    return table_of(table, kinds.classes)


def table_of(
    counts: Mapping[str, Mapping[str, int]], classes: Sequence[str]
) -> dict[str, Any]:
    """What sessions are (rows) by what they are called (columns)."""
    used = {called for row in counts.values() for called in row}
    columns = [c for c in (NORMAL, *classes, UNKNOWN) if c in used or c in counts]
    return {
        "columns": columns,
        "rows": [
            {"kind": kind, "counts": [counts[kind].get(c, 0) for c in columns]}
            for kind in (NORMAL, *classes)
            if kind in counts
        ],
    }


def _chosen(
    sessions: Sequence[EncodedSession], mask: NDArray[np.bool_]
) -> list[EncodedSession]:
    return [s for s, yes in zip(sessions, mask, strict=True) if yes]


def _spaced(sessions: Sequence[T], most: int) -> list[T]:
    """At most so many of them, evenly spread."""
    places = np.linspace(0, len(sessions) - 1, min(len(sessions), most)).astype(int)
    return [sessions[place] for place in places]
