"""What the quality benchmark trains on and is judged by: cases, drawn by seed.

PostgreSQL trains on `train` and is scored on `test`; what is mixed into training is
moved there from `test`, drawn over all kinds or one, unlabelled, and left out of
scoring. HDFS trains on the first half of the sessions in time, or on a half by a
salted hash of their keys, and is scored on the other. Hadoop leaves one application
out in turn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from elkwatch.cli.options import FileOptions
from elkwatch.log_files import read_sessions
from model import NO_LABELS, Labels, Session, read_labels
from model.labels import IGNORE, NORMAL

SEVERE = frozenset({"ERROR", "FATAL", "PANIC"})
TAUGHT = "postgresql, nine kinds taught"
FOUND = "postgresql, kinds discovered in test"
FOUND_IN_HALF = "postgresql, kinds discovered in the other half"
BY_TIME = "hdfs by time, labelled"
BY_HASH = "hdfs by hash, labelled"
SIGNATURES = "hdfs, kinds discovered"
APPLICATIONS = "hadoop by application"
KINDS = (
    "auth_failure",
    "crash",
    "deadlock",
    "disk_full",
    "idle_in_transaction",
    "lock_timeout",
    "missing_step",
    "retry_loop",
    "too_many_connections",
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one seed trains on and is scored on."""

    train: Sequence[Session]
    test: Sequence[Session]
    labels: Labels = NO_LABELS
    discover: Sequence[Session] = ()
    truth: Labels = NO_LABELS


@dataclass(frozen=True, slots=True)
class Case:
    """A condition: how a seed draws its sessions, by which truth they are judged.

    `kinds`: classes are trained in full. `detects`: the yes or no is judged too.
    """

    name: str
    truth: Labels
    draw: Callable[[int], Drawn]
    kinds: bool = False
    detects: bool = True

    def drawn(self, seed: int) -> Drawn:
        """What a seed draws, with the truth."""
        return replace(self.draw(seed), truth=self.truth)


@dataclass(frozen=True, slots=True)
class _Mix:
    """Training logs of PostgreSQL with anomalous sessions of the test mixed in.

    `share` of the training sessions, of `kind` alone where one is named: then half of
    its sessions are moved, and as many normal ones taken as make them that share.
    """

    normal: Sequence[Session]
    test: Sequence[Session]
    truth: Labels
    share: float = 0.0
    part: float = 1.0
    kind: str | None = None
    without_errors: bool = False

    def __call__(self, seed: int) -> Drawn:
        rng = random.Random(seed)
        normal = list(self.normal)
        if self.part < 1:
            normal = rng.sample(normal, round(self.part * len(normal)))
        odd = [s for s in self.test if self._is_odd(s)]
        count = round(self.share * len(normal) / (1 - self.share))
        if self.kind is not None:
            count = len(odd) // 2
            needed = round(count * (1 - self.share) / self.share)
            normal = rng.sample(normal, min(needed, len(normal)))
        moved = rng.sample(odd, count)
        keys = {session.key for session in moved}
        kept = [session for session in self.test if session.key not in keys]
        train = [*normal, *moved]
        if self.without_errors:
            return Drawn(_without_errors(train), _without_errors(kept))
        return Drawn(train, kept)

    @property
    def possible(self) -> bool:
        """Whether there are so many anomalous sessions, and some left to be scored."""
        odd = sum(self._is_odd(session) for session in self.test)
        if self.kind is not None:
            return odd > 1
        normal = round(self.part * len(self.normal))
        return round(self.share * normal / (1 - self.share)) < odd

    def _is_odd(self, session: Session) -> bool:
        label = self.truth.of(session)
        return label not in (None, NORMAL, IGNORE) and self.kind in (None, label)


def _without_errors(sessions: Sequence[Session]) -> list[Session]:
    """The sessions without their lines of error severity; empty ones are gone."""
    left = (
        replace(s, events=tuple(e for e in s.events if e.severity not in SEVERE))
        for s in sessions
    )
    return [session for session in left if session.events]


def postgresql(folder: Path) -> list[Case]:
    """A database's log: faults of several kinds beside normal work.

    Of other logs than the shop's, a mix for which there are too few is left out.
    """
    options = FileOptions(session_fields=("postgresql.log.session_id",))
    truth = read_labels(folder / "labels.csv")
    normal = read_sessions([str(folder / "train.ndjson.gz")], options)
    test = read_sessions([str(folder / "test.ndjson.gz")], options)
    plain = _Mix(normal, test, truth)
    five = replace(plain, share=0.05)
    mixed = {
        "postgresql": plain,
        "postgresql, 1 % mixed in": replace(plain, share=0.01),
        "postgresql, 5 % mixed in": five,
        "postgresql, 10 % of the logs": replace(plain, part=0.1),
        "postgresql, 13 % mixed in": replace(plain, share=0.13),
        "postgresql without error lines, 5 % mixed in": replace(
            five, without_errors=True
        ),
    }
    one_kind = {
        f"postgresql, 5 % of one kind: {kind}": replace(five, kind=kind)
        for kind in truth.kinds
    }
    return [
        *_possible(mixed, truth),
        Case(TAUGHT, truth, _taught(normal, test, truth), True),
        Case(FOUND, truth, lambda seed: Drawn(normal, test, discover=test), kinds=True),
        Case(FOUND_IN_HALF, truth, _found(normal, test, truth), True, detects=False),
        *_possible(one_kind, truth),
    ]


def _possible(mixes: Mapping[str, _Mix], truth: Labels) -> list[Case]:
    cases = []
    for name, mix in mixes.items():
        if mix.possible:
            cases.append(Case(name, truth, mix))
        else:
            print(f"{name}: left out, too few anomalous sessions")
    return cases


def _taught(
    normal: Sequence[Session], test: Sequence[Session], truth: Labels
) -> Callable[[int], Drawn]:
    """Half of the anomalous sessions teach their kind; the rest is scored."""

    def draw(seed: int) -> Drawn:
        half = [s for s in test if by_hash(s, seed)]
        odd = odd_sessions(half, truth)
        labels = Labels({s.key: str(truth.of(s)) for s in odd}, named=True)
        return Drawn([*normal, *odd], [s for s in test if not by_hash(s, seed)], labels)

    return draw


def _found(
    normal: Sequence[Session], test: Sequence[Session], truth: Labels
) -> Callable[[int], Drawn]:
    """Half of the anomalous sessions are looked through for kinds; the rest is told."""
    odd = odd_sessions(test, truth)

    def draw(seed: int) -> Drawn:
        half = [s for s in odd if by_hash(s, seed)]
        rest = [s for s in odd if not by_hash(s, seed)]
        return Drawn(normal, rest, discover=half)

    return draw


def odd_sessions(sessions: Sequence[Session], truth: Labels) -> list[Session]:
    """Those that are anomalous in truth, in order."""
    return [s for s in sessions if truth.of(s) not in (None, NORMAL, IGNORE)]


def hdfs(folder: Path) -> list[Case]:
    """HDFS blocks by time and by hash; where *labels* keep anomalies out, all have."""
    options = FileOptions(session_pattern=r"blk_-?\d+")
    truth = read_labels(folder / "labels.csv")
    sessions = read_sessions([str(folder / "hdfs.ndjson.gz")], options)
    sessions.sort(key=lambda session: session.start)
    half = len(sessions) // 2
    usual = [s for s in sessions if truth.of(s) == NORMAL]
    odd = odd_sessions(sessions, truth)
    whole = Drawn(usual, odd, discover=odd)
    first, second = sessions[:half], sessions[half:]

    def hashed(seed: int, labels: Labels) -> Drawn:
        chosen = [s for s in sessions if by_hash(s, seed)]
        return Drawn(chosen, [s for s in sessions if not by_hash(s, seed)], labels)

    return [
        Case(BY_TIME, truth, lambda _: Drawn(first, second, truth)),
        Case("hdfs by time, unlabelled", truth, lambda _: Drawn(first, second)),
        Case(BY_HASH, truth, lambda seed: hashed(seed, truth)),
        Case("hdfs by hash, unlabelled", truth, lambda seed: hashed(seed, NO_LABELS)),
        Case(SIGNATURES, truth, lambda _: whole, kinds=True, detects=False),
    ]


def hadoop(folder: Path) -> list[Case]:
    """Applications of four kinds (one of them normal); what is drawn leaves out one.

    The number is that of the application, `number % 29`, not a seed.
    """
    options = FileOptions(session_fields=("labels.application",))
    truth = read_labels(folder / "labels_applications.csv")
    sessions = read_sessions([str(folder / "hadoop.ndjson.gz")], options)

    def draw(left_out: int) -> Drawn:
        one = sessions[left_out % len(sessions)]
        rest = [s for s in sessions if s is not one]
        labels = {s.key: str(truth.of(s)) for s in rest}
        return Drawn(rest, [one], Labels(labels, named=True))

    return [Case(APPLICATIONS, truth, draw, kinds=True, detects=False)]


def by_hash(session: Session, salt: int) -> bool:
    """Whether a salted hash of its key puts a session into the training half."""
    return sha256(f"{salt}{session.key}".encode()).digest()[0] < 128
