"""Model out of date: what is normal has changed, and the model was not told.

    sessions of the last rounds ─▶ share flagged, share with a line that has no template
        ─▶ far above what training promised? ─▶ out of date, until the share is back

What is explained does not count as either: a known kind, a rule of the catalogue, a
critical finding, a session with an error line (telling.py). So an incident of known
faults leaves the model in its place, however large it is.

A release changes most sessions, trouble without an error line some: below FLOOR it is
taken for trouble and told, since a message too many costs less than one too few.

Sessions are counted, not lines: one incident of ten thousand new lines is one session.
Shares are judged by the bound of their interval, so that few sessions prove nothing,
and the state ends only below half of where it begins.

While it lasts findings of unknown kind are held back, and people are told of the state
instead (outdated.py). A day on which everything goes another way without an error line
looks the same from here: what is known, critical or an error is told as ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from model import TrainedModel, share_of

SESSIONS = 400
FEWEST = 50
FLOOR = 0.30
FACTOR = 3.0


class Batch(NamedTuple):
    """Sessions that were judged; of these, unexplained: flagged, with a new line."""

    judged: int
    flagged: int
    strange: int


@dataclass(frozen=True, slots=True)
class Promise:
    """Shares of sessions that training promised at most: flagged, with new lines."""

    flagged: float
    strange: float

    @classmethod
    def of(cls, model: TrainedModel) -> Promise:
        """By the upper bounds of its figures; an older bundle promises nothing."""
        figures = model.figures
        if "scores" not in figures or "unseen" not in figures:
            return cls(0.0, 0.0)
        held_out, unseen = figures["scores"]["held_out"], figures["unseen"]
        unusual = figures["cleaned_out"] / max(figures["sessions"], 1)
        normal = share_of(held_out["flagged"], held_out["sessions"])
        new = share_of(unseen["sessions_with_unknown"], unseen["held_out_sessions"])
        return cls((normal.high if normal else 0.0) + unusual, new.high if new else 0.0)


@dataclass(slots=True)
class Drift:
    """Whether the model of a source is out of date; one a source, kept with its cursor.

    `reason`: why it is, for people; empty while it is not. `since`: when that began, by
    the source's time. `told`: people know that it is; both outlive a training.
    """

    version: str
    promise: Promise
    batches: deque[Batch] = field(default_factory=deque)
    reason: str = ""
    since: datetime | None = None
    told: bool = False

    @property
    def outdated(self) -> bool:
        """Whether it is out of date now."""
        return bool(self.reason)

    @property
    def fits(self) -> bool:
        """Whether enough sessions were judged to say that it is not."""
        judged = sum(b.judged for b in self.batches)
        return judged >= FEWEST and not self.outdated

    @property
    def flagged_share(self) -> float:
        """Of the last sessions, 0 to 1."""
        judged = sum(b.judged for b in self.batches)
        return sum(b.flagged for b in self.batches) / judged if judged else 0.0

    def take(self, batch: Batch, at: datetime | None = None) -> None:
        """Counts sessions that were judged, and changes the state where it must.

        `at`: how far the source is known.
        """
        if not batch.judged:
            return
        self.batches.append(batch)
        while sum(b.judged for b in self.batches) - self.batches[0].judged >= SESSIONS:
            self.batches.popleft()
        judged = sum(b.judged for b in self.batches)
        if judged < FEWEST:
            return
        reasons = [
            self._why(
                judged,
                sum(b.flagged for b in self.batches),
                "deviate in no known way",
                True,
            ),
            self._why(judged, sum(b.strange for b in self.batches), "", False),
        ]
        self.reason = "; ".join(reason for reason in reasons if reason)
        if self.outdated and self.since is None:
            self.since = at
        if not self.outdated and not self.told:
            self.since = None

    def _why(self, judged: int, count: int, what: str, flagged: bool) -> str:
        promised = self.promise.flagged if flagged else self.promise.strange
        limit = min(0.9, max(FLOOR, FACTOR * promised))
        if self.outdated:
            over = count / judged > limit / 2
        else:  # the bound is below the share, and takes long to find
            over = count / judged > limit and _at_least(count, judged) > limit
        if not over:
            return ""
        verb = what or "hold lines that it has no template for"
        return (
            f"{count:,} of the last {judged:,} sessions {verb}; training promised "
            f"{promised:.1%} at most"
        )

    def state(self) -> dict[str, Any]:
        """What `restored` needs, as JSON."""
        return {
            "version": self.version,
            "batches": [list(batch) for batch in self.batches],
            "reason": self.reason,
            "since": None if self.since is None else self.since.isoformat(),
            "told": self.told,
        }

    def restored(self, state: Mapping[str, Any]) -> Drift:
        """As it stood when it was kept; another model begins anew."""
        known = Drift(
            self.version,
            self.promise,
            since=_time(state.get("since")),
            told=bool(state.get("told")),
        )
        if state.get("version") != self.version:
            # Should a crash have come between telling and storing that it was told.
            known.told = known.told or bool(state.get("reason"))
            return known if known.told else Drift(self.version, self.promise)
        known.batches.extend(Batch(*map(int, b)) for b in state.get("batches", ()))
        known.reason = str(state.get("reason", ""))
        return known


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def drift_of(model: TrainedModel) -> Drift:
    """A model that is not known to be out of date."""
    return Drift(model.version, Promise.of(model))


def _at_least(count: int, judged: int) -> float:
    """The lower bound of a share, 0 to 1."""
    share = share_of(count, judged)
    assert share is not None  # something was judged
    return share.low
