"""The feedback that holds now, and what it makes of a verdict.

Verdict ─▶ signature ─▶ narrowest feedback on it ─▶ suppressed, or re-kinded

A session that goes on has not shown its whole signature yet. Where all that it deviates
by so far is in a false alarm's, it is *doubted*: what it is shows when it ends.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from connector import FeedbackMark, Signature
from elkwatch.feedback.opinion import Opinion
from elkwatch.feedback.signature import signature_of
from elkwatch.privacy import Mask
from model import Advice, Verdict

_HOW_OFTEN = re.compile(r" ×\d+–\d+$")
AdviceOf = Callable[[str], Advice | None]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A verdict with what people said of its like. `suppressed`: a false alarm.

    `doubted`: its session goes on, and may come to be what they called one.
    """

    verdict: Verdict
    signature: Signature | None = None
    mark: FeedbackMark | None = None
    doubted: bool = False

    @property
    def suppressed(self) -> bool:
        """Whether nobody is to be alerted."""
        return self.mark is not None and self.mark.verdict == "false-alarm"


class Opinions:
    """Feedback on one source that holds at one time."""

    def __init__(self, opinions: Iterable[Opinion] = ()) -> None:
        self._narrow: dict[str, list[Opinion]] = defaultdict(list)
        self._wide: dict[str, list[Opinion]] = defaultdict(list)
        for one in opinions:
            signature = one.subject.signature
            if "signature" in one.scope:
                self._narrow[signature.signature_id].append(one)
            else:
                self._wide[signature.topic].append(one)

    def on(
        self, source: str, service: str | None, signature: Signature
    ) -> Opinion | None:
        """The narrowest that covers such a finding, the newest of equal ones."""
        found = (
            *self._narrow.get(signature.signature_id, ()),
            *self._wide.get(signature.topic, ()),
        )
        return max(
            (one for one in found if one.covers(source, service, signature)),
            key=lambda one: one.narrowness,
            default=None,
        )

    def _doubts(self, source: str, service: str | None, signature: Signature) -> bool:
        """Whether such a finding may become one that was called a false alarm."""
        so_far = _odd(signature)
        return bool(so_far) and any(
            one.verdict == "false-alarm"
            and so_far <= _odd(one.subject.signature)
            and one.covers(source, service, one.subject.signature)
            for one in chain(*self._narrow.values())
        )

    def precision(self) -> dict[str, float]:
        """Of each class that was judged: right / (right + false alarm)."""
        judged: dict[str, list[bool]] = defaultdict(list)
        for one in chain(*self._narrow.values(), *self._wide.values()):
            if one.verdict != "kind":
                judged[one.subject.class_id].append(one.verdict == "right")
        return {name: sum(all_) / len(all_) for name, all_ in sorted(judged.items())}

    def review(
        self, verdict: Verdict, source: str, mask: Mask, advice_of: AdviceOf
    ) -> Reviewed:
        """The verdict as it stands after feedback. A normal one stays as it is."""
        if not verdict.anomaly:
            return Reviewed(verdict)
        signature = signature_of(verdict, mask)
        said = self.on(source, verdict.service, signature)
        if said is None:
            doubted = not verdict.closed and self._doubts(
                source, verdict.service, signature
            )
            return Reviewed(verdict, signature, doubted=doubted)
        changed = verdict
        if said.verdict == "kind" and said.kind is not None:
            changed = _as_kind(verdict, said.kind, advice_of(said.kind))
        mark = FeedbackMark(
            said.feedback_id,
            said.verdict,
            said.who,
            said.reason,
            None if changed is verdict else verdict.class_id,
        )
        return Reviewed(changed, signature, mark)


def _odd(signature: Signature) -> frozenset[str]:
    """The lines that deviate, however often they came."""
    lines = (line for line in signature.lines if not line.startswith("= "))
    return frozenset(_HOW_OFTEN.sub("", line) for line in lines)


NO_OPINIONS = Opinions()


def holding(
    opinions: Iterable[Opinion], now: datetime, source: str | None = None
) -> Sequence[Opinion]:
    """Those that hold at a time, of one source or all."""
    return [
        one
        for one in opinions
        if one.holds(now) and source in (None, one.subject.source)
    ]


def _as_kind(verdict: Verdict, kind: str, advice: Advice | None) -> Verdict:
    """Of another class; its own advice stays where nobody wrote any for that."""
    told = advice or Advice(kind, verdict.severity, verdict.causes, verdict.advice)
    return replace(
        verdict,
        class_id=kind,
        known=True,
        class_name=told.name,
        severity=told.severity,
        causes=told.causes,
        advice=told.advice,
        topic=kind,
    )
