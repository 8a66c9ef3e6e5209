"""The built-in kind of a deviation, decided from features a person can check.

In this order: a line that training hardly knows; far more of one line than sessions
with it have; more of something than the nearest normal session has; less of something;
the same counts in another order; far more or fewer lines; a line where another was
expected; else a slight deviation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.surprise import Surprise
from model.vocabulary import BOS, UNK

MIN_REPEATS = 3
BETWEEN_SHARE = 1 / 3
RARE_NATS = 4.0


@dataclass(frozen=True, slots=True)
class Gap:
    """How many more or fewer of an event than in the nearest normal session.

    `share` sets it against what is normal: 1 → 9 says more than 40 → 60.
    """

    event: int
    count: float
    share: float


@dataclass(frozen=True, slots=True)
class PatternReading:
    """The built-in kind, and the event ids that it is about.

    `missing` were expected by the nearest normal session and did not come. `subject` is
    the event to name it by: of a missing step, the one it was expected after.
    """

    pattern: str
    about: tuple[int, ...]
    missing: tuple[int, ...]
    subject: int | None = None

    @property
    def by_counts(self) -> bool:
        """Whether it is about how many of each there are, not which."""
        return self.pattern not in ("new-event", "rare-event")


def read_pattern(
    session: EncodedSession, surprise: Surprise, support: SupportDistance
) -> PatternReading:
    """The built-in kind of one anomalous session. Pure; needs no network."""
    more, fewer = _differences(session, support)
    missing = tuple(gap.event for gap in fewer)
    unseen = _hardly_known(session, support, 0.5)
    if unseen:
        return PatternReading("new-event", unseen, missing, unseen[0])
    rare = _hardly_known(session, support, support.rare)
    if rare:
        return PatternReading("rare-event", rare, missing, rare[0])
    repeated = support.far_amounts(session)
    if repeated:
        return PatternReading("repetition", repeated, missing, repeated[0])
    pattern, about = _by_counts(session, surprise, more, fewer)
    if pattern in ("missing-step", "broken-order"):
        subject: int | None = _before_worst(session, surprise)
    else:
        subject = about[0] if about else None
    return PatternReading(pattern, about, missing, subject)


def _before_worst(session: EncodedSession, surprise: Surprise) -> int:
    """The event before the most surprising one: where the flow left its course.

    Not the one that stands between all others, such as how long each took.
    """
    worst = int(surprise.nats.argmax())
    if worst == 0:
        return BOS
    event, times = Counter(session.ids).most_common(1)[0]
    between = event if times > BETWEEN_SHARE * len(session.ids) else None
    before = (event for event in reversed(session.ids[:worst]) if event != between)
    return next(before, session.ids[worst - 1])


def _by_counts(
    session: EncodedSession, surprise: Surprise, more: list[Gap], fewer: list[Gap]
) -> tuple[str, tuple[int, ...]]:
    gained = sum(gap.count for gap in more)
    lost = sum(gap.count for gap in fewer)
    most = max((gap.count for gap in more), default=0.0)
    cut_off = session.ends and float(surprise.nats[-1]) > RARE_NATS
    if most >= MIN_REPEATS and gained >= 2 * lost:
        return "repetition", tuple(gap.event for gap in more)
    left_out = fewer and (not more or fewer[0].share > more[0].share)
    if fewer and (lost > gained or cut_off or left_out):
        return "missing-step", tuple(gap.event for gap in fewer)
    if cut_off:
        return "missing-step", session.ids[-1:]
    worst = int(surprise.nats.argmax())
    unexpected = session.ids[worst : worst + 1] if surprise.highest > RARE_NATS else ()
    if gained + lost <= 2 and unexpected:
        return "broken-order", unexpected
    about = tuple(gap.event for gap in (*more, *fewer))
    if gained + lost > len(session.ids) / 2:
        return "rate-change", about
    if unexpected:
        return "broken-order", tuple(dict.fromkeys((*unexpected, *about)))
    return "slight-deviation", about


def _hardly_known(
    session: EncodedSession, support: SupportDistance, below: float
) -> tuple[int, ...]:
    """Event ids that fewer training sessions hold than this, the rarest first."""
    odd = {
        event: support.support(event)
        for event in session.ids
        if event == UNK or support.support(event) < below
    }
    return tuple(sorted(odd, key=lambda event: (odd[event], event)))


def holds_unusual_line(session: EncodedSession, support: SupportDistance) -> bool:
    """Whether any of its lines is one that training hardly knows."""
    return bool(_hardly_known(session, support, support.rare))


def _differences(
    session: EncodedSession, support: SupportDistance
) -> tuple[list[Gap], list[Gap]]:
    """What there is more and fewer of than in the nearest normal session."""
    nearest = support.nearest_counts(session)
    counts = Counter(session.ids)
    more, fewer = [], []
    for event in sorted({*counts, *nearest}):
        usual = nearest.get(event, 0.0)
        count = abs(counts.get(event, 0) - usual)
        gap = Gap(event, count, count / (usual + 1.0))
        if counts.get(event, 0) > usual:
            more.append(gap)
        elif count and session.starts and session.ends:
            fewer.append(gap)
    more.sort(key=lambda gap: -gap.share)
    fewer.sort(key=lambda gap: -gap.share)
    return more, fewer
