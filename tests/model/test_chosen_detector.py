"""Other detectors of a bundle decide; kinds, evidence and files stay what they are."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from model import (
    NO_LABELS,
    BundleError,
    Classifier,
    DetectorChoice,
    DetectorError,
    Labels,
    Session,
    TrainedModel,
    TrainingConfig,
    TrainingError,
    fit_detectors,
    load_bundle,
    save_bundle,
    train,
    with_detectors,
)
from model.class_training import ClassTrainingConfig
from model.detectors.standing import Rule, Standing, joined
from model.events import EncodedSession
from model.language_model import LanguageModelConfig
from model.vocabulary import encode
from tests.model.builders import cut_off, deadlocked, looping, shop

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAMES = ("pca", "k-means", "decision-tree")
KINDS = ("deadlock", "loop")


def logs() -> list[Session]:
    """150 normal sessions, then 12 each of two kinds of trouble."""
    rng = random.Random(2)
    odd = [deadlocked(f"d{i}", rng) for i in range(12)]
    return [*shop(150), *odd, *(looping(f"l{i}", rng) for i in range(12))]


def labels() -> Labels:
    told = {s.key: KINDS[s.key.startswith("l")] for s in logs()[150:]}
    return Labels(told, named=True)


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    config = TrainingConfig(
        language_model=LanguageModelConfig(hidden=16, embedding=8, epochs=6),
        classes=ClassTrainingConfig(hidden=16, epochs=5),
    )
    return train(logs(), config, labels=labels())


@pytest.fixture(scope="module")
def made(model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with three detectors."""
    folder = tmp_path_factory.mktemp("bundles") / "m"
    fitted = fit_detectors(model, NAMES, logs(), labels())
    save_bundle(model, folder, now=NOW, detectors=fitted)
    return folder


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(made, tmp_path / "m")


def deciding(folder: Path, *names: str, rule: Rule = "any") -> Classifier:
    choice = DetectorChoice(names, rule)
    return Classifier(with_detectors(load_bundle(folder), folder, choice))


def probes() -> list[Session]:
    rng = random.Random(9)
    return [
        *shop(40, seed=8),
        deadlocked("dead", rng),
        looping("loop", rng),
        cut_off("cut", rng),
    ]


@pytest.mark.parametrize("names", [("pca",), ("decision-tree",), NAMES])
def test_the_detector_decides_and_the_model_tells_what_it_is(
    made: Path, names: tuple[str, ...]
) -> None:
    plain = Classifier(load_bundle(made)).classify(probes())
    verdicts = deciding(made, *names).classify(probes())
    assert sum(v.anomaly for v in verdicts[:40]) <= 2
    dead, loop = verdicts[40:42]
    assert dead.anomaly
    assert loop.anomaly
    assert (dead.class_id, loop.class_id) == (plain[40].class_id, plain[41].class_id)
    assert dead.evidence == plain[40].evidence
    assert {v.threshold for v in verdicts} == {1.0}
    assert [v.score for v in verdicts] != [v.score for v in plain]


def test_risk_is_fifty_at_the_threshold_by_rank_on_held_out(made: Path) -> None:
    for verdict in deciding(made, "pca").classify(probes()):
        assert (verdict.risk > 50) == verdict.anomaly
    calibration = deciding(made, "pca").model.calibration
    assert calibration.threshold == 1.0
    assert calibration.risk(1.0) == 50
    assert calibration.judged == len(calibration.held_out) > 10


def test_screening_and_classifying_agree(made: Path) -> None:
    classifier = deciding(made, "elkwatch", "pca", rule="mean-rank")
    encoded = encode(probes(), classifier.model.templates)
    screened = classifier.score(encoded)
    told = [verdict.score for verdict in classifier.classify(probes())]
    assert np.allclose(screened, told, rtol=1e-4)


def test_an_open_session_is_blamed_for_nothing(made: Path) -> None:
    growing = deciding(made, "pca").growing(10)
    assert growing.score(["a"], [EncodedSession((4, 4, 4), ends=False)]) == [0.0]


def test_elkwatch_alone_is_the_model_as_it_is(made: Path) -> None:
    model = load_bundle(made)
    choice = DetectorChoice(("elkwatch",))
    assert with_detectors(model, made, choice) is model


def test_the_version_tells_of_the_detectors_and_only_of_how_they_score(
    model: TrainedModel, made: Path, tmp_path: Path
) -> None:
    again = fit_detectors(model, NAMES, logs(), labels())
    version = save_bundle(model, tmp_path / "b", now=NOW, detectors=again)
    assert version == load_bundle(made).version
    assert save_bundle(model, tmp_path / "c", now=NOW) != version


def test_a_detector_that_the_bundle_lacks_is_told_with_how_to_train_it(
    made: Path, model: TrainedModel, tmp_path: Path
) -> None:
    with pytest.raises(
        DetectorError, match="it holds decision-tree, k-means, pca"
    ) as e:
        deciding(made, "sigma")
    assert f"--out {made} --detector sigma" in str(e.value)
    save_bundle(model, tmp_path / "bare", now=NOW)
    with pytest.raises(DetectorError, match="it holds none"):
        deciding(tmp_path / "bare", "sigma")
    with pytest.raises(DetectorError, match="did you mean sigma"):
        deciding(made, "sigmo")


@pytest.mark.parametrize(
    "part", ["detectors/pca/estimator.skops", "detectors/standings.json"]
)
def test_a_damaged_part_of_a_detector_is_refused(bundle: Path, part: str) -> None:
    whole = (bundle / part).read_bytes()
    (bundle / part).write_bytes(whole[:-9])
    with pytest.raises(BundleError, match=f"{part} is truncated or was changed"):
        load_bundle(bundle)


def test_a_foreign_file_below_is_refused(bundle: Path) -> None:
    (bundle / "detectors" / "pca" / "x.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(BundleError, match=r"pca/x\.pkl does not belong"):
        load_bundle(bundle)


def test_supervised_detectors_need_labelled_trouble(model: TrainedModel) -> None:
    with pytest.raises(TrainingError, match="svm learns from labels"):
        fit_detectors(model, ["svm"], logs()[:150], NO_LABELS)


def test_the_scale_is_one_at_the_threshold_and_ranks_below() -> None:
    standing = Standing(4.0, (0.0, 1.0, 2.0, 3.0, 9.0))
    scaled = standing.scaled(np.array([-1.0, 1.0, 3.5, 4.0, 6.0, 8.0]))
    assert scaled.tolist() == [0.0, 0.375, 1.0, 1.0, 2.0, 3.0]
    flat = Standing(0.0, (0.0, 0.0))
    assert flat.scaled(np.array([0.0, 1.0, 2.0])).tolist() == [0.5, 2.0, 3.0]


@pytest.mark.parametrize(
    ("rule", "together"),
    [
        ("any", [5.0, 1.5, 0.5]),
        ("majority", [0.5, 1.2, 0.2]),
        ("mean-rank", [0.8, 1.12, 0.3]),
    ],
)
def test_several_decide_by_the_rule(rule: Rule, together: list[float]) -> None:
    members = [
        np.array([5.0, 1.5, 0.5]),
        np.array([0.5, 1.2, 0.2]),
        np.array([0.1, 0.8, 0.2]),
    ]
    assert joined(members, rule) == pytest.approx(together, abs=0.06)
    assert joined(members[:1], rule).tolist() == members[0].tolist()
