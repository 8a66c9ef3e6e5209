"""The parts of a model as files of a folder: weights as safetensors, the rest as JSON.

bundle.py tells what each file holds. A part that came later may be absent: bundles
that are older than it are read all the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from model.bundle_lineage import read_lineage
from model.catalogue.loading import entry_from
from model.detectors.support import SupportDistance
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

_README = "An elkwatch model bundle. Use it with `elkwatch classify --model`.\n"


def write_parts(model: TrainedModel, work: Path) -> None:
    """Writes all of a model but its lineage into an empty folder."""
    write_json(work / "templates.json", model.templates.state())
    support, support_arrays = model.support.state()
    write_json(
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
    write_json(work / "figures.json", model.figures)
    write_json(work / "rates.json", model.rates.state())
    _save_arrays(support_arrays, work / "support.safetensors")
    _save_arrays(_weights(model.network), work / "network.safetensors")
    if model.kinds is not None:
        meta, arrays = model.kinds.state()
        meta["network"] = asdict(model.kinds.network.config)
        weights = _weights(model.kinds.network)
        arrays = {**arrays, **{f"network.{k}": v for k, v in weights.items()}}
        write_json(work / "kinds.json", meta)
        _save_arrays(arrays, work / "kinds.safetensors")
    if model.presence is not None:
        meta, arrays = model.presence.state()
        write_json(work / "presence.json", meta)
        _save_arrays(arrays, work / "presence.safetensors")
    (work / "README.txt").write_text(_README, "utf-8")


def read_parts(folder: Path, manifest: Mapping[str, Any]) -> TrainedModel:
    """The model of checked files. Raises whatever a part that does not fit raises."""
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


def write_json(path: Path, body: object) -> None:
    """Writes a body so that equal bodies give equal files."""
    path.write_text(
        json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True), "utf-8"
    )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
