"""The figures of a training: what was logged, and counts that can be made by hand."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from model import Labels, Session, Step, TrainedModel, TrainingConfig, train
from model.best_epoch import History
from model.class_discovery import ClassSet, HeldOutKind
from model.class_map import draw_map
from model.class_training import ClassTrainingConfig
from model.comparison import compare
from model.language_model import LanguageModelConfig
from model.training_config import is_held_out
from model.training_figures import Learned, training_figures
from model.vocabulary import UNK, encode
from tests.model.builders import deadlocked, looping, session, shop

QUICK = TrainingConfig(
    language_model=LanguageModelConfig(hidden=8, embedding=4, epochs=4),
    classes=ClassTrainingConfig(hidden=8, epochs=4),
)
CORE = "the core has melted"


def odd_ones(count: int = 12) -> list[Session]:
    rng = random.Random(7)
    return [deadlocked(f"d{i}", rng) for i in range(count)] + [
        looping(f"l{i}", rng) for i in range(count)
    ]


def test_the_losses_are_those_that_were_logged() -> None:
    steps: list[Step] = []
    figures = train(shop(80), QUICK, discover=odd_ones(), progress=steps.append).figures
    for stage, name, best in (
        ("1 next event", "epochs", "best_epoch"),
        ("4 classes", "class_epochs", "class_best_epoch"),
    ):
        logged = [s for s in steps if s.stage == stage]
        assert len(logged) == 4
        assert [
            (e["loss"], e["held_out_loss"], e["learning_rate"]) for e in figures[name]
        ] == [(s.loss, s.held_out_loss, s.learning_rate) for s in logged]
        losses = [e["held_out_loss"] for e in figures[name]]
        assert figures[best] == 1 + losses.index(min(losses))


def test_equal_seeds_give_equal_figures_and_others_do_not() -> None:
    first, second = (train(shop(60), QUICK, discover=odd_ones()) for _ in range(2))
    other = train(shop(60), replace(QUICK, seed=1), discover=odd_ones())
    assert first.figures == second.figures
    assert first.figures["epochs"] != other.figures["epochs"]


def test_scores_are_counted_by_what_the_split_held_out() -> None:
    sessions = shop(200)
    figures = train(sessions, QUICK).figures
    scores = figures["scores"]
    held_out = [s for s in sessions if is_held_out(s.unit, QUICK)]
    assert 10 < len(held_out) < 50
    assert (
        scores["held_out"]["sessions"] + scores["held_out_unusual"]["sessions"]
        == len(held_out)
    )  # fmt: skip
    for group in ("held_out", "cleaned_out", "deviants"):
        values = scores[group]["values"]
        assert values == sorted(values)
        assert scores[group]["flagged"] == sum(v > scores["threshold"] for v in values)
    assert scores["deviants"]["sessions"] == figures["suspects"]


def test_what_was_left_out_is_told_with_its_reason() -> None:
    sessions = shop(100)
    melted = session("melted", [CORE, *(e.message for e in sessions[0].events)])
    lines = [e.message for e in sessions[1].events]
    turned = session("turned", [lines[0], *lines[-2:0:-1], lines[-1]])
    given = [*sessions[:30], melted, *sessions[30:], turned]
    model = train(given, QUICK)
    by_place = {c["place"]: c for c in model.figures["cleaned"]}
    assert model.figures["cleaned_out"] == len(by_place)
    told = by_place[30]
    assert (told["reason"], told["others"]) == ("rare-template", 0)
    assert [model.vocabulary.text(e) for e in told["about"]] == [CORE]
    told = by_place[len(given) - 1]
    assert (told["reason"], told["others"]) == ("rare-order", 0)
    assert len(told["about"]) > 1


def test_places_are_those_of_the_sessions_given_whatever_labels_take_out() -> None:
    melted = session("melted", [CORE] * 3)
    labels = Labels({"d0": "ignore", "d1": "stuck"}, named=True)
    given = [*odd_ones(2)[:2], *shop(60), melted]
    (left_out,) = train(given, QUICK, labels=labels).figures["cleaned"]
    assert given[left_out["place"]] is melted


def test_lines_that_only_held_out_sessions_have_are_counted() -> None:
    sessions = shop(120)
    aside = [s for s in sessions if is_held_out(s.unit, QUICK)][:2]
    changed = {
        s.unit: session(s.unit, [*(e.message for e in s.events), CORE]) for s in aside
    }
    given = [changed.get(s.unit, s) for s in sessions]
    model = train(given, QUICK)
    unseen = model.figures["unseen"]
    assert unseen["unknown_events"] == unseen["sessions_with_unknown"] == 2
    held_out = [s for s in given if is_held_out(s.unit, QUICK)]
    assert unseen["held_out_sessions"] == len(held_out)
    assert unseen["held_out_events"] == sum(len(s.events) for s in held_out)
    assert unseen["session_counts"][model.vocabulary.texts.index(CORE)] == 2


def test_figures_hold_no_word_of_the_logs() -> None:
    given = [*shop(60), session("secret-name", [CORE] * 3)]
    written = json.dumps(train(given, QUICK, discover=odd_ones()).figures)
    for word in (CORE, "secret-name", "deadlock detected", "logged in", "s0-1"):
        assert word not in written


def learned(model: TrainedModel, held_out: list[HeldOutKind]) -> Learned:
    """What a training on 40 normal sessions would leave behind, held out by hand."""
    sessions = shop(40, seed=21)
    pool = encode(sessions, model.templates)
    model.support.clean = np.ones(40, dtype=bool)
    return Learned(
        span=(sessions[0].start, sessions[-1].end), pool=pool, places=np.arange(40),
        aside=np.arange(40) < 10, suspects=[], suspects_in_pool=False,
        taught=[h.session for h in held_out], taught_kinds=[h.kind for h in held_out],
        suspected=[], support=model.support, vocabulary=model.vocabulary,
        network=model.network, calibration=model.calibration, history=History(),
        found=ClassSet(model.kinds, model.classes, (), held_out=tuple(held_out)),
        overflow=0, device=torch.device("cpu"),
    )  # fmt: skip


def test_confusion_and_recall_equal_a_count_by_hand(trained: TrainedModel) -> None:
    rng = random.Random(5)
    odd = [deadlocked(f"d{i}", rng) for i in range(4)]
    dull = shop(1, seed=33)
    known = trained.classes[0].class_id
    given = [known, known, "other", None, known]
    codes = encode([*odd, *dull], trained.templates)
    held_out = [
        HeldOutKind(code, known, called)
        for code, called in zip(codes, given, strict=True)
    ]
    figures = training_figures(learned(trained, held_out))
    table = figures["confusion"]
    columns, rows = table["columns"], {r["kind"]: r["counts"] for r in table["rows"]}
    # Four are flagged: two called right, one fits no class, one is called by a name
    # that this model has no column for. The dull one is not flagged at all.
    assert columns == ["normal", known, "unknown kind"]
    assert rows[known] == [1, 2, 1]
    assert rows["normal"] == [10, 0, 0]
    (row,) = figures["labelled"]
    assert (row["kind"], row["sessions"], row["detected"]) == (known, 5, 4)
    assert (row["held_out"], row["right"]) == (5, 2)


def test_a_fifth_of_each_labelled_kind_is_held_out() -> None:
    taught = odd_ones(12)
    names = {"d": "deadlock", "l": "loop"}
    labels = Labels({s.key: names[s.key[0]] for s in taught}, named=True)
    model = train([*shop(100), *taught], QUICK, labels=labels)
    counts = {r["kind"]: sum(r["counts"]) for r in model.figures["confusion"]["rows"]}
    normal = model.figures["scores"]["held_out"]["sessions"]
    assert counts == {"normal": normal, "deadlock": 2, "loop": 2}
    assert [row["held_out"] for row in model.figures["labelled"]] == [2, 2]
    assert [row["sessions"] for row in model.figures["labelled"]] == [12, 12]


def test_too_few_of_a_kind_are_judged_by_no_name() -> None:
    taught = odd_ones(3)[:3]
    labels = Labels({s.key: "deadlock" for s in taught}, named=True)
    figures = train([*shop(60), *taught], QUICK, labels=labels).figures
    assert figures["confusion"] is None
    (row,) = figures["labelled"]
    assert (row["sessions"], row["held_out"]) == (3, 0)


def test_the_map_holds_the_directions_of_most_variance() -> None:
    along = np.zeros((30, 6), dtype=np.float32)
    along[:, 2] = np.linspace(0, 1, 30)
    along[::2, 4] = 0.1
    drawn = draw_map(along, np.arange(30) % 3 - 1)
    total = along.var(axis=0)
    assert drawn.shares[0] == pytest.approx(total[2] / total.sum(), abs=0.01)
    assert sum(drawn.shares) == pytest.approx(1.0, abs=1e-3)
    assert [label for *_, label in drawn.points] == [i % 3 - 1 for i in range(30)]
    xs = [x for x, *_ in drawn.points]
    assert xs in (sorted(xs), sorted(xs, reverse=True))


@pytest.mark.parametrize("rows", [0, 2, 5])
def test_where_nothing_differs_there_is_no_map(rows: int) -> None:
    same = np.ones((rows, 4), dtype=np.float32)
    assert draw_map(same, np.zeros(rows, dtype=np.int64)).points == ()


def test_two_models_on_the_same_sessions(trained: TrainedModel) -> None:
    other = train([*shop(100), *odd_ones(40)], QUICK)  # trouble as everyday life
    probes = [*shop(3, seed=9), *odd_ones(1)]
    judged = compare(trained, other, probes, [False] * 5)
    assert [j.session for j in judged] == probes
    assert [j.old > 1 for j in judged] == [False, False, False, True, True]
    assert not any(j.new > 1 for j in judged)


def test_a_session_of_its_own_training_does_not_speak_for_itself() -> None:
    melted = session("melted", [CORE] * 3)
    model = train([*shop(40), melted], QUICK)
    assert encode([melted], model.templates)[0].ids[0] != UNK
    (fitted,) = compare(model, model, [melted], [True])
    assert fitted.new >= fitted.old > 1
