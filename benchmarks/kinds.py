"""Kinds of trouble against truth: figures of one seed, trivial baselines beside.

PostgreSQL: the network learns from `train`; a half of `test`, salted by the seed,
teaches or is looked through for kinds, the other half is scored. Nothing was scored
on sessions that taught it, but where all of `test` is looked through, without labels,
and told again. HDFS has no official kinds: what is compared with are *signatures* of
its anomalous blocks, made here of which templates are there that fewer than 1 % of the
normal blocks have, and which are missing that 95 % have; of that figure no more can be
said than that it agrees with them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction import DictVectorizer
from sklearn.metrics import adjusted_rand_score, f1_score, v_measure_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.quality_cases import Drawn, odd_sessions
from model import Classifier, Labels, Session, TrainedModel, Verdict
from model.clusters import Clustering, Method, find_clusters
from model.events import EncodedSession
from model.features import choose_columns, deviation, kind_rows
from model.kinds import choose_exemplars, near_enough
from model.labels import NORMAL
from model.surprise import surprises
from model.vocabulary import encode

CPU = torch.device("cpu")
METHODS: tuple[Method, ...] = ("auto", "birch", "agglomerative", "hdbscan")
BINS = 10
_NUMBERS = re.compile(r"\d+")
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, what a seed drew for it, and the truth."""

    model: TrainedModel
    drawn: Drawn
    truth: Labels
    seed: int


@dataclass(frozen=True, slots=True)
class Halves:
    """Anomalous sessions that teach and that are scored, with their kinds."""

    taught: list[Session]
    kinds: list[str]
    scored: list[Session]
    truth: list[str]

    @classmethod
    def of(cls, trained: Trained) -> Halves:
        """By what the seed drew."""
        drawn, truth = trained.drawn, trained.truth
        taught = odd_sessions([*drawn.train, *drawn.discover], truth)
        scored = odd_sessions(drawn.test, truth)
        return cls(
            taught,
            [str(truth.of(s)) for s in taught],
            scored,
            [str(truth.of(s)) for s in scored],
        )


def discovered_figures(trained: Trained) -> Figures:
    """Kinds found without labels, told in what is scored, against truth."""
    model, halves = trained.model, Halves.of(trained)
    given = [v.class_id for v in Classifier(model).classify(halves.scored)]
    figures = _against_truth("elkwatch", halves.truth, given)
    encoded = encode(halves.scored, model.templates)
    for method in METHODS:
        found = _cluster(model, encoded, method)
        own = [str(label) for label in found.labels]
        figures |= _against_truth(f"clusters, {method}", halves.truth, own)
        chosen = next(t for t in found.trials if t.chosen)
        figures[f"clusters, {method}: stability"] = chosen.stability
    return figures | _trivial(encoded, halves.truth)


def _trivial(encoded: Sequence[EncodedSession], truth: Sequence[str]) -> Figures:
    same = [str(sorted(set(session.ids))) for session in encoded]
    figures = _against_truth("baseline: equal sets of templates", truth, same)
    one = ["one kind"] * len(truth)
    return figures | _against_truth("baseline: one kind", truth, one)


def _cluster(
    model: TrainedModel, encoded: Sequence[EncodedSession], method: Method
) -> Clustering:
    found = surprises(model.network, encoded, CPU)
    columns = choose_columns(encoded, found)
    return find_clusters(kind_rows(encoded, found, columns, model.support), method)


def _against_truth(name: str, truth: Sequence[str], given: Sequence[str]) -> Figures:
    return {
        f"{name}: ARI": float(adjusted_rand_score(truth, given)),
        f"{name}: V": float(v_measure_score(truth, given)),
    }


def taught_figures(trained: Trained) -> Figures:
    """Kinds taught by one half, told in the other; one left out; their evidence."""
    model, halves = trained.model, Halves.of(trained)
    verdicts = Classifier(model).classify(halves.scored)
    given = [v.class_id for v in verdicts]
    names = sorted(set(halves.truth))
    near = KNeighborsClassifier(1, metric="cosine")
    near.fit(_presence(model, halves.taught), halves.kinds)
    guessed = near.predict(_presence(model, halves.scored))
    most = Counter(halves.kinds).most_common(1)[0][0]
    figures = {
        "elkwatch: macro-F1": macro(halves.truth, given, names),
        "elkwatch: called unknown": fmean(not v.known for v in verdicts),
        "baseline: nearest by templates: macro-F1": macro(
            halves.truth, list(guessed), names
        ),
        "baseline: the commonest kind: macro-F1": macro(
            halves.truth, [most] * len(halves.truth), names
        ),
    }
    figures |= _calibration(model, halves, verdicts)
    return figures | _never_taught(model, halves) | _faithful(model, halves, verdicts)


def macro(truth: Sequence[str], given: Sequence[str], names: Sequence[str]) -> float:
    """Macro-F1 over these kinds."""
    return float(f1_score(truth, given, labels=names, average="macro", zero_division=0))


def _calibration(
    model: TrainedModel, halves: Halves, verdicts: Sequence[Verdict]
) -> Figures:
    """Expected calibration error of a kind's confidence, without and with scaling."""
    assert model.kinds is not None
    bare = replace(model, kinds=replace(model.kinds, temperature=1.0))
    before = Classifier(bare).classify(halves.scored)
    return {
        "calibration error before": _calibration_error(before, halves.truth),
        "calibration error": _calibration_error(verdicts, halves.truth),
    }


def _calibration_error(verdicts: Sequence[Verdict], truth: Sequence[str]) -> float:
    told = [(v, t) for v, t in zip(verdicts, truth, strict=True) if v.known]
    sure = np.array([v.confidence for v, _ in told])
    right = np.array([v.class_id == t for v, t in told])
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == b).mean() * abs(sure[bins == b].mean() - right[bins == b].mean())
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def _presence(model: TrainedModel, sessions: Sequence[Session]) -> NDArray[np.float32]:
    rows = np.zeros((len(sessions), model.vocabulary.size), dtype=np.float32)
    for row, session in zip(rows, encode(sessions, model.templates), strict=True):
        row[list(set(session.ids))] = 1.0
    return rows


def _never_taught(model: TrainedModel, halves: Halves) -> Figures:
    """Each kind left out of the teaching once: is it told from the others?

    What is known is decided by distance to exemplars alone, so no network is trained.
    """
    seen = encode(halves.taught, model.templates)
    scored = encode(halves.scored, model.templates)
    seen_odd = surprises(model.network, seen, CPU)
    odd = surprises(model.network, scored, CPU)
    truth, unknown, missed = np.array(halves.truth), [], []
    for left_out in sorted(set(halves.kinds)):
        places = [i for i, kind in enumerate(halves.kinds) if kind != left_out]
        kinds = sorted({halves.kinds[i] for i in places})
        members, member_odd = [seen[i] for i in places], [seen_odd[i] for i in places]
        columns = choose_columns(members, member_odd)
        exemplars = choose_exemplars(
            deviation(members, member_odd, columns),
            np.array([kinds.index(halves.kinds[i]) for i in places]),
            len(kinds),
        )
        known = near_enough(deviation(scored, odd, columns), *exemplars)
        strange = np.logical_not(known.any(axis=1)).astype(np.float64)
        unknown.append(float(strange[truth == left_out].mean()))
        missed.append(float(strange[truth != left_out].mean()))
    return {
        "never taught, called unknown (mean of kinds)": fmean(unknown),
        "never taught, called unknown (worst kind)": min(unknown),
        "taught beside it, called unknown": fmean(missed),
    }


def _faithful(
    model: TrainedModel, halves: Halves, verdicts: Sequence[Verdict]
) -> Figures:
    """Does the score fall without the evidence lines, and more than without others?"""
    classifier, rng = Classifier(model), np.random.default_rng(0)
    lower, beside = [], []
    for session, verdict in zip(halves.scored, verdicts, strict=True):
        marked = {e.position for e in verdict.evidence} - {len(session.events)}
        others = [i for i in range(len(session.events)) if i not in marked]
        if not verdict.anomaly or not others:
            continue
        drawn = set(rng.permutation(others)[: len(marked)].tolist())
        cut = [_without(session, marked), _without(session, drawn)]
        if len(others) <= len(marked):
            cut.pop()  # there are not as many others
        scores = classifier.score(encode(cut, model.templates))
        lower.append(scores[0] < verdict.score)
        if len(scores) == len(cut) == 2:
            beside.append((scores[0] < scores[1], scores[1] < verdict.score))
    more, others_lower = np.mean(np.array(beside), axis=0)
    return {
        "without its evidence the score is lower": float(np.mean(lower)),
        "baseline: … without as many other lines": float(others_lower),
        "… and lower than without as many other lines": float(more),
    }


def _without(session: Session, places: set[int]) -> Session:
    kept = tuple(e for i, e in enumerate(session.events) if i not in places)
    return replace(session, events=kept)


def signature_figures(trained: Trained) -> Figures:
    """Clusters of HDFS's anomalous blocks against their signatures."""
    model, odd = trained.model, trained.drawn.test
    signatures = _signatures(model, trained.drawn.train, odd)
    given = [v.class_id for v in Classifier(model).classify(odd)]
    figures = _against_truth("elkwatch", signatures, given)
    encoded = encode(odd, model.templates)
    for method in METHODS:
        own = [str(label) for label in _cluster(model, encoded, method).labels]
        figures |= _against_truth(f"clusters, {method}", signatures, own)
    return figures | _trivial(encoded, signatures)


def _signatures(
    model: TrainedModel, normal: Sequence[Session], odd: Sequence[Session]
) -> list[str]:
    holding = Counter(e for s in encode(normal, model.templates) for e in set(s.ids))
    names = []
    for session in encode(odd, model.templates):
        own = set(session.ids)
        rare = {e for e in own if holding[e] < 0.01 * len(normal)}
        lacking = {-e for e, n in holding.items() if n > 0.95 * len(normal)} - {
            -e for e in own
        }
        names.append(str(sorted(rare | lacking)))
    return names


def application_figures(
    sessions: Sequence[Session], truth: Sequence[str], told: Sequence[str]
) -> Figures:
    """Figures of what each application was called that was left out once; N each."""
    names = sorted(set(truth))
    faults = [name for name in names if name != NORMAL]
    count = Counter(truth)
    most = [max(names, key=lambda n: count[n] - (n == own)) for own in truth]
    near = _nearest_by_lines(sessions, truth)
    return {
        "elkwatch: macro-F1": macro(truth, told, names),
        "elkwatch: macro-F1 of the faults": macro(truth, told, faults),
        "elkwatch: right": fmean(t == g for t, g in zip(truth, told, strict=True)),
        "baseline: nearest by lines: macro-F1": macro(truth, near, names),
        "baseline: the commonest kind: macro-F1": macro(truth, most, names),
    }


def _nearest_by_lines(sessions: Sequence[Session], kinds: Sequence[str]) -> list[str]:
    """Each session's kind by the nearest other, by which lines it holds without
    their numbers."""
    lines = [
        {_NUMBERS.sub("", event.message): 1 for event in session.events}
        for session in sessions
    ]
    rows = DictVectorizer().fit_transform(lines)
    apart = 1.0 - cosine_similarity(rows)
    np.fill_diagonal(apart, np.inf)
    return [kinds[int(place)] for place in apart.argmin(axis=1)]
