import random
from datetime import timedelta

import numpy as np
import pytest

from model import LogEvent, TemplateMiner
from model.detectors.amounts import farthest_amount, usual_amounts
from model.detectors.cleaning import error_events
from model.detectors.isolation_forest import Isolation
from model.detectors.protocol import Sample, Setting, detect
from model.detectors.rules import Rules
from model.detectors.sigma import Sigma
from model.detectors.support import SupportDistance
from model.detectors.unseen import UnseenCountVector, UnseenTemplate
from model.events import EncodedSession, Session
from model.vocabulary import BOS, EOS, UNK, Vocabulary, encode
from tests.model.builders import START, cut_off, deadlocked, encoded, looping, shop

Small = type[UnseenTemplate | UnseenCountVector | SupportDistance]
DETECTORS: list[Small] = [UnseenTemplate, UnseenCountVector, SupportDistance]


def as_ids(*groups: list[Session]) -> list[list[EncodedSession]]:
    miner = TemplateMiner()
    for group in groups:
        for session in group:
            for event in session.events:
                miner.learn(event.message)
    templates = miner.freeze()
    return [encode(group, templates) for group in groups]


@pytest.mark.parametrize("make", DETECTORS)
def test_what_was_trained_on_is_normal_and_a_new_template_is_not(
    make: Small,
) -> None:
    detector = make()
    detector.fit(encoded([4, 5, 6], [4, 5, 5, 6]) * 50)
    flags = detect(detector, encoded([4, 5, 6], [4, 9, 6]))
    assert flags.tolist() == [False, True]


@pytest.mark.parametrize("make", DETECTORS)
def test_scores_depend_on_the_session_alone(make: Small) -> None:
    detector = make()
    detector.fit(encoded([4, 5, 6], [4, 5, 5, 6]) * 50)
    sessions = encoded([4, 5, 6], [6, 5, 4], [4, 9], [5])
    together = detector.score(sessions)
    alone = [detector.score([session])[0] for session in sessions]
    assert np.allclose(together, alone)
    assert len(detector.score([])) == 0


def test_kinds_of_trouble_are_told_from_normal() -> None:
    rng = random.Random(1)
    odd = [make("x", rng) for make in (deadlocked, cut_off, looping)]
    train, normal, trouble = as_ids(shop(200), shop(40, seed=1), odd)
    detector = SupportDistance()
    detector.fit(train)
    assert not detect(detector, normal).any()
    assert detect(detector, trouble).all()


def test_a_few_anomalies_in_training_are_no_excuse_for_the_next() -> None:
    rng = random.Random(2)
    dirty = [deadlocked(f"d{i}", rng) for i in range(3)]
    train, again = as_ids(shop(297) + dirty, [deadlocked("again", rng)])
    detector, baseline = SupportDistance(), UnseenCountVector()
    detector.fit(train)
    baseline.fit(train)
    assert detector.clean.tolist() == [True] * 297 + [False] * 3
    assert detect(detector, again).all()
    assert not detect(baseline, again).any()


def test_an_open_unit_is_not_blamed_for_what_may_still_come() -> None:
    detector = SupportDistance()
    detector.fit(encoded(range(4, 14)) * 100)
    prefix = EncodedSession((4, 5), ends=False)
    assert not detect(detector, [prefix]).any()
    assert detect(detector, [EncodedSession((4, 5))]).all()


def test_a_session_does_not_support_itself() -> None:
    rare = SupportDistance()
    rare.fit(encoded([4, 5, 6]) * 294 + encoded([4, 9, 6]) * 6)
    assert rare.rare == 6
    assert (~rare.clean).sum() == 6
    common = SupportDistance()
    common.fit(encoded([4, 5, 6]) * 293 + encoded([4, 9, 6]) * 7)
    assert common.clean.all()


def any_order(count: int, seed: int = 0) -> list[list[int]]:
    """Steps in any order, some common, some not; each line has its time after it."""
    rng, flows = random.Random(seed), []
    for _ in range(count):
        steps = rng.choices(
            [[5, 6, 7], [8], [9], [10], [11], [12]], [4, 4, 2, 1, 0.5, 0.3], k=6
        )
        lines = [4, *(line for step in steps[: rng.randint(1, 6)] for line in step)]
        flows.append([one for line in lines for one in (line, 20)])
    return flows


def test_a_step_that_none_has_left_out_is_missed_where_any_order_is_usual() -> None:
    """Patterns of three drown there, but not those that next to nobody has."""
    detector = SupportDistance()
    detector.fit(encoded(*any_order(800)))
    assert detector.lengths == (1, 2, 3)
    assert detector.bounds[3] < detector.rare
    cut = encoded(*([*flow, 5, 20, 6, 20] for flow in any_order(50, seed=1)))
    assert detect(detector, cut).all()
    assert detect(detector, encoded(*any_order(500, seed=2))).mean() < 0.03
    again = SupportDistance.from_state(*detector.state())
    assert again.bounds == detector.bounds


def test_far_more_of_one_line_is_seen_where_sessions_are_of_all_lengths() -> None:
    rng = random.Random(3)
    usual = [
        [4, *[5] * rng.randint(1, 9), *[6] * rng.choice([1, 300])] for _ in range(400)
    ]
    detector = SupportDistance()
    detector.fit(encoded(*usual))
    probes = encoded([4, *[5] * 40, 6], [4, *[5] * 20, 6])
    assert detect(detector, probes).tolist() == [True, False]
    again = SupportDistance.from_state(*detector.state())
    assert detect(again, probes).tolist() == [True, False]


def test_an_amount_is_held_against_the_sessions_that_have_the_line_at_all() -> None:
    sessions = encoded(*[[4]] * 900, *[[4, 5]] * 97, *[[4, *[5] * 10]] * 3)
    usual = usual_amounts(sessions)
    assert usual == {4: 1, 5: 10}
    assert usual_amounts([*sessions, *encoded([4, 5]) * 100]) == {4: 1, 5: 1}
    assert farthest_amount(EncodedSession((4, 5, 5, 5)), {4: 1, 5: 1}) == 1
    assert farthest_amount(EncodedSession((4, 9, 9, 9, 9)), {4: 1}) == pytest.approx(
        1 / 3
    )


def test_state_restores_the_same_scores() -> None:
    train, probes = as_ids(shop(100), shop(30, seed=5))
    detector = SupportDistance()
    detector.fit(train)
    meta, arrays = detector.state()
    again = SupportDistance.from_state(meta, arrays)
    probes.append(EncodedSession((BOS + 50, EOS + 60)))
    assert np.array_equal(again.score(probes), detector.score(probes))


def test_cut_off_flows_in_training_are_cleaned_out_by_their_counts() -> None:
    detector = SupportDistance()
    usual = encoded(*[[4, 5, *[6] * n, 7, 8, 9] for n in range(1, 60)]) * 6
    detector.fit(usual + encoded([4]) * 3)
    assert not detector.clean[-3:].any()
    assert detector.clean[:-3].mean() > 0.95


def test_an_error_that_one_session_in_twenty_shows_is_not_learned_as_normal() -> None:
    sessions = encoded(*[[4, 5, 6]] * 190, *[[4, 9, 6]] * 10)
    tolerant, strict = SupportDistance(), SupportDistance()
    tolerant.fit(sessions)
    strict.fit(sessions, errors=[9])
    again = encoded([4, 9, 6])
    assert tolerant.clean.all()
    assert not detect(tolerant, again).any()
    assert strict.clean.tolist() == [True] * 190 + [False] * 10
    assert detect(strict, again).all()


def test_an_error_that_most_sessions_show_is_their_normal_way() -> None:
    detector = SupportDistance()
    detector.fit(encoded([4, 9, 6]) * 100, errors=[9])
    assert detector.clean.all()
    assert not detect(detector, encoded([4, 9, 6])).any()


def test_sessions_cut_short_are_not_learned_though_they_come_often() -> None:
    whole = encoded(*[[4, 5, *[6, 7] * n, 8] for n in range(3, 9)]) * 32
    detector = SupportDistance()
    detector.fit(whole + encoded([4, 8]) * 6)
    assert detector.clean.tolist() == [True] * len(whole) + [False] * 6
    assert detect(detector, encoded([4, 8])).all()


def test_a_rare_way_of_working_with_lines_of_its_own_is_not_cut_short() -> None:
    detector = SupportDistance()
    detector.fit(encoded([4, 5, 6, 7, 8]) * 194 + encoded([20, 21]) * 6)
    assert detector.clean.all()


def test_what_people_call_normal_twice_is_normal() -> None:
    sessions = encoded(*[[4, 5, 6]] * 297, *[[4, 9, 10, 6]] * 3)
    trusted = np.array([False] * 297 + [True] * 3)
    detector = SupportDistance()
    detector.fit(sessions, errors=[9], trusted=trusted)
    assert detector.clean.all()
    known, others = encoded([4, 9, 10, 6]), encoded([4, 9, 6], [4, 10, 9, 6])
    assert not detect(detector, known).any()
    assert detect(detector, others).all()
    once = SupportDistance()
    once.fit(sessions, trusted=np.array([False] * 299 + [True]))
    assert detect(once, known).all()


def test_what_is_known_survives_a_bundle() -> None:
    sessions = encoded(*[[4, 5, 6]] * 97, *[[4, 9, 6]] * 3)
    detector = SupportDistance()
    detector.fit(sessions, trusted=np.ones(100, dtype=bool))
    again = SupportDistance.from_state(*detector.state())
    assert again.score(sessions).tolist() == detector.score(sessions).tolist()
    assert not detect(again, encoded([4, 9, 6])).any()


def test_severity_of_a_line_makes_its_template_an_error() -> None:
    lines = [("up", "INFO"), ("failed", "Error"), ("mixed", "ERROR"), ("mixed", None)]
    events = tuple(
        LogEvent(START, text, "k", severity=severity) for text, severity in lines
    )
    found = error_events([Session("k", events)], encoded([4, 5, 6, 6]))
    assert found == {5}


def test_rules_know_errors_by_their_lines_and_without_them_by_their_templates() -> None:
    normal, bad = (
        Sample(
            (4, event),
            lines=(
                LogEvent(START, "up", "k", severity="INFO"),
                LogEvent(START, "gone", "k", severity=severity),
            ),
        )
        for event, severity in ((5, "INFO"), (6, "ERROR"))
    )
    rules = Rules(Setting(Vocabulary(("up", "well", "gone"))))
    rules.fit([normal] * 5 + [bad], [None] * 5 + ["anomalous"])
    assert rules.score([normal, bad]).tolist() == [0.0, 2.0]
    bare = [Sample(ids) for ids in ((4, 5), (4, 6), (4, UNK))]
    assert rules.score(bare).tolist() == [0.0, 2.0, 2.0]
    known = Sample((4, UNK), lines=(normal.lines[0], normal.lines[1]))
    assert rules.score([known]).tolist() == [0.5]


def test_sigma_takes_a_rate_that_nothing_tells_for_no_distance() -> None:
    def timed(seconds: float) -> Sample:
        end = START + timedelta(seconds=seconds)
        return Sample((4, 5), lines=(LogEvent(START, "a"), LogEvent(end, "b")))

    sigma = Sigma(Setting(Vocabulary(("a", "b"))))
    sigma.fit([timed(1 + i / 100) for i in range(50)])
    slow, usual, bare = sigma.score([timed(0.001), timed(1.2), Sample((4, 5))])
    assert slow > sigma.threshold > usual
    assert bare == 0.0


def test_a_line_nobody_knows_isolates_a_session() -> None:
    forest = Isolation(Setting(Vocabulary(("a", "b", "c"))))
    forest.fit([Sample((4, *[5] * n, 6)) for n in range(1, 9)] * 50)
    usual, strange = forest.score([Sample((4, 5, 5, 6)), Sample((4, 5, 5, UNK, 6))])
    assert strange > usual + 0.05


def test_what_is_rare_is_for_the_user_to_say() -> None:
    """Of 1,000 sessions ten go another way: trouble, or a job that runs at night."""
    usual, nightly = EncodedSession((4, 5, 6)), EncodedSession((4, 7, 8, 6))
    sessions = [usual] * 990 + [nightly] * 10
    for share, flagged in ((0.02, True), (0.005, False), (0.0, False)):
        support = SupportDistance(share)
        support.fit(sessions)
        assert (support.score([nightly])[0] > 1) == flagged
        assert support.score([usual])[0] <= 1
        assert support.score([EncodedSession((4, 9, 6))])[0] > 1
