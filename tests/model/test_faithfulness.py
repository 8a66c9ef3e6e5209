"""The evidence is what made the session anomalous: without it the score falls."""

import random
from dataclasses import replace

from model import Classifier, Session, TrainedModel
from model.vocabulary import encode
from tests.model.builders import deadlocked, looping


def without(session: Session, places: set[int]) -> Session:
    kept = [e for i, e in enumerate(session.events) if i not in places]
    return replace(session, events=tuple(kept))


def test_without_its_evidence_a_session_scores_lower(trained: TrainedModel) -> None:
    rng = random.Random(3)
    classifier = Classifier(trained)
    odd = [deadlocked("d", rng), looping("l", rng)]
    for session, verdict in zip(odd, classifier.classify(odd), strict=True):
        marked = {e.position for e in verdict.evidence} - {len(session.events)}
        assert marked
        cut = encode([without(session, marked)], trained.templates)
        assert classifier.score(cut)[0] < verdict.score


def test_what_was_expected_comes_with_its_chance(trained: TrainedModel) -> None:
    verdict = Classifier(trained).classify([deadlocked("d", random.Random(3))])[0]
    for line in verdict.evidence:
        chances = [p for _, p in line.expected]
        assert chances == sorted(chances, reverse=True)
        assert 0 < sum(chances) <= 1 + 1e-6
    deadlock = next(e for e in verdict.evidence if "deadlock" in e.template)
    assert "committed" in deadlock.expected[0][0]


def test_a_session_that_is_all_evidence_has_nothing_left_to_try(
    trained: TrainedModel,
) -> None:
    whole = deadlocked("d", random.Random(3))
    line = replace(whole.events[0], message="PANIC: nobody ever saw the like of this")
    verdict = Classifier(trained).classify([replace(whole, events=(line,))])[0]
    assert verdict.anomaly
    assert 0 in {e.position for e in verdict.evidence}
