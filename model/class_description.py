"""What a class is called: by a well-known line, else by how its sessions deviate.

    members ─▶ rule that most of one face show ─ none ─▶ rule that comes here alone
                                                            └─ none ─▶ pattern, subject

The winner of a deadlock has no line that says so, and of those that wait while all
connections are taken few are turned away: one *face* of a class may tell for all, and
so may a line that is hardly ever seen outside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.catalogue import Catalogue, Entry
from model.detectors.support import SupportDistance
from model.events import EncodedSession, Session
from model.patterns import read_pattern
from model.surprise import Surprise
from model.trained import ModelClass
from model.vocabulary import EOS, Vocabulary

ABOUT_CHARS = 60
MAX_READ = 500
TEXTS = 6
ALONE, ALONE_SHARE, ALONE_LEAST = 0.9, 0.1, 3


@dataclass(frozen=True, slots=True)
class Deviants:
    """Deviating sessions (N) with their class number (N), −1 for none.

    `sources` are the same sessions before they were encoded; `faces` (N) what each was
    before those that strike together were joined.
    """

    sources: Sequence[Session]
    sessions: list[EncodedSession]
    surprises: list[Surprise]
    labels: NDArray[np.int64]
    faces: NDArray[np.int64]


def describe(
    ids: Sequence[str],
    taught: int,
    odd: Deviants,
    support: SupportDistance,
    vocabulary: Vocabulary,
    catalogue: Catalogue,
) -> tuple[ModelClass, ...]:
    """Name, pattern and advice of each class; the first `taught` keep their names."""
    entries = _recognised(odd, vocabulary, catalogue)
    total = Counter(entry.entry_id for entry in entries if entry is not None)
    classes = []
    for index, class_id in enumerate(ids):
        members = np.flatnonzero(odd.labels == index)
        pattern, subject = _most(odd, members[:MAX_READ], support, vocabulary)
        entry = well_known(odd.faces, members, entries, total)
        if entry is not None:
            subject = ""
        classes.append(
            ModelClass(
                class_id,
                index < taught,
                pattern,
                (class_id if index < taught else subject)[:ABOUT_CHARS],
                len(members),
                entry or catalogue.patterns[pattern],
            )
        )
    return tuple(classes)


def _most(
    odd: Deviants,
    members: NDArray[np.int64],
    support: SupportDistance,
    vocabulary: Vocabulary,
) -> tuple[str, str]:
    """The pattern that most members show, and the line that most are about."""
    readings = [
        read_pattern(odd.sessions[member], odd.surprises[member], support)
        for member in members
    ]
    patterns = Counter(reading.pattern for reading in readings)
    about = Counter(r.subject for r in readings if r.subject is not None)
    subject = vocabulary.text(about.most_common(1)[0][0]) if about else ""
    return patterns.most_common(1)[0][0], subject


def well_known(
    faces: NDArray[np.int64],
    members: NDArray[np.int64],
    entries: Sequence[Entry | None],
    total: Mapping[str, int],
) -> Entry | None:
    """The rule that most sessions of a face show; else one that comes here alone.

    faces (N), entries (N) of all deviating sessions, members: places of the class's;
    total: how many of all show a rule. *Alone*: three sessions at least, one in ten
    of the class, nine in ten of all that show the rule.
    """
    sizes = Counter(faces[members].tolist())
    shown: Counter[tuple[int, str]] = Counter()
    here: Counter[str] = Counter()
    known: dict[str, Entry] = {}
    for member in members:
        entry = entries[member]
        if entry is not None:
            shown[int(faces[member]), entry.entry_id] += 1
            here[entry.entry_id] += 1
            known[entry.entry_id] = entry
    told = [(n, rule) for (face, rule), n in shown.items() if 2 * n > sizes[face]]
    if told:
        return known[max(told)[1]]
    least = max(ALONE_LEAST, ALONE_SHARE * len(members))
    alone = [
        (n, rule) for rule, n in here.items() if n >= least and n >= ALONE * total[rule]
    ]
    return known[max(alone)[1]] if alone else None


def _recognised(
    odd: Deviants, vocabulary: Vocabulary, catalogue: Catalogue
) -> list[Entry | None]:
    """What the rules say of each session (N), by its most surprising lines."""
    known: dict[tuple[int, ...], Entry | None] = {}
    found = []
    for session, surprise in zip(odd.sessions, odd.surprises, strict=True):
        order = np.argsort(-surprise.nats, kind="stable")[:TEXTS]
        ids = (*session.ids, EOS)
        events = tuple(ids[i] for i in order if surprise.nats[i] > 0)
        if events not in known:
            rule = catalogue.recognise([vocabulary.text(event) for event in events])
            known[events] = None if rule is None else rule.entry
        found.append(known[events])
    return found
