"""Few labelled sessions, no two alike: who decides, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from model import (
    BundleError,
    Classifier,
    DetectorChoice,
    Labels,
    TrainedModel,
    TrainingConfig,
    evaluate,
    fit_detectors,
    load_bundle,
    save_bundle,
    train,
    with_detectors,
)
from model.class_training import ClassTrainingConfig
from model.comparison import compare
from model.language_model import LanguageModelConfig
from model.presence import PresenceHead
from model.presence_choice import (
    UNKNOWN_KIND,
    Codes,
    Labelled,
    head_decides,
    macro_f1,
    may_compete,
)
from model.settings import with_settings
from model.vocabulary import UNK, encode
from tests.model.applications import SIGNS, applications
from tests.model.builders import deadlocked, encoded, looping, session, shop

NOW = datetime(2026, 11, 26, tzinfo=UTC)
QUICK = TrainingConfig(
    language_model=LanguageModelConfig(hidden=8, embedding=4, epochs=4),
    classes=ClassTrainingConfig(hidden=8, epochs=4),
)
PARTS = ("presence.json", "presence.safetensors")


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    sessions, labels = applications()
    return train(sessions, QUICK, labels=labels)


@pytest.fixture
def bundle(model: TrainedModel, tmp_path: Path) -> Path:
    save_bundle(model, tmp_path / "m", now=NOW)
    return tmp_path / "m"


def named_right(model: TrainedModel, seed: int) -> float:
    """Of applications that taught nothing, the share that is named right."""
    sessions, labels = applications(seed)
    told = [v.class_id for v in Classifier(model).classify(sessions)]
    truth = [labels.of(s) for s in sessions]
    return float(np.mean([t == g for t, g in zip(truth, told, strict=True)]))


def test_where_normal_ones_are_few_and_unlike_each_other_templates_decide(
    model: TrainedModel,
) -> None:
    tried = model.figures["presence"]
    assert tried["decides"]
    assert tried["macro_f1"] > tried["threshold_macro_f1"] + tried["standard_error"]
    assert tried["sessions"] == tried["folds"] == 26
    without = with_settings(QUICK, ["classes.presence=off"])
    sessions, labels = applications()
    bare = train(sessions, without, labels=labels)
    assert bare.presence is None
    assert bare.figures["presence"] is None
    assert named_right(model, 10) > 0.85 > named_right(bare, 10) + 0.1


def test_where_the_threshold_does_as_well_it_stays() -> None:
    rng = random.Random(3)
    odd = [deadlocked(f"d{i}", rng) for i in range(8)]
    odd += [looping(f"l{i}", rng) for i in range(8)]
    normal = shop(60)
    told = {s.key: "normal" for s in normal}
    told |= {s.key: "deadlock" if s.key[0] == "d" else "loop" for s in odd}
    model = train([*normal, *odd], QUICK, labels=Labels(told, named=True))
    tried = model.figures["presence"]
    assert tried["threshold_macro_f1"] > 0.9
    assert not tried["decides"]
    assert model.presence is None
    scores = model.figures["scores"]
    assert scores["threshold"] == model.calibration.threshold
    assert scores["held_out"]["sessions"] < 30


def test_it_decides_where_it_is_clearly_better_by_one_measure() -> None:
    truth = np.repeat([0, 1, 2], 10)
    place = np.tile(np.arange(10), 3)
    missed = np.where(place < 4, 0, truth)
    mixed_up = np.where((truth > 0) & (place < 6), 3 - truth, truth)
    one_mixed_up = np.where((truth > 0) & (place < 3), 3 - truth, truth)
    hardly = np.where((truth == 1) & (place < 1), UNKNOWN_KIND, truth)
    assert decides(truth, truth, missed)
    assert decides(truth, one_mixed_up, missed)
    assert decides(truth, one_mixed_up, mixed_up)
    assert not decides(truth, truth, truth)
    assert not decides(truth, truth, hardly)
    assert not decides(truth, mixed_up, missed)
    assert not decides(truth, missed, truth)


def decides(truth: Codes, calls: Codes, others: Codes) -> bool:
    return head_decides(truth, calls, others, seed=0)[0]


@pytest.mark.parametrize(
    ("normal", "taught", "pool", "may"),
    [
        (5, 5, 5, True),
        (4, 5, 10, False),
        (5, 4, 5, False),
        (199, 5, 199, True),
        (150, 5, 200, False),
        (6, 5, 11, True),
        (6, 5, 12, False),
        (5, 1001, 5, False),
    ],
)
def test_it_competes_only_where_few_are_normal_and_labels_tell_them(
    normal: int, taught: int, pool: int, may: bool
) -> None:
    one = encoded([4])
    labelled = Labelled(one * normal, one * taught, ["kind"] * taught)
    assert may_compete(labelled, pool) is may


def test_labels_that_name_no_kind_or_nothing_normal_leave_it_out() -> None:
    sessions, labels = applications()
    told = {k: v for k, v in labels.by_session.items() if v != "normal"}
    model = train(sessions, QUICK, labels=Labels(told, named=True))
    assert model.figures["presence"] is None


def test_its_figures_are_what_it_said_of_sessions_that_it_had_not_learned(
    model: TrainedModel,
) -> None:
    figures = model.figures
    table = figures["confusion"]
    assert table["columns"] == ["normal", *sorted(SIGNS)]
    counts = np.array([row["counts"] for row in table["rows"]])
    truth = np.repeat(np.arange(4), counts.sum(axis=1))
    calls = np.concatenate([np.repeat(np.arange(4), row) for row in counts])
    assert macro_f1(truth, calls) == pytest.approx(
        figures["presence"]["macro_f1"], abs=1e-4
    )
    held_out = figures["scores"]["held_out"]
    assert held_out["sessions"] == model.calibration.judged == 8
    assert held_out["flagged"] == counts[0, 1:].sum()
    assert [row["right"] for row in figures["labelled"]] == list(np.diag(counts)[1:])
    assert [row["detected"] for row in figures["labelled"]] == list(
        counts[1:, 1:].sum(axis=1)
    )


def test_a_verdict_shows_the_lines_that_decided_it(model: TrainedModel) -> None:
    sessions, labels = applications(10)
    for verdict in Classifier(model).classify(sessions):
        kind = str(labels.by_session[verdict.session])
        if verdict.class_id == kind != "normal":
            sign = SIGNS[kind].split("{", maxsplit=1)[0].strip()
            assert any(sign in line.message for line in verdict.evidence)
            assert verdict.score > verdict.threshold == 1.0
            assert verdict.risk > 50
        if not verdict.anomaly:
            assert verdict.score <= 1.0
            assert verdict.risk <= 50


def test_lines_that_no_labelled_session_had_are_an_unknown_kind(
    model: TrainedModel,
) -> None:
    strange = session("x", [f"reactor core {i} is melting" for i in range(30)])
    verdict = Classifier(model).classify([strange])[0]
    assert verdict.anomaly
    assert not verdict.known
    assert verdict.class_id not in SIGNS


def test_open_sessions_are_blamed_for_nothing_and_screening_agrees(
    model: TrainedModel,
) -> None:
    sessions, _ = applications(10)
    seen = encode(sessions, model.templates)
    classifier = Classifier(model)
    still = [replace(one, ends=False) for one in seen]
    assert classifier.growing(50).score(range(len(still)), still) == [0.0] * len(still)
    verdicts = classifier.classify(sessions)
    assert classifier.score(seen) == pytest.approx([v.score for v in verdicts])
    judged = compare(model, model, sessions, [False] * len(sessions))
    assert [one.new for one in judged] == pytest.approx([v.score for v in verdicts])


def test_evaluate_judges_what_decides(model: TrainedModel) -> None:
    sessions, labels = applications(10)
    classifier = Classifier(model)
    rows = evaluate(classifier, sessions, labels).detection
    flagged = sum(v.anomaly for v in classifier.classify(sessions))
    assert next(row for row in rows if row.method == "elkwatch").flagged == flagged


def test_a_chosen_detector_decides_instead_and_beside(
    model: TrainedModel, tmp_path: Path
) -> None:
    sessions, labels = applications()
    fitted = fit_detectors(model, ["decision-tree"], sessions, labels)
    save_bundle(model, tmp_path / "m", now=NOW, detectors=fitted)
    loaded = load_bundle(tmp_path / "m")
    for names in (("decision-tree",), ("elkwatch", "decision-tree")):
        chosen = with_detectors(loaded, tmp_path / "m", DetectorChoice(names))
        told = Classifier(chosen).classify(sessions)
        right = [v.class_id == labels.by_session[v.session] for v in told]
        assert sum(right) > 20


def test_it_comes_back_from_a_bundle_the_same(
    model: TrainedModel, bundle: Path
) -> None:
    assert {path.name for path in bundle.iterdir()} >= set(PARTS)
    sessions, _ = applications(10)
    before = [v.record() for v in Classifier(model).classify(sessions)]
    after = [v.record() for v in Classifier(load_bundle(bundle)).classify(sessions)]
    for record in (*before, *after):
        record.pop("model_version")
    assert after == before


def test_a_bundle_without_it_decides_by_its_threshold(
    trained: TrainedModel, tmp_path: Path
) -> None:
    save_bundle(trained, tmp_path / "m", now=NOW)
    assert not {path.name for path in (tmp_path / "m").iterdir()} & set(PARTS)
    assert load_bundle(tmp_path / "m").presence is None


@pytest.mark.parametrize("name", PARTS)
def test_a_truncated_part_is_refused(bundle: Path, name: str) -> None:
    part = bundle / name
    part.write_bytes(part.read_bytes()[:-20])
    refused(bundle, f"{name} is truncated or was changed")
    vouched(bundle, name)
    refused(bundle, "do not fit together")


@pytest.mark.parametrize("name", PARTS)
def test_half_of_it_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    refused(bundle, f"{name} is missing")


@pytest.mark.parametrize(
    "change",
    [
        {"kinds": ["disk", "network"]},
        {"kinds": ["disk", "network", "__import__"]},
        {"kinds": []},
        {"columns": [4] * 15},
        {"columns": [10**9]},
        {"strange": float("nan")},
        {"strange": -1},
        {"columns": None},
    ],
)
def test_a_hostile_part_that_somebody_vouched_for_is_refused(
    bundle: Path, change: dict[str, object]
) -> None:
    path = bundle / "presence.json"
    body = json.loads(path.read_text("utf-8"))
    assert body["kinds"] == sorted(SIGNS)
    path.write_text(json.dumps({**body, **change}), "utf-8")
    vouched(bundle, "presence.json")
    refused(bundle, "do not fit together")


def test_a_weight_that_is_no_number_is_refused(model: TrainedModel) -> None:
    assert model.presence is not None
    meta, arrays = model.presence.state()
    size = model.vocabulary.size
    assert PresenceHead.from_state(meta, arrays, size).kinds == model.presence.kinds
    for name in arrays:
        broken = {**arrays, name: np.full_like(arrays[name], np.inf)}
        with pytest.raises(ValueError, match="no number"):
            PresenceHead.from_state(meta, broken, size)
    with pytest.raises(ValueError, match="of no template"):
        PresenceHead.from_state(meta, arrays, max(model.presence.columns))


def test_one_kind_is_enough_and_the_odds_are_its_own() -> None:
    head = PresenceHead(
        ("disk",), (4, 5), np.array([[1.0, -1.0], [-1.0, 1.0]]), np.zeros(2), 0.25
    )
    usual, odd, strange = encoded([4, 4, 4], [5, 4, 5], [4, 4, UNK])
    assert head.score([usual, odd])[0] == pytest.approx(np.exp(-2.0))
    assert head.score([odd])[0] == pytest.approx(1.0)
    assert head.score([strange])[0] > 1.0
    assert [k.class_id for k in head.kinds_of([odd, strange])] == ["disk", None]
    assert head.lines(odd) == [0]


def refused(folder: Path, complaint: str) -> None:
    with pytest.raises(BundleError, match=complaint) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)


def vouched(folder: Path, name: str) -> None:
    """Gives a part that was changed the digest that fits."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    manifest["files"][name] = found
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
