"""Stages 2 to 4 on what deviates: features, clusters, classes with names.

Taught kinds come from labels; the rest is clustered. A suspect that looks like a
taught kind joins no cluster: it would only give that kind a second name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.best_epoch import History
from model.catalogue import Catalogue
from model.class_description import Deviants, describe
from model.class_map import ClassMap, draw_map
from model.class_training import (
    ClassMembers,
    ClassTrainingConfig,
    TrainedKinds,
    train_kinds,
)
from model.clusters import Clustering, Method, Trial, find_clusters
from model.detectors.support import SupportDistance
from model.epochs import Setting
from model.events import EncodedSession, Session
from model.faces import join_faces
from model.features import Matrix, choose_columns, deviation, fit_space, kind_rows
from model.kinds import KindModel, choose_exemplars
from model.lineage import Lineage
from model.naming import Found, name_classes
from model.network import NextEventLSTM
from model.patterns import holds_unusual_line
from model.progress import Step
from model.prototypes import MISSING, Prototype, mean_prototype, unit, wording
from model.surprise import Surprise, surprises
from model.trained import ModelClass
from model.vocabulary import Vocabulary

MAX_AVERAGED = 500


@dataclass(frozen=True, slots=True)
class Former:
    """What was known before this training.

    `given` (M): what the old model takes each suspect for, None for no known class.
    """

    lineage: Lineage = field(default_factory=Lineage)
    given: Sequence[str | None] = ()


_NOTHING = Former()


@dataclass(frozen=True, slots=True)
class HeldOutKind:
    """A labelled session that stage 4 did not learn from: what it is, what it was
    taken for (None: no known kind)."""

    session: EncodedSession
    kind: str
    given: str | None


@dataclass(frozen=True, slots=True)
class ClassSet:
    """What stages 2 to 4 found. `kinds` is None where nothing deviates."""

    kinds: KindModel | None
    classes: tuple[ModelClass, ...]
    trials: tuple[Trial, ...]
    map: ClassMap = field(default_factory=ClassMap)
    history: History = field(default_factory=History)
    held_out: tuple[HeldOutKind, ...] = ()
    lineage: Lineage = field(default_factory=Lineage)


def find_classes(
    *,
    normal: Sequence[EncodedSession],
    suspects: Sequence[EncodedSession],
    taught: Sequence[EncodedSession],
    sources: Sequence[Session],
    taught_kinds: Sequence[str],
    network: NextEventLSTM,
    support: SupportDistance,
    vocabulary: Vocabulary,
    catalogue: Catalogue,
    config: ClassTrainingConfig,
    seed: int,
    setting: Setting,
    former: Former = _NOTHING,
) -> ClassSet:
    """Classes among suspects, beside the taught kinds. Raises nothing of its own.

    `sources` are the taught sessions, then the suspects, before they were encoded.
    """
    sessions = [*taught, *suspects]
    if not sessions:
        return ClassSet(None, (), (), lineage=name_classes((), former.lineage)[1])
    found = surprises(network, sessions, setting.device)
    columns = choose_columns(sessions, found)
    rows = deviation(sessions, found, columns)
    setting.progress(Step("2 features", len(sessions), len(sessions)))
    names = sorted(set(taught_kinds))
    own = np.array([names.index(kind) for kind in taught_kinds], dtype=np.int64)
    shapes = kind_rows(sessions, found, columns, support)
    clustering = _cluster(rows, shapes, own, len(names), config.clustering)
    faces = np.concatenate([own, clustering.labels])
    labels, clusters = _joined(faces, sources, sessions, found, support, len(names))
    setting.progress(Step("3 clusters", 1, 1))
    points = draw_map(rows, labels)
    odd = Deviants(sources, sessions, found, labels, faces)
    classes_found = _found(odd, names, clusters, former.given, vocabulary)
    ids, lineage = name_classes(classes_found, former.lineage)
    if not ids:
        return ClassSet(None, (), clustering.trials, points, lineage=lineage)
    normal_found = surprises(network, normal, setting.device)
    members = _members(normal, normal_found, odd)
    space = fit_space(
        columns,
        members.sessions,
        members.surprises,
        statistics=config.statistics,
        windows=config.windows,
    )
    size = vocabulary.size
    trained = train_kinds(members, ids, space, size, config, seed=seed, setting=setting)
    classes = describe(ids, len(names), odd, support, vocabulary, catalogue)
    return ClassSet(
        trained.kinds,
        classes,
        clustering.trials,
        points,
        trained.history,
        _held_out(trained, members, names),
        lineage,
    )


def _members(
    normal: Sequence[EncodedSession], found: Sequence[Surprise], odd: Deviants
) -> ClassMembers:
    """Normal sessions, then those that deviate and are of a class."""
    member = odd.labels >= 0
    return ClassMembers(
        [*normal, *(s for s, m in zip(odd.sessions, member, strict=True) if m)],
        [*found, *(u for u, m in zip(odd.surprises, member, strict=True) if m)],
        np.concatenate([np.zeros(len(normal), np.int64), odd.labels[member] + 1]),
    )


def _held_out(
    trained: TrainedKinds, members: ClassMembers, names: Sequence[str]
) -> tuple[HeldOutKind, ...]:
    """Of the sessions held out, those with a label of their own."""
    return tuple(
        HeldOutKind(members.sessions[place], names[number], given.class_id)
        for place, given in trained.held_out
        if (number := int(members.labels[place]) - 1) < len(names)
    )


def _cluster(
    rows: Matrix,
    shapes: Matrix,
    own: NDArray[np.int64],
    taught: int,
    method: Method,
) -> Clustering:
    """Clusters of the rows after the taught ones; numbers follow the taught kinds.

    What is like a taught kind is told by the deviation (`rows`), as stage 4 will tell
    it; what is alike among the rest, by `shapes`.
    """
    others = rows[len(own) :]
    free = np.ones(len(others), dtype=bool)
    if taught and len(others):
        exemplars, owners, radii = choose_exemplars(rows[: len(own)], own, taught)
        distances = 1.0 - others @ exemplars.T  # (M, E)
        free[(distances <= radii[owners]).any(axis=1)] = False
    clustering = find_clusters(shapes[len(own) :][free], method)
    labels = np.full(len(others), -1, dtype=np.int64)
    labels[free] = np.where(
        clustering.labels >= 0, clustering.labels + taught, clustering.labels
    )
    return Clustering(labels, clustering.clusters, clustering.trials)


def _struck(source: Session, surprise: Surprise) -> float:
    """When a session deviates most, in seconds; its end where that came too soon."""
    place = min(int(surprise.nats.argmax()), len(source.events) - 1)
    return source.events[place].time.timestamp()


def _joined(
    faces: NDArray[np.int64],
    sources: Sequence[Session],
    sessions: Sequence[EncodedSession],
    found: Sequence[Surprise],
    support: SupportDistance,
    taught: int,
) -> tuple[NDArray[np.int64], int]:
    """Faces of one kind as one class, after the taught ones; how many there are then.

    What people taught stays apart: they know better.
    """
    own = np.where(faces >= taught, faces - taught, -1)
    joined = join_faces(
        own,
        [_struck(*each) for each in zip(sources, found, strict=True)],
        [holds_unusual_line(session, support) for session in sessions],
    )
    labels = np.where(joined >= 0, joined + taught, np.where(faces < taught, faces, -1))
    return labels, int(joined.max(initial=-1)) + 1


def _found(
    odd: Deviants,
    names: Sequence[str],
    clusters: int,
    given: Sequence[str | None],
    vocabulary: Vocabulary,
) -> list[Found]:
    """Each class with what it can be known again by: taught ones, then clusters."""
    votes = [*([None] * (len(odd.sessions) - len(given))), *given]
    classes = []
    for index in range(len(names) + clusters):
        places = [int(i) for i in np.flatnonzero(odd.labels == index)]
        sources = [odd.sources[i] for i in places]
        classes.append(
            Found(
                prototype=mean_prototype(
                    [
                        worded(odd.sessions[i], odd.surprises[i], vocabulary)
                        for i in places[:MAX_AVERAGED]
                    ]
                ),
                members=len(places),
                first_seen=min((s.start for s in sources), default=None),
                last_seen=max((s.end for s in sources), default=None),
                class_id=names[index] if index < len(names) else "",
                votes=Counter(v for i in places if (v := votes[i]) is not None),
                judged=bool(given),
            )
        )
    return classes


def worded(
    session: EncodedSession, surprise: Surprise, vocabulary: Vocabulary
) -> Prototype:
    """The deviation of one session by wording, so that other models understand it."""
    columns = choose_columns([session], [surprise])
    row = deviation([session], [surprise], columns)[0]
    surprising, missing = row[: len(columns)], row[len(columns) :]
    weights: dict[str, float] = {}
    for prefix, part in (("", surprising), (MISSING, missing)):
        for event, weight in zip(columns, part, strict=True):
            if weight > 0:
                key = prefix + wording(vocabulary.text(event))
                weights[key] = max(float(weight), weights.get(key, 0.0))
    return unit(weights)
