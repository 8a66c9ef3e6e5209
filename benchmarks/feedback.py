"""What people's feedback does on HDFS by time: figures of one seed.

The first half of the sessions in time trains (labels keep anomalies out), the second
half is scored; it spans less than one day, so that *the first day* of it is the whole.
Every false alarm is told of as one, by signature, never a right one. Rows:

    no feedback              all of the second half
    each counts for the next one   all of it; a false alarm is told once, at once
    of the first part        told of the false alarms of the first half of that time,
                             scored on the rest (and the rest without feedback)
    of all, once more        the whole second half again, with all of its feedback

The baseline is the unseen count vector with feedback by equal count vector.

What feedback must not do is counted too: anomalies that a false alarm's signature
hides, and anomalies that share theirs with one of another kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from benchmarks.kinds import Trained
from elkwatch.feedback import signature_of
from model import Classifier, Session
from model.detectors.unseen import counts_digest
from model.labels import IGNORE, NORMAL
from model.vocabulary import encode

HIDDEN = "anomalies hidden by feedback on every false alarm"
SHARED = "anomalies that feedback on another kind would hide"


@dataclass(frozen=True, slots=True)
class Judged:
    """A session with its truth; `alike`: what feedback on it covers."""

    session: Session
    odd: bool
    flagged: bool
    alike: Hashable


def feedback_figures(trained: Trained) -> dict[str, float]:
    """F1 of each row, of elkwatch and of the baseline."""
    return {
        f"{method}: {row}": found
        for method, judged in judgements(trained).items()
        for row, found in rows(judged).items()
    }


def hidden_figures(trained: Trained) -> dict[str, float]:
    """How many anomalies feedback by signature would hide."""
    judged = judgements(trained)["elkwatch"]
    told = told_of(judged)
    kinds: dict[Hashable, list[str | None]] = defaultdict(list)
    for one in judged:
        if one.flagged and one.odd:
            kinds[one.alike].append(trained.truth.of(one.session))
    return {
        HIDDEN: float(sum(len(kinds[alike]) for alike in told)),
        SHARED: float(sum(len(own) for own in kinds.values() if len(set(own)) > 1)),
    }


def judgements(trained: Trained) -> dict[str, list[Judged]]:
    """What elkwatch and the baseline say of the second half, in time."""
    model, truth = trained.model, trained.truth
    scored = [s for s in trained.drawn.test if truth.of(s) not in (None, IGNORE)]
    scored.sort(key=lambda session: session.end)
    verdicts = Classifier(model).classify(scored)
    keys = [counts_digest(one) for one in encode(scored, model.templates)]
    odd = [truth.of(session) != NORMAL for session in scored]
    seen = model.baselines.seen_counts
    return {
        "elkwatch": [
            Judged(s, o, v.anomaly, signature_of(v, str).signature_id)
            for s, o, v in zip(scored, odd, verdicts, strict=True)
        ],
        "baseline: unseen count vector": [
            Judged(s, o, k not in seen, k)
            for s, o, k in zip(scored, odd, keys, strict=True)
        ],
    }


def rows(judged: Sequence[Judged]) -> dict[str, float]:
    """F1 of each row of the table."""
    start, end = judged[0].session.end, judged[-1].session.end
    half = start + (end - start) / 2
    first = [one for one in judged if one.session.end < half]
    rest = judged[len(first) :]
    return {
        "no feedback": f1(judged, set()),
        "each counts for the next one": in_turn(judged),
        "the rest, no feedback": f1(rest, set()),
        "the rest, feedback of the first part": f1(rest, told_of(first)),
        "of all, once more": f1(judged, told_of(judged)),
    }


def told_of(judged: Sequence[Judged]) -> set[Hashable]:
    """What the false alarms among these are like."""
    return {one.alike for one in judged if one.flagged and not one.odd}


def f1(judged: Sequence[Judged], told: set[Hashable]) -> float:
    """F1 where what is like those told of is no alarm."""
    return _f1(judged, lambda one: one.flagged and one.alike not in told)


def in_turn(judged: Sequence[Judged]) -> float:
    """F1 where each false alarm is told of before the next session ends."""
    told: set[Hashable] = set()

    def alarm(one: Judged) -> bool:
        raised = one.flagged and one.alike not in told
        if raised and not one.odd:
            told.add(one.alike)
        return raised

    return _f1(judged, alarm)


def _f1(judged: Sequence[Judged], alarm: Callable[[Judged], bool]) -> float:
    alarms = [alarm(one) for one in judged]
    right = sum(a and one.odd for a, one in zip(alarms, judged, strict=True))
    return 2 * right / max(1, sum(alarms) + sum(one.odd for one in judged))
