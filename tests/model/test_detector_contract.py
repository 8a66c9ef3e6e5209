"""What every detector of the registry keeps to, whatever its method."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import safetensors.numpy

from model import DetectorError, TemplateMiner, TrainingError
from model.detectors.count_detector import CountDetector
from model.detectors.protocol import Detector, Kinds, Sample, Setting, samples
from model.detectors.registry import ENTRIES, NAMES, entry_of, make
from model.detectors.store import MANIFEST, load_detector, save_detector
from model.events import Session
from model.templates.frozen import FrozenTemplates
from model.texts import has_embeddings
from model.vocabulary import UNK, Vocabulary
from tests.model.builders import cut_off, deadlocked, looping, session, shop

NEW = ["kernel: oops, tainted", "watchdog barked twice", "nobody has written this yet"]


@pytest.fixture(scope="module")
def logs() -> list[Session]:
    """120 sessions of a shop, the last 20 of them in three kinds of trouble."""
    rng = random.Random(3)
    odd = [
        make(f"odd{i}", rng)
        for i, make in zip(range(20), [deadlocked, cut_off, looping] * 7, strict=False)
    ]
    return [*shop(100), *odd]


@pytest.fixture(scope="module")
def templates(logs: list[Session]) -> FrozenTemplates:
    miner = TemplateMiner()
    miner.learn_all([event.message for s in logs for event in s.events])
    return miner.freeze()


@pytest.fixture(scope="module")
def train(logs: list[Session], templates: FrozenTemplates) -> list[Sample]:
    return samples(logs, templates)


LABELS: Kinds = [*["normal"] * 100, *["trouble"] * 20]


@pytest.fixture(scope="module")
def setting(templates: FrozenTemplates) -> Setting:
    return Setting(Vocabulary.of(templates), seed=5, epochs=2)


def fitted(
    name: str, setting: Setting, train: Sequence[Sample], labels: Kinds = LABELS
) -> Detector:
    detector = make(name, setting)
    detector.fit(train, labels)
    return detector


EACH = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name == "text-embeddings" and not has_embeddings(),
            reason="the extra `semantic`, with the weights, is not installed",
        ),
    )
    for name in NAMES
]


@pytest.fixture(scope="module", params=EACH)
def detector(
    request: pytest.FixtureRequest, setting: Setting, train: list[Sample]
) -> Detector:
    """Each detector, fitted once."""
    return fitted(request.param, setting, train)


@pytest.fixture(scope="module")
def strange(templates: FrozenTemplates) -> Sample:
    """A session of lines that nobody has seen."""
    return samples([session("new", NEW * 2)], templates)[0]


def test_the_entry_says_what_the_detector_is(detector: Detector) -> None:
    entry = entry_of(detector.name)
    assert entry.supervised == detector.supervised
    assert entry.about
    assert entry.title


def test_names_are_short_and_each_is_there_once() -> None:
    assert len(set(NAMES)) == len(ENTRIES)
    assert all(name == name.lower() and " " not in name for name in NAMES)


def test_one_score_a_session_and_it_depends_on_that_session_alone(
    detector: Detector, train: list[Sample], strange: Sample
) -> None:
    probes = [*train[:5], strange, *train[-3:]]
    scores = detector.score(probes)
    assert scores.shape == (9,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    alone = [detector.score([probe])[0] for probe in probes]
    assert np.allclose(scores, alone, atol=1e-4)
    assert detector.score([]).shape == (0,)


def test_the_same_seed_gives_the_same_scores(
    detector: Detector, setting: Setting, train: list[Sample], strange: Sample
) -> None:
    again = fitted(detector.name, setting, train)
    probes = [*train[:3], *train[-3:], strange]
    assert np.array_equal(again.score(probes), detector.score(probes))
    assert again.threshold == detector.threshold


def test_lines_never_seen_score_higher_than_what_was_learned(
    detector: Detector, train: list[Sample], strange: Sample
) -> None:
    assert UNK in strange.ids
    scores = detector.score([strange, *train[:100]])
    assert scores[0] > np.median(scores[1:])


def test_most_of_what_was_learned_as_normal_is_normal(
    detector: Detector, train: list[Sample]
) -> None:
    flagged = detector.score(train[:100]) > detector.threshold
    assert flagged.mean() <= 0.1


def test_a_saved_detector_scores_the_same(
    detector: Detector, setting: Setting, train: list[Sample], tmp_path: Path
) -> None:
    save_detector(detector, tmp_path / "kept", setting.vocabulary)
    again = load_detector(tmp_path / "kept", setting)
    probes = [*train[:20], *train[-5:]]
    assert again.name == detector.name
    assert again.threshold == detector.threshold
    assert np.array_equal(again.score(probes), detector.score(probes))


def test_nothing_in_the_files_is_pickled(
    detector: Detector, setting: Setting, tmp_path: Path
) -> None:
    save_detector(detector, tmp_path, setting.vocabulary)
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        read_plainly(path.name, path.read_bytes())


def read_plainly(name: str, body: bytes) -> None:
    """Reads a file by its kind, with nothing that unpickles; fails for other kinds."""
    kind = name.rpartition(".")[2]
    if kind in ("npz", "skops"):
        with ZipFile(BytesIO(body)) as inner:
            for part in inner.namelist():
                read_plainly(part, inner.read(part))
    elif kind == "npy":
        np.load(BytesIO(body), allow_pickle=False)
    elif kind == "json":
        json.loads(body)
    elif kind == "safetensors":
        safetensors.numpy.load(body)
    else:
        assert kind == "txt", f"{name} may be a pickle"


def test_a_damaged_or_foreign_folder_is_refused_in_one_line(
    detector: Detector, setting: Setting, tmp_path: Path
) -> None:
    save_detector(detector, tmp_path, setting.vocabulary)
    part = next(p for p in sorted(tmp_path.iterdir()) if p.name != MANIFEST)
    if part.is_dir():
        part = max(part.iterdir())
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2])
    refused(tmp_path, setting, "truncated")
    part.write_bytes(whole)
    (tmp_path / "extra.pkl").write_bytes(b"\x80\x04.")
    refused(tmp_path, setting, "does not belong")
    (tmp_path / "extra.pkl").unlink()
    other = Setting(Vocabulary(("another template",)))
    refused(tmp_path, other, "templates of another model")
    part.unlink()
    refused(tmp_path, setting, "is missing")
    (tmp_path / MANIFEST).write_text("{", "utf-8")
    refused(tmp_path, setting, "cannot be read")


def test_an_estimator_of_a_foreign_type_is_refused(
    setting: Setting, train: list[Sample], tmp_path: Path
) -> None:
    detector = fitted("pca", setting, train)
    assert isinstance(detector, CountDetector)
    detector.estimator = Path("/etc/hostname")
    save_detector(detector, tmp_path, setting.vocabulary)
    refused(tmp_path, setting, "Untrusted")


def refused(folder: Path, setting: Setting, told: str) -> None:
    with pytest.raises(DetectorError, match=told) as caught:
        load_detector(folder, setting)
    assert "\n" not in str(caught.value)


def test_reasons_point_at_events_that_are_there(
    detector: Detector, train: list[Sample], strange: Sample
) -> None:
    for probe in (train[0], train[-1], strange):
        reasons = detector.explain(probe)
        assert reasons
        for reason in reasons:
            assert probe.ids[reason.position] == reason.event_id
            assert np.isfinite(reason.contribution)
        adds = [reason.contribution for reason in reasons]
        assert adds == sorted(adds, reverse=True)


def test_a_session_of_one_event_is_scored_and_explained(
    detector: Detector, train: list[Sample], templates: FrozenTemplates
) -> None:
    one = samples([session("one", NEW[:1])], templates)[0]
    assert np.isfinite(detector.score([one])).all()
    assert detector.explain(one)[0].position == 0


@pytest.mark.parametrize("name", EACH)
def test_sessions_that_are_all_alike_can_be_learned(
    name: str, setting: Setting, train: list[Sample]
) -> None:
    same: list[Sample] = [train[0]] * 12
    odd = "trouble" if entry_of(name).supervised else "normal"
    labels: Kinds = [*["normal"] * 8, *[odd] * 4]
    detector = fitted(name, setting, same, labels)
    assert np.isfinite(detector.score(same)).all()


@pytest.mark.parametrize("name", EACH)
def test_without_sessions_there_is_nothing_to_learn(
    name: str, setting: Setting
) -> None:
    with pytest.raises(TrainingError) as caught:
        make(name, setting).fit([])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [e.name for e in ENTRIES if e.supervised])
@pytest.mark.parametrize("label", [None, "normal", "trouble"])
def test_a_supervised_detector_says_which_labels_it_needs(
    name: str, label: str | None, setting: Setting, train: list[Sample]
) -> None:
    with pytest.raises(TrainingError, match=f"^{name} learns from labels") as caught:
        fitted(name, setting, train, [label] * len(train))
    assert "\n" not in str(caught.value)
    with pytest.raises(TrainingError, match=f"^{name} learns from labels"):
        make(name, setting).fit(train)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(DetectorError, match="did you mean pca"):
        entry_of("pcaa")
