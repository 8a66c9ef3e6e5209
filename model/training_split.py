"""What each session that was given may teach, without a list of the sessions.

One pass looks at labels, names and times. The sessions themselves stay where they are,
in memory or on disk (session_spool.py); what is kept of each is a few bytes.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

import numpy as np
from numpy.typing import NDArray

from model.errors import TrainingError
from model.events import Session
from model.labels import ANOMALOUS, IGNORE, NORMAL, Labels

MIN_SESSIONS = 5


class Chosen(Sequence[Session]):
    """Some of the sessions, by their places, each read when it is asked for."""

    def __init__(
        self, sessions: Sequence[Session], places: NDArray[np.int64] | Sequence[int]
    ) -> None:
        self._sessions = sessions
        self.places = np.asarray(places, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> Session: ...
    @overload
    def __getitem__(self, place: slice) -> list[Session]: ...
    def __getitem__(self, place: int | slice) -> Session | list[Session]:
        if isinstance(place, slice):
            return [self._sessions[int(i)] for i in self.places[place]]
        return self._sessions[int(self.places[place])]

    def __iter__(self) -> Iterator[Session]:
        return (self._sessions[int(place)] for place in self.places)


@dataclass(frozen=True, slots=True)
class Split:
    """The sessions by what they may teach.

    `pool` teaches what is normal: at most so many, drawn by the seed; `unlabelled` are
    all that could. `aside` (N) of the pool are kept from the network, `trusted` (N)
    are labelled normal; `first` and `last` are the bounds of the pool in time.
    """

    pool: Chosen
    aside: NDArray[np.bool_]
    trusted: NDArray[np.bool_]
    first: datetime
    last: datetime
    unlabelled: Chosen
    taught: Chosen
    taught_kinds: list[str]
    suspected: Chosen
    events: int


def split_sessions(
    sessions: Sequence[Session],
    labels: Labels,
    *,
    seed: int,
    held_out_share: float,
    most: int,
) -> Split:
    """Raises TrainingError where too few may teach what is normal."""
    usual, flags = array("q"), bytearray()  # a few bytes a session, of any number
    taught, kinds, suspected = list[int](), list[str](), list[int]()
    times: list[datetime] = []
    events = 0
    for place, session in enumerate(sessions):
        label = labels.of(session)
        events += len(session.events) if label != IGNORE else 0
        if label in (None, NORMAL):
            usual.append(place)
            aside = is_aside(session.unit, seed, held_out_share)
            flags += bytes((aside, label == NORMAL))
            times = _bounds(times, session)
        elif label == ANOMALOUS:
            suspected.append(place)
        elif label is not None and label != IGNORE:
            taught.append(place)
            kinds.append(label)
    if len(usual) < MIN_SESSIONS:
        raise TrainingError(_too_few(len(usual), len(sessions)))
    places = np.frombuffer(usual, dtype=np.int64)
    marks = np.frombuffer(flags, dtype=bool).reshape(-1, 2)
    drawn = slice(None) if len(usual) <= most else _drawn(len(usual), most, seed)
    return Split(
        Chosen(sessions, places[drawn]),
        marks[drawn, 0],
        marks[drawn, 1],
        times[0],
        times[1],
        Chosen(sessions, places),
        Chosen(sessions, taught),
        kinds,
        Chosen(sessions, suspected),
        events,
    )


def is_aside(unit: str, seed: int, share: float) -> bool:
    """Whether a session is kept from the network, by a hash of its unit."""
    digest = hashlib.blake2b(
        unit.encode("utf-8", "replace"),
        digest_size=4,
        salt=seed.to_bytes(8, "big", signed=True),
    ).digest()
    return int.from_bytes(digest, "big") / 2**32 < share


def _bounds(times: list[datetime], session: Session) -> list[datetime]:
    if not times:
        return [session.start, session.end]
    return [min(times[0], session.start), max(times[1], session.end)]


def _drawn(count: int, most: int, seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(count, most, replace=False))


def _too_few(left: int, given: int) -> str:
    taken = f" of {given}" if given != left else ""
    line = (
        f"only {left}{taken} session{'' if given == 1 else 's'} to learn what is "
        f"normal from; give at least {MIN_SESSIONS}, better some hundreds"
    )
    if given >= MIN_SESSIONS:
        return f"{line} (the labels call the others anomalous, or ignore them)"
    return f"{line} (check --session-field)"
