import random
from dataclasses import replace

import pytest
import torch

from model import (
    Classifier,
    Labels,
    Step,
    TrainedModel,
    TrainingConfig,
    TrainingError,
    evaluate,
    train,
)
from model.language_model import LanguageModelConfig
from tests.model.builders import cut_off, deadlocked, looping, session, shop
from tests.model.conftest import CONFIG

QUICK = TrainingConfig(
    language_model=LanguageModelConfig(hidden=8, embedding=4, epochs=2)
)


def test_three_kinds_are_found_and_named(trained: TrainedModel) -> None:
    patterns = {known.pattern for known in trained.classes}
    assert {"new-event", "missing-step", "repetition"} <= patterns
    names = [c.entry.told_in("en", c.about).name for c in trained.classes]
    assert "PostgreSQL deadlock" in names
    assert trained.classes[0].class_id == "c01"


def test_verdicts_name_the_kind_and_show_the_line(trained: TrainedModel) -> None:
    rng = random.Random(99)
    odd = [deadlocked("d", rng), cut_off("c", rng), looping("l", rng)]
    dead, cut, loop = Classifier(trained).classify(odd)
    assert [v.anomaly for v in (dead, cut, loop)] == [True] * 3
    assert [v.pattern for v in (dead, cut, loop)] == [
        "new-event",
        "missing-step",
        "repetition",
    ]
    assert dead.class_name == "PostgreSQL deadlock"
    assert "retry" in dead.advice
    assert "deadlock detected" in [line.message for line in dead.evidence]
    assert all(v.known and v.class_id.startswith("c") for v in (dead, cut, loop))
    assert all(v.risk > 50 for v in (dead, cut, loop))
    assert cut.missing


def test_normal_sessions_stay_normal(trained: TrainedModel) -> None:
    verdicts = Classifier(trained).classify(shop(200, seed=11))
    assert sum(v.anomaly for v in verdicts) <= 2
    assert all(
        v.class_id == "normal" and v.risk <= 50 for v in verdicts if not v.anomaly
    )


def test_a_kind_that_was_never_shown_is_unknown(trained: TrainedModel) -> None:
    strange = session(
        "x", ["connection received: host=10.0.0.1 port=5"] + ["core melted"] * 2
    )
    (verdict,) = Classifier(trained).classify([strange])
    assert verdict.anomaly
    assert not verdict.known
    assert verdict.class_id == verdict.pattern == "new-event"


def test_chinese_advice(trained: TrainedModel) -> None:
    odd = deadlocked("d", random.Random(5))
    (verdict,) = Classifier(trained, language="zh").classify([odd])
    assert verdict.class_name == "PostgreSQL 死锁"


def test_a_taught_kind_carries_its_label() -> None:
    rng = random.Random(4)
    taught = [looping(f"l{i}", rng) for i in range(12)]
    labels = Labels({s.key: "runaway" for s in taught}, named=True)
    model = train([*shop(200), *taught], CONFIG, labels=labels)
    assert [(c.class_id, c.taught) for c in model.classes] == [("runaway", True)]
    (verdict,) = Classifier(model).classify([looping("new", rng)])
    assert (verdict.class_id, verdict.known) == ("runaway", True)


def test_anomalies_without_a_kind_are_judged_by_what_they_did_not_teach() -> None:
    rng = random.Random(4)
    odd = [deadlocked(f"d{i}", rng) for i in range(6)]
    labels = Labels({s.key: "anomalous" for s in odd}, named=False)
    model = train([*shop(60), *odd], QUICK, labels=labels)
    deviants = model.figures["scores"]["deviants"]
    assert deviants["judged"] >= deviants["flagged"] >= 6


def test_ignored_sessions_teach_nothing() -> None:
    rng = random.Random(4)
    odd = [deadlocked(f"d{i}", rng) for i in range(40)]
    labels = Labels({s.key: "ignore" for s in odd}, named=True)
    model = train([*shop(100), *odd], QUICK, labels=labels)
    texts = [t.text for t in model.templates.templates]
    assert model.figures["sessions"] == 100
    assert "deadlock detected" not in texts


def test_equal_seeds_give_equal_weights() -> None:
    first, second = (train(shop(60), QUICK) for _ in range(2))
    other = train(shop(60), replace(QUICK, seed=1))
    for name, tensor in first.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])
    assert not torch.equal(
        first.network.next_event.weight, other.network.next_event.weight
    )


def test_training_says_how_far_it_is() -> None:
    steps: list[Step] = []
    train(shop(60), QUICK, progress=steps.append)
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages[:2] == ["0 templates", "1 next event"]
    assert all(0 < step.done <= step.total for step in steps)
    assert all(s.loss is not None for s in steps if s.stage == "1 next event")


def test_too_few_sessions_are_refused_in_one_line() -> None:
    with pytest.raises(TrainingError, match="--session-field"):
        train(shop(2), QUICK)


def test_evaluation_judges_against_truth(trained: TrainedModel) -> None:
    rng = random.Random(6)
    odd = [deadlocked(f"d{i}", rng) for i in range(10)]
    odd += [looping(f"l{i}", rng) for i in range(10)]
    normal = shop(80, seed=3)
    truth = {s.key: "normal" for s in normal}
    truth |= {s.key: "deadlock" if s.key[0] == "d" else "loop" for s in odd}
    found = evaluate(Classifier(trained), [*normal, *odd], Labels(truth, named=True))
    own = found.detection[0]
    assert (own.method, own.recall) == ("elkwatch", 1.0)
    assert own.f1 > 0.95
    methods = [row.method for row in found.detection]
    assert methods[1:4] == [
        "baseline: unseen template",
        "baseline: unseen count vector",
        "baseline: DeepLog top-k",
    ]
    assert "ablation: without the count vector" in methods
    assert found.adjusted_rand == pytest.approx(1.0)
    assert {kind.kind: kind.f1 for kind in found.kinds} == {"deadlock": 1, "loop": 1}
