"""Detectors in a bundle: fitted by `train`, chosen by `classify` or a source."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from elkwatch.compose import loaded_classifier
from elkwatch.config import load_config
from elkwatch.errors import ConfigError
from model import DetectorError
from tests.elkwatch.bad_input import KEY, Command, documents, ndjson, written
from tests.model.builders import deadlocked, shop

FAST = (*KEY, "--epochs", "2", "--device", "cpu")


def trained(command: Command, folder: Path, *names: str) -> Path:
    """A bundle with these detectors."""
    logs = written(folder / "train", ndjson(documents(shop(80))))
    chosen = [word for name in names for word in ("--detector", name)]
    told = command("train", logs, "--out", folder / "m", *chosen, *FAST)
    assert told.code == 0, told.err
    return folder / "m"


def test_classify_decides_by_the_detector_that_is_named(
    command: Command, tmp_path: Path
) -> None:
    bundle = trained(command, tmp_path, "pca", "sigma")
    odd = deadlocked("dead", random.Random(1))
    logs = written(tmp_path / "today", ndjson(documents([*shop(20, seed=3), odd])))
    for chosen in (("pca",), ("pca", "sigma")):
        words = [word for name in chosen for word in ("--detector", name)]
        told = command(
            "classify", logs, "--model", bundle, *words, "--rule", "majority",
            "--out", tmp_path / "v", *KEY,
        )  # fmt: skip
        assert told.code == 0, told.err
        verdicts = [
            json.loads(line) for line in (tmp_path / "v").read_text().splitlines()
        ]
        assert {v["session"] for v in verdicts if v["anomaly"]} >= {"dead"}
        assert {v["threshold"] for v in verdicts} == {1.0}


def test_training_again_tells_of_detectors_that_will_be_gone(
    command: Command, tmp_path: Path
) -> None:
    bundle = trained(command, tmp_path, "pca", "sigma")
    again = ("train", tmp_path / "train", "--out", bundle, "--detector", "pca", *FAST)
    told = command(*again)
    assert told.code == 0
    assert "also held sigma; add --detector sigma" in told.err


def test_detectors_and_a_drawn_training_do_not_go_together(
    command: Command, tmp_path: Path
) -> None:
    logs = written(tmp_path / "train", ndjson(documents(shop(80))))
    told = command(
        "train", logs, "--out", tmp_path / "m", "--detector", "pca",
        "--set", "max_sessions=60", *FAST,
    )  # fmt: skip
    assert told.code == 1
    assert "all 80 sessions" in told.err
    assert "raise max_sessions" in told.err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("how", "name", "said"),
    [
        ("train", "pcq", "did you mean pca?"),
        ("train", "random-forest", "random-forest learns from labels"),
        ("classify", "sigma", "train it again with `elkwatch train"),
        ("classify", "nonesuch", "there is none of that name"),
    ],
)
def test_a_name_that_cannot_be_used_is_told_in_one_line(
    command: Command, tmp_path: Path, how: str, name: str, said: str
) -> None:
    if how == "train":
        logs = written(tmp_path / "train", ndjson(documents(shop(80))))
        told = command(
            "train", logs, "--out", tmp_path / "m", "--detector", name, *FAST
        )
    else:
        bundle = trained(command, tmp_path, "pca")
        logs = tmp_path / "train"
        told = command(
            "classify", logs, "--model", bundle, "--detector", name,
            "--out", tmp_path / "v", *KEY,
        )  # fmt: skip
    assert told.code in (1, 2)
    assert said in told.line
    assert not (tmp_path / "v").exists()


def configured(folder: Path, detector: Any, **more: Any) -> Path:
    source = {"name": "shop", "index": "logs", "model": "m", "detector": detector}
    source |= more
    body = {"elasticsearch": {"hosts": ["http://localhost:9200"]}, "sources": [source]}
    path = folder / "elkwatch.yml"
    path.write_text(json.dumps(body), "utf-8")
    return path


@pytest.mark.parametrize(
    "detector", ["pca", {"ensemble": ["elkwatch", "pca"], "rule": "mean-rank"}]
)
def test_a_source_chooses_its_detector(
    command: Command, tmp_path: Path, detector: Any
) -> None:
    bundle = trained(command, tmp_path, "pca")
    config = load_config(configured(tmp_path, detector), {})
    classifier = loaded_classifier(bundle, config.sources[0], config, "cpu")
    assert classifier.threshold == 1.0
    odd = deadlocked("dead", random.Random(1))
    assert [v.anomaly for v in classifier.classify([odd])] == [True]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_classify_decides_as_the_source_does(
    command: Command, tmp_path: Path, workers: str
) -> None:
    bundle = trained(command, tmp_path, "pca")
    path = configured(tmp_path, "pca", threshold=700.0)
    logs = written(tmp_path / "today", ndjson(documents(shop(20, seed=3))))
    told = command(
        "classify", logs, "--model", bundle, "--config", path, "--source", "shop",
        "--no-feedback", "--out", tmp_path / "v", "--workers", workers,
    )  # fmt: skip
    assert told.code == 0, told.err
    lines = (tmp_path / "v").read_text().splitlines()
    assert {json.loads(line)["threshold"] for line in lines} == {700.0}
    written_bad = configured(tmp_path, "sigma")
    told = command(
        "classify", logs, "--model", bundle, "--config", written_bad,
        "--source", "shop", "--no-feedback", "--out", tmp_path / "v",
    )  # fmt: skip
    assert "--detector sigma" in told.line


def test_a_source_whose_detector_the_bundle_lacks_does_not_start(
    command: Command, tmp_path: Path
) -> None:
    bundle = trained(command, tmp_path, "pca")
    config = load_config(configured(tmp_path, "sigma"), {})
    with pytest.raises(DetectorError, match="--detector sigma"):
        loaded_classifier(bundle, config.sources[0], config, "cpu")


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        ({"ensemble": []}, "ensemble"),
        ({"ensemble": ["pca", "pca"]}, "name each once"),
        ({"ensemble": ["pca"], "rule": "all"}, "any, majority or mean-rank"),
        (["pca"], "detector"),
        (4, "detector"),
    ],
)
def test_a_choice_that_says_nothing_is_refused(
    tmp_path: Path, detector: Any, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(configured(tmp_path, detector), {})
    assert "\n" not in str(caught.value)
