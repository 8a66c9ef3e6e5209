"""A model bundle: one folder, weights as safetensors, everything else as JSON.

    manifest.json        format, version, date, what it was trained on, a digest a file
    templates.json       the frozen templates: texts, which clusters each covers
    model.json           support, calibration, classes, baselines, vocabulary's order
    kinds.json           stage 4 without its weights        (only where classes exist)
    presence.json        which templates decide, without weights   (only where they do)
    *.safetensors        the weights and arrays
    figures.json         the quality figures of the training
    detectors/           other detectors, if any was fitted (chosen_detector.py)
    rates.json           what is usual of the services over time
    lineage.json         the classes over trainings: names, prototypes, history; people
                         rename classes, so it has no digest and no part in the version
    report.html          the same for people; never read, and no part of the version

Nothing is ever unpickled. Loading checks every digest first and refuses, in one line,
a folder that is damaged, incomplete, of another format, or holds anything else. What
detectors keep has no part in the version, but for how they scored: skops names its
arrays anew each time.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from model.bundle_folder import (
    DETECTORS,
    FORMAT,
    MANIFEST,
    REPORT,
    STANDINGS,
    check_bundle_target,
    check_files,
    digest,
    files_below,
    read_manifest,
)
from model.bundle_lineage import read_lineage, write_lineage
from model.bundle_shelf import put_instead
from model.catalogue.loading import entry_from
from model.detectors.support import SupportDistance
from model.errors import BundleError, ModelError
from model.kinds import KindModel
from model.network import (
    EnhancedConfig,
    EnhancedNetwork,
    NetworkConfig,
    NextEventLSTM,
)
from model.precision import FULL, PRECISIONS
from model.presence import PresenceHead
from model.rates import NO_RATES, Rates, rates_from
from model.scoring import Calibration
from model.templates.frozen import FrozenTemplates
from model.trained import Baselines, ModelClass, TrainedModel, with_own_names
from model.vocabulary import Vocabulary

if TYPE_CHECKING:
    from model.chosen_detector import FittedDetectors

_README = "An elkwatch model bundle. Use it with `elkwatch classify --model`.\n"


def save_bundle(
    model: TrainedModel,
    folder: Path,
    *,
    now: datetime,
    trained_on: Mapping[str, Any] | None = None,
    keep_older: bool = True,
    detectors: FittedDetectors | None = None,
) -> str:
    """Writes a model; returns its version. An older bundle there is kept beside it,
    or goes, as `keep_older` says.

    The version comes from the content, so that equal training gives an equal version.
    Raises BundleError where the folder holds something else.
    """
    check_bundle_target(folder)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_parts(model, work)
        if detectors is not None:
            detectors.write(work, model)
        digests = {name: digest(work / name) for name in files_below(work)}
        version = _version(digests)
        manifest = {
            "format": FORMAT,
            "version": version,
            "trained_at": now.isoformat(),
            "trained_on": dict(trained_on or {}),
            "configuration": model.configuration,
            "files": digests,
        }
        _write_json(work / MANIFEST, manifest)
        write_lineage(model.lineage.stamped(now), work)
        for part in (work, *work.rglob("*")):
            part.chmod(0o755 if part.is_dir() else 0o644)
        if keep_older:
            _put_in_place(work, folder)
        else:
            put_instead(work, folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return version


def put_report(folder: Path, page: str) -> Path:
    """Writes the page for people into a bundle, whole or not at all; → its path."""
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}-", dir=folder.parent
    ) as work:
        part = Path(work) / REPORT
        part.write_text(page, "utf-8", "replace")
        part.chmod(0o644)
        return part.replace(folder / REPORT)


def load_bundle(folder: Path) -> TrainedModel:
    """Reads a model. Raises BundleError with one line that says how to mend it."""
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    try:
        return _read_parts(folder, manifest)
    except BundleError as error:
        raise BundleError(f"model {folder}: {error}") from error
    except (
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        OSError,
        MemoryError,
        SafetensorError,
        ModelError,
    ) as error:
        raise BundleError(
            f"model {folder}: its parts do not fit together "
            f"({type(error).__name__}); train it again"
        ) from error


def _write_parts(model: TrainedModel, work: Path) -> None:
    _write_json(work / "templates.json", model.templates.state())
    support, support_arrays = model.support.state()
    _write_json(
        work / "model.json",
        {
            "network": asdict(model.network.config),
            "precision": model.precision,
            "support": support,
            "calibration": asdict(model.calibration),
            "classes": [_class_state(c) for c in model.classes],
            "baselines": {
                "seen_counts": sorted(model.baselines.seen_counts),
                "seen_templates": sorted(model.baselines.seen_templates),
                "top_k": model.baselines.top_k,
            },
        },
    )
    _write_json(work / "figures.json", model.figures)
    _write_json(work / "rates.json", model.rates.state())
    _save_arrays(support_arrays, work / "support.safetensors")
    _save_arrays(_weights(model.network), work / "network.safetensors")
    if model.kinds is not None:
        meta, arrays = model.kinds.state()
        meta["network"] = asdict(model.kinds.network.config)
        weights = _weights(model.kinds.network)
        arrays = {**arrays, **{f"network.{k}": v for k, v in weights.items()}}
        _write_json(work / "kinds.json", meta)
        _save_arrays(arrays, work / "kinds.safetensors")
    if model.presence is not None:
        meta, arrays = model.presence.state()
        _write_json(work / "presence.json", meta)
        _save_arrays(arrays, work / "presence.safetensors")
    (work / "README.txt").write_text(_README, "utf-8")


def _read_parts(folder: Path, manifest: Mapping[str, Any]) -> TrainedModel:
    body = _read_json(folder / "model.json")
    templates = FrozenTemplates.from_state(_read_json(folder / "templates.json"))
    network = NextEventLSTM(NetworkConfig(**body["network"]))
    _load_weights(network, load_file(folder / "network.safetensors"))
    calibration = body["calibration"]
    baselines = body["baselines"]
    vocabulary = Vocabulary.of(templates)
    if vocabulary.size != network.config.vocabulary:
        raise ValueError("templates and network differ in size")
    kinds = _read_kinds(folder) if (folder / "kinds.json").exists() else None
    classes = tuple(_class_from(c, str(folder)) for c in body["classes"])
    lineage = read_lineage(folder)
    if tuple(c.class_id for c in classes) != (kinds.classes if kinds else ()):
        raise ValueError("classes and their network differ")
    return TrainedModel(
        version=str(manifest["version"]),
        templates=templates,
        vocabulary=vocabulary,
        network=network,
        support=SupportDistance.from_state(
            body["support"], load_file(folder / "support.safetensors")
        ),
        calibration=Calibration(
            _positive(calibration["surprise_fence"]),
            _positive(calibration["threshold"]),
            tuple(float(s) for s in calibration["held_out"]),
            int(calibration.get("judged", len(calibration["held_out"]))),
        ),
        kinds=kinds,
        classes=with_own_names(classes, lineage),
        lineage=lineage,
        baselines=Baselines(
            frozenset(baselines["seen_counts"]),
            frozenset(baselines["seen_templates"]),
            float(baselines["top_k"]),
        ),
        configuration=dict(manifest.get("configuration") or {}),
        figures=_read_json(folder / "figures.json"),
        trained_at=datetime.fromisoformat(str(manifest["trained_at"])),
        precision=_precision(body.get("precision", FULL)),
        rates=_read_rates(folder),
        presence=_read_presence(folder, vocabulary, kinds),
    )


def _read_rates(folder: Path) -> Rates:
    """None are known of a bundle that is older than they."""
    path = folder / "rates.json"
    return rates_from(_read_json(path)) if path.exists() else NO_RATES


def _read_presence(
    folder: Path, vocabulary: Vocabulary, kinds: KindModel | None
) -> PresenceHead | None:
    """None where the threshold decides, as in all older bundles."""
    if not (folder / "presence.json").exists():
        return None
    head = PresenceHead.from_state(
        _read_json(folder / "presence.json"),
        load_file(folder / "presence.safetensors"),
        vocabulary.size,
    )
    if kinds is None or not set(head.kinds) <= set(kinds.classes):
        raise ValueError("a kind that decides is no class of the model")
    return head


def _precision(value: Any) -> str:
    if value not in PRECISIONS:
        raise ValueError("the precision is none that this elkwatch has")
    return str(value)


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError("a fence or threshold is no positive number")
    return number


def _read_kinds(folder: Path) -> KindModel:
    meta = _read_json(folder / "kinds.json")
    arrays = load_file(folder / "kinds.safetensors")
    network = EnhancedNetwork(EnhancedConfig(**meta["network"]))
    prefix = "network."
    _load_weights(
        network,
        {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)},
    )
    return KindModel.from_state(network, meta, arrays)


def _class_state(known: ModelClass) -> dict[str, Any]:
    return {
        "class_id": known.class_id,
        "taught": known.taught,
        "pattern": known.pattern,
        "about": known.about,
        "members": known.members,
        "entry_id": known.entry.entry_id,
        "entry": known.entry.state(),
    }


def _class_from(state: Mapping[str, Any], where: str) -> ModelClass:
    return ModelClass(
        class_id=str(state["class_id"]),
        taught=bool(state["taught"]),
        pattern=str(state["pattern"]),
        about=str(state["about"]),
        members=int(state["members"]),
        entry=entry_from(str(state["entry_id"]), state["entry"], where),
    )


def _weights(module: torch.nn.Module) -> dict[str, NDArray[Any]]:
    return {
        name: tensor.detach().cpu().numpy()
        for name, tensor in module.state_dict().items()
    }


def _load_weights(module: torch.nn.Module, arrays: Mapping[str, NDArray[Any]]) -> None:
    module.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    module.eval()


def _save_arrays(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, path)


def _put_in_place(work: Path, folder: Path) -> None:
    """Renames into place; an older bundle is kept as FOLDER.VERSION."""
    if not (folder / MANIFEST).exists():
        if folder.is_dir():
            folder.rmdir()
        work.rename(folder)
        return
    kept = folder.with_name(f"{folder.name}.{_version_there(folder)}")
    shutil.rmtree(kept, ignore_errors=True)
    folder.rename(kept)
    try:
        work.rename(folder)
    except BaseException:
        if not folder.exists():
            kept.rename(folder)
        raise


def _version_there(folder: Path) -> str:
    try:
        return str(read_manifest(folder).get("version", "old"))[:40].replace("/", "-")
    except BundleError:
        return "old"


def _version(digests: Mapping[str, str]) -> str:
    told = {
        name: value
        for name, value in digests.items()
        if not name.startswith(DETECTORS) or name.endswith(STANDINGS)
    }
    text = json.dumps(told, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:12]


def _write_json(path: Path, body: object) -> None:
    path.write_text(
        json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True), "utf-8"
    )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
