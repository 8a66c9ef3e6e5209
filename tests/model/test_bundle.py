import hashlib
import json
import pickle
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from model import (
    NO_RATES,
    BundleError,
    Classifier,
    TrainedModel,
    load_bundle,
    save_bundle,
    train,
    with_settings,
)
from model.rates import ALL
from tests.model.builders import deadlocked, looping, shop
from tests.model.conftest import CONFIG

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def folder(trained: TrainedModel, tmp_path: Path) -> Path:
    save_bundle(trained, tmp_path / "m", now=NOW, trained_on={"sessions": 300})
    return tmp_path / "m"


def test_a_loaded_model_says_the_same(trained: TrainedModel, folder: Path) -> None:
    rng = random.Random(3)
    probes = [*shop(20, seed=9), deadlocked("d", rng), looping("l", rng)]
    before = [v.record() for v in Classifier(trained).classify(probes)]
    after = [v.record() for v in Classifier(load_bundle(folder)).classify(probes)]
    for record in (*before, *after):
        record.pop("model_version")
    assert after == before


def test_the_version_comes_from_the_content(
    trained: TrainedModel, tmp_path: Path
) -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    first = save_bundle(trained, tmp_path / "a", now=NOW)
    assert save_bundle(trained, tmp_path / "b", now=later) == first
    assert load_bundle(tmp_path / "a").version == first


def test_an_older_bundle_is_kept_beside_the_new(
    trained: TrainedModel, folder: Path
) -> None:
    version = save_bundle(trained, folder, now=NOW)
    assert load_bundle(folder.with_name(f"m.{version}")).version == version


def test_nothing_but_json_and_safetensors_is_written(folder: Path) -> None:
    suffixes = {path.suffix for path in folder.iterdir()}
    assert suffixes == {".json", ".safetensors", ".txt"}


def test_what_is_usual_over_time_is_kept_and_an_older_bundle_knows_none(
    trained: TrainedModel, folder: Path
) -> None:
    assert trained.rates.services[ALL].lines > 1000
    assert load_bundle(folder).rates == trained.rates
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    del manifest["files"]["rates.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "rates.json").unlink()
    assert load_bundle(folder).rates == NO_RATES


@pytest.mark.parametrize("all_on", [False, True])
def test_a_class_network_is_read_as_it_was_trained_also_of_an_older_bundle(
    tmp_path: Path, *, all_on: bool
) -> None:
    """An older one has all parts on, and does not say that it foretells."""
    on = [f"classes.{part}=on" for part in ("attention", "windows", "statistics")]
    on += [f"classes.{weight}=1" for weight in ("alpha", "gamma", "focus")]
    odd = [deadlocked(f"d{i}", random.Random(i)) for i in range(6)]
    config = with_settings(CONFIG, on if all_on else [])
    model = train(shop(80), config, discover=[*odd, looping("l", random.Random(1))])
    folder = tmp_path / "model"
    save_bundle(model, folder, now=NOW)
    path = folder / "kinds.json"
    kinds = json.loads(path.read_text())
    assert kinds["network"]["foretells"] is all_on
    if all_on:
        del kinds["network"]["foretells"]
        path.write_text(json.dumps(kinds))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["kinds.json"] = hashlib.sha256(path.read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))
    again = load_bundle(folder)
    assert model.kinds is not None
    assert again.kinds is not None
    network = again.kinds.network
    assert hasattr(network, "attention") is hasattr(network, "next_event") is all_on
    ours, theirs = (Classifier(m).classify(odd) for m in (model, again))
    assert [(v.class_id, v.confidence) for v in ours] == [
        (v.class_id, v.confidence) for v in theirs
    ]


def refused(folder: Path, complaint: str) -> None:
    with pytest.raises(BundleError, match=complaint) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_missing_folder(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "elkwatch train FILE --out")


def test_a_folder_without_manifest(tmp_path: Path) -> None:
    refused(tmp_path, "holds no manifest.json")


@pytest.mark.parametrize("name", ["network.safetensors", "templates.json"])
def test_a_truncated_part(folder: Path, name: str) -> None:
    part = folder / name
    part.write_bytes(part.read_bytes()[:-20])
    refused(folder, f"{name} is truncated or was changed")


def test_a_missing_part(folder: Path) -> None:
    (folder / "support.safetensors").unlink()
    refused(folder, "support.safetensors is missing")


def test_another_format(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["format"] = 99
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, "bundle format 99, this elkwatch reads 2")


def test_a_damaged_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"format": 2,')
    refused(folder, "manifest.json is damaged")


class Explosive:
    """Leaves a mark if anybody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("name", ["extra.pkl", "network.safetensors", "model.json"])
def test_a_pickle_inside_is_refused_and_never_run(folder: Path, name: str) -> None:
    mark = folder.parent / "exploded"
    (folder / name).write_bytes(pickle.dumps(Explosive(mark)))
    refused(folder, name)
    assert not mark.exists()


def test_a_pickle_with_a_matching_digest_is_still_not_run(folder: Path) -> None:
    mark = folder.parent / "exploded"
    part = folder / "network.safetensors"
    part.write_bytes(pickle.dumps(Explosive(mark)))
    manifest = json.loads((folder / "manifest.json").read_text())

    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    manifest["files"]["network.safetensors"] = digest
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, "do not fit together")
    assert not mark.exists()


def test_other_peoples_folders_are_left_alone(
    trained: TrainedModel, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="choose another --out"):
        save_bundle(trained, tmp_path, now=NOW)
    assert (tmp_path / "thesis.txt").exists()
