"""Which known line a new one is most like."""

from __future__ import annotations

import random

import numpy as np
import pytest

from model import Classifier, DetectorError, TrainedModel, texts
from model.detectors.protocol import Sample, Setting
from model.detectors.registry import make
from model.texts import NearestText, SentenceTexts, TextEncoder, TfidfTexts, words
from model.vocabulary import UNK, Vocabulary
from tests.model.builders import START, deadlocked, session, shop_session

KNOWN = (
    "connection received: host=<IP> port=<NUM>",
    "could not write to disk <PATH>: no space left",
    "user <*> logged in",
)
with_weights = pytest.mark.skipif(
    not texts.has_embeddings(),
    reason="the extra `semantic`, with the weights, is not installed",
)


@pytest.fixture(params=[TfidfTexts, pytest.param(SentenceTexts, marks=with_weights)])
def encoder(request: pytest.FixtureRequest) -> TextEncoder:
    made: TextEncoder = request.param()
    return made


def test_words_are_what_is_left_without_values() -> None:
    assert words("User <*> paid 17 EUR at 10.0.0.1 (order_id=x7)") == [
        *("user", "paid", "eur", "at", "order", "id", "x")
    ]
    assert words("用户 <NUM> 登录失败") == ["用户", "登录失败"]


def test_the_nearest_has_most_words_in_common(encoder: TextEncoder) -> None:
    nearest = NearestText(encoder, KNOWN)
    found = nearest.of(["user bob logged in again", *KNOWN, "no space left on /srv"])
    assert [place for place, _ in found] == [2, 0, 1, 2, 1]
    assert [round(cosine, 3) for _, cosine in found[1:4]] == [1, 1, 1]
    assert all(0 < cosine < 1 for _, cosine in (found[0], found[4]))


def test_one_by_one_is_as_together(encoder: TextEncoder) -> None:
    nearest = NearestText(encoder, KNOWN)
    probes = ["disk is full", "port closed", "zzz", ""]
    alone = [nearest.of([probe])[0] for probe in probes]
    assert np.allclose([c for _, c in nearest.of(probes)], [c for _, c in alone], 1e-4)


def test_the_same_words_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    nearest = NearestText(TfidfTexts(), KNOWN)
    (first,) = nearest.of(["no space left on /srv/4"])
    monkeypatch.setattr(nearest, "_of", lambda texts: [(9, 9.0) for _ in texts])
    assert nearest.of(["No space left on /srv/7", "other"]) == [first, (9, 9.0)]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.texts.REMEMBERED", 2)
    nearest = NearestText(TfidfTexts(), KNOWN)
    probes = ["disk is full", "port closed", "user", "disk is full"]
    assert nearest.of(probes) == [nearest.of([probe])[0] for probe in probes]
    assert len(nearest._found) == 2


def test_nothing_in_common_and_nothing_known() -> None:
    assert NearestText(TfidfTexts(), KNOWN).of(["qwertz", ""]) == [(0, 0.0)] * 2
    assert NearestText(TfidfTexts(), ()).of(["user"]) == [(0, 0.0)]
    assert NearestText(TfidfTexts(), ("<NUM>",)).of(["12"]) == [(0, 0.0)]


@with_weights
def test_embeddings_know_words_that_mean_the_same() -> None:
    nearest = NearestText(SentenceTexts(), KNOWN)
    ((place, cosine),) = nearest.of(["the hard drive is full"])
    assert place == 1
    assert cosine > 0.3
    assert NearestText(TfidfTexts(), KNOWN).of(["the hard drive is full"])[0][1] == 0


def test_without_the_extra_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(texts, "has_embeddings", lambda: False)
    texts._minilm.cache_clear()
    with pytest.raises(DetectorError, match=r"pip install 'elkwatch\[semantic\]'"):
        SentenceTexts()


def test_a_line_much_like_a_known_one_is_less_of_an_alarm() -> None:
    detector = make("text-tfidf", Setting(Vocabulary(KNOWN)))
    detector.fit([Sample((4, 6))] * 50)
    near, far = (
        Sample((4, UNK), lines=session("k", ["x", line]).events)
        for line in ("user bob logged in twice", "reactor melted")
    )
    usual, known, strange = Sample((4, 6)), Sample((4, 5)), Sample((4, UNK))
    scores = detector.score([usual, near, far, known, strange])
    assert scores[0] == 0
    assert 0 < scores[1] < scores[2] == scores[4] == 1
    assert scores[3] == 1
    assert (scores > detector.threshold).tolist() == [False, True, True, True, True]


def test_a_never_seen_line_is_told_with_the_template_most_like_it(
    trained: TrainedModel,
) -> None:
    lines = [event.message for event in shop_session("n", random.Random(1)).events]
    lines[2:2] = ["query executed by the planner", "reactor melted"]
    odd = session("new", lines, START)
    (verdict,) = Classifier(trained).classify([odd])
    assert verdict.anomaly
    told = {line.message: line for line in verdict.evidence}
    nearest = told["query executed by the planner"].nearest
    assert nearest is not None
    assert nearest[0].startswith("query executed in")
    assert 0.4 < nearest[1] < 1
    assert told["reactor melted"].nearest is None
    (record,) = [
        r for r in verdict.record()["evidence"] if r["message"].startswith("query exec")
    ]
    assert record["nearest"] == [nearest[0], round(nearest[1], 4)]
    (known,) = Classifier(trained).classify([deadlocked("d", random.Random(2))])
    assert all("nearest" not in r for r in known.record()["evidence"])
