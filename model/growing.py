"""Scores of sessions that are still open, at the cost of what is new in them.

    tick 1   BOS e1 … e90 ──▶ score; LSTM state and rare patterns are kept
    tick 2                 e91 … e97 ──▶ score, carried on from there

Scoring an open session whole at each tick costs the square of its length. What is kept
of one is of fixed size but for its rare patterns, which are capped, and of so many
sessions at most. One of which nothing is kept, or whose course changed before its end
(a late event), is scored from its start. The scores are those of scoring it whole: the
network is the same, and an open session has no distance of counts.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from model.detectors.ngrams import Pattern, collapsed
from model.detectors.support import SupportDistance
from model.events import EncodedSession, distinct
from model.network import NextEventLSTM
from model.scoring import Calibration, Views
from model.surprise import BATCH_VALUES, SEGMENT, Carried, carry_on
from model.vocabulary import BOS

MAX_KEPT = 50_000
MAX_RARE = 1000
CONTEXT = 2


@dataclass(frozen=True, slots=True)
class Course:
    """What is kept of an open session after `length` events; the default: nothing yet.

    `prefix` tells whether they are still the same. `carried` is the network after all
    but the last of them, `context` the last templates of their course: patterns reach
    over the bound.
    """

    length: int = 0
    prefix: int = 0
    highest: float = 0.0
    carried: Carried | None = None
    context: tuple[int, ...] = ()
    rare: frozenset[Pattern] = frozenset()

    def leads_to(self, session: EncodedSession) -> bool:
        """Whether the session is this one, grown or as it was."""
        enough = self.length <= len(session.ids)
        return enough and _prefix(session, self.length) == self.prefix


_START = Course()


class GrowingScores:
    """Scores open sessions again and again. Not shared between threads."""

    def __init__(
        self,
        network: NextEventLSTM,
        support: SupportDistance,
        calibration: Calibration,
        device: torch.device,
        most: int = MAX_KEPT,
    ) -> None:
        """Keeps something of `most` sessions; those not seen for longest go first."""
        self._network = network.eval()
        self._support = support
        self._calibration = calibration
        self._device = device
        self._most = most
        self._courses: OrderedDict[Hashable, Course] = OrderedDict()

    def __len__(self) -> int:
        return len(self._courses)

    def score(
        self, units: Sequence[Hashable], sessions: Sequence[EncodedSession]
    ) -> list[float]:
        """The scores of open sessions (N) by the names of their units (N).

        Raises ValueError for a session that has ended: its counts are judged too.
        """
        if any(session.ends for session in sessions):
            raise ValueError("a session that has ended is scored whole")
        once, places = distinct(sessions)
        courses = [_START] * len(once)
        for unit, place in zip(units, places, strict=True):
            known = self._courses.get(unit, _START)
            if known.length > courses[place].length and known.leads_to(once[place]):
                courses[place] = known
        self._advance(courses, once)
        scores = self._scores(courses, once)
        for unit, place in zip(units, places, strict=True):
            self._keep(unit, courses[place])
        return [scores[place] for place in places]

    def forget(self, units: Iterable[Hashable]) -> None:
        """These have ended."""
        for unit in units:
            self._courses.pop(unit, None)

    def _keep(self, unit: Hashable, course: Course) -> None:
        self._courses.pop(unit, None)
        if len(course.rare) > MAX_RARE:
            return
        self._courses[unit] = course
        if len(self._courses) > self._most:
            self._courses.popitem(last=False)

    def _scores(
        self, courses: Sequence[Course], sessions: Sequence[EncodedSession]
    ) -> list[float]:
        highest = np.array([course.highest for course in courses])
        novelty = np.array(
            [
                self._support.novelty_of(course.rare, self._support.is_known(session))
                for course, session in zip(courses, sessions, strict=True)
            ]
        )
        seen = Views(
            highest / self._calibration.surprise_fence, novelty, np.zeros(len(courses))
        )
        return [float(s) for s in seen.joined(self._calibration.threshold)]

    def _advance(
        self, courses: list[Course], sessions: Sequence[EncodedSession]
    ) -> None:
        """Brings each course (N) to the end of its session (N), like with like."""
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for place, (course, session) in enumerate(zip(courses, sessions, strict=True)):
            if len(session.ids) > course.length:
                groups[len(session.ids) - course.length].append(place)
        for new, places in groups.items():
            width = min(new, SEGMENT) * self._network.config.vocabulary
            rows = max(1, BATCH_VALUES // width)
            for at in range(0, len(places), rows):
                self._advance_batch(places[at : at + rows], courses, sessions)

    def _advance_batch(
        self,
        places: Sequence[int],
        courses: list[Course],
        sessions: Sequence[EncodedSession],
    ) -> None:
        """As many new events in each."""
        inputs = [_to_read(courses[p], sessions[p]) for p in places]
        nats, carried = carry_on(
            self._network, inputs, [courses[p].carried for p in places], self._device
        )
        for row, place in enumerate(places):
            course, session = courses[place], sessions[place]
            if course.length == 0 and not session.starts:
                nats[row, 0] = 0.0
            highest = max(course.highest, float(nats[row].max()))
            grown = replace(course, highest=highest, carried=carried[row])
            courses[place] = self._with_patterns(grown, session)

    def _with_patterns(self, course: Course, session: EncodedSession) -> Course:
        """The rare patterns of what is new, and those that reach back from it."""
        from_start = session.starts and len(course.context) < CONTEXT
        new = EncodedSession(
            (*course.context, *session.ids[course.length :]), from_start, ends=False
        )
        rare = self._support.rare_among(new)
        return replace(
            course,
            length=len(session.ids),
            prefix=_prefix(session, len(session.ids)),
            context=tuple(collapsed(replace(new, starts=False))[-CONTEXT:]),
            rare=course.rare | rare if rare - course.rare else course.rare,
        )


class UnjudgedWhileOpen(GrowingScores):
    """For detectors that judge whole sessions: an open one is blamed for nothing."""

    def score(
        self, units: Sequence[Hashable], sessions: Sequence[EncodedSession]
    ) -> list[float]:
        """Zeros, (N)."""
        return [0.0] * len(sessions)


def _prefix(session: EncodedSession, length: int) -> int:
    return hash((session.starts, session.ids[:length]))


def _to_read(course: Course, session: EncodedSession) -> list[int]:
    """The last event that was judged, then the new ones: each judges the next."""
    if course.length == 0:
        return [BOS, *session.ids]
    return list(session.ids[course.length - 1 :])
