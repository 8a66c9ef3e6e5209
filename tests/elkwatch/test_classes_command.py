"""`elkwatch classes` over a bundle, and names that outlive a training."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from elkwatch.late_classes import Discovery, unknown_findings, unknown_records
from elkwatch.live_model import LiveModel
from model import (
    UNSEEN,
    Classifier,
    Lineage,
    Remembered,
    Session,
    load_bundle,
    load_catalogue,
)
from tests.elkwatch.bad_input import KEY, Command, written
from tests.elkwatch.test_train_command import FAST, logs
from tests.model.builders import FLOW, cut_off, deadlocked, fill, looping, session, shop


def trained(command: Command, folder: Path, seed: int, *more: object) -> Path:
    """A bundle at `m`, from logs of its own; a kind is more common each time.

    Of two epochs no more is to be expected than that it works.
    """
    rng = random.Random(seed)
    odd = [deadlocked(f"d{seed}-{i}", rng) for i in range(6 + 6 * seed)]
    odd += [looping(f"l{seed}-{i}", rng) for i in range(9)]
    if seed:
        odd += [cut_off(f"c{seed}-{i}", rng) for i in range(20)]
    told = command(
        "train", logs(folder / f"n{seed}", shop(80, seed=seed)),
        "--discover", logs(folder / f"o{seed}", odd), "--out", folder / "m",
        "--seed", seed, *FAST, *more,
    )  # fmt: skip
    assert told.code == 0, told.err
    return folder / "m"


def listed(command: Command, model: Path) -> list[dict[str, object]]:
    told = command("classes", "list", "--model", model, "--json")
    assert told.code == 0, told.err
    records: list[dict[str, object]] = json.loads(told.out)
    return records


def by_pattern(command: Command, model: Path) -> dict[str, dict[str, object]]:
    return {str(r["pattern"]): r for r in listed(command, model)}


def by_id(command: Command, model: Path) -> dict[str, dict[str, object]]:
    return {str(r["class_id"]): r for r in listed(command, model)}


def test_a_name_and_ids_outlive_the_next_training(
    command: Command, tmp_path: Path
) -> None:
    learned = ("--epochs", "8")
    model = trained(command, tmp_path, 0, *learned)
    before = by_pattern(command, model)
    deadlock = str(before["new-event"]["class_id"])
    version = load_bundle(model).version
    told = command(
        "classes", "rename", deadlock, "the usual deadlock", "--model", model
    )
    assert told.code == 0, told.err
    assert load_bundle(model).version == version
    loop = str(before["repetition"]["class_id"])
    trained(command, tmp_path, 1, *learned)
    after = by_id(command, model)
    assert set(after) == {deadlock, loop, "c03"}
    assert (after["c03"]["pattern"], after["c03"]["members"]) == ("missing-step", 20)
    assert after[deadlock]["name"] == "the usual deadlock"
    assert "deadlock detected" in str(after[deadlock]["prototype"])
    assert after[loop]["pattern"] == "repetition"
    assert "deadlock detected" not in str(after["c03"]["prototype"])
    told = command("classes", "show", deadlock, "--model", model)
    assert "renamed to the usual deadlock" in told.out
    assert "deadlock detected" in told.out


def test_another_bundle_may_hand_the_names_down(
    command: Command, tmp_path: Path
) -> None:
    model = trained(command, tmp_path, 0)
    command("classes", "rename", "c02", "our loop", "--model", model)
    model.rename(tmp_path / "kept")
    trained(command, tmp_path, 1, "--previous", tmp_path / "kept")
    assert by_id(command, model)["c02"]["name"] == "our loop"


def test_what_cannot_be_renamed_or_shown(command: Command, tmp_path: Path) -> None:
    model = trained(command, tmp_path, 0)
    told = command("classes", "rename", "c77", "x", "--model", model)
    assert (told.code, "no class c77; it has c01, c02" in told.line) == (1, True)
    told = command("classes", "rename", "c01", " ", "--model", model)
    assert (told.code, "the name is empty" in told.line) == (1, True)
    assert command("classes", "show", "c77", "--model", model).code == 1
    (model / "lineage.json").write_text("{", "utf-8")
    told = command("classes", "list", "--model", model)
    assert (told.code, "lineage.json is damaged" in told.line) == (1, True)
    (model / "lineage.json").unlink()
    assert command("classes", "list", "--model", model).code == 0
    assert command("classes", "rename", "c01", "x", "--model", model).code == 0


def test_check_tells_every_mistake_at_once(command: Command, tmp_path: Path) -> None:
    own = written(
        tmp_path / "own.yml",
        """
rules:
  a: {match: '(', name: x, advice: y}
  b: {match: foo, name: {en: x}, advice: y, sevrity: high}
patterns: {none-such: {name: x, advice: y}}
extra: {}
""",
    )
    told = command("classes", "check", own)
    assert told.code == 1
    lines = told.out.splitlines()
    assert len(lines) == 5
    for said in (
        "unknown section extra", "does not compile", "name is not there in zh",
        "unknown key sevrity", "none-such is none of",
    ):  # fmt: skip
        assert any(said in line for line in lines), said
    good = written(tmp_path / "good.yml", "rules: {a: {match: f, name: x, advice: y}}")
    assert command("classes", "check", good).code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules:\n  a: {match: f, name: x, advice: y}\n  a: {}\n", "a comes twice"),
        ("rules: [", "not valid YAML"),
    ],
)
def test_check_of_what_is_no_catalogue(
    command: Command, tmp_path: Path, text: str, said: str
) -> None:
    told = command("classes", "check", written(tmp_path / "own.yml", text))
    assert (told.code, said in told.line) == (2, True)


def record(session: str, template: str, **changes: object) -> dict[str, object]:
    line = {"template": template, "surprise_nats": 9.0}
    common = {"template": "connection closed", "surprise_nats": 4.0}
    base = {"session": session, "anomaly": True, "known": False, "missing": []}
    return {**base, "pattern": "new-event", "evidence": [common, line], **changes}


def test_what_fits_no_class_is_clustered_later(
    command: Command, tmp_path: Path
) -> None:
    records = [record(f"a{i}", "disk full") for i in range(5)]
    records += [record(f"b{i}", "leader lost") for i in range(3)]
    records += [record("alone", "odd"), record("known", "disk full", known=True)]
    former = Lineage((Remembered("c01", False, {"leader lost": 1.0}, 3),), highest=4)
    model = replace(
        load_bundle(trained(command, tmp_path, 0)), classes=(), lineage=former
    )
    unknown = unknown_records(records)
    assert len(unknown) == 9
    found = Discovery.of(unknown, model, load_catalogue()).records({})
    assert [(c["class_id"], c["new"], c["members"]) for c in found] == [
        ("c05", True, 5),
        ("c01", False, 3),
    ]
    assert found[0]["name"] == "disk full", "as it will be called"
    assert found[1]["sessions"] == ["b0", "b1", "b2"]
    assert Discovery.of([], model, load_catalogue()).records({}) == []


def test_what_cannot_be_read_is_no_nothing(command: Command, tmp_path: Path) -> None:
    model = trained(command, tmp_path, 0)
    config = written(tmp_path / "elkwatch.yml", f"""
elasticsearch: {{hosts: ["http://127.0.0.1:9"]}}
sources: [{{name: shop, index: logs-shop, session: {{field: s}}, model: "{model}"}}]
""")  # fmt: skip
    told = command("classes", "discover", "--config", config)
    assert (told.code, told.out) == (1, "")
    assert "127.0.0.1:9" in told.err
    told = command("classes", "show", "c01", "--config", config)
    assert told.code == 0, "a class can be looked at all the same"
    assert "drift is not shown" in told.err


def test_lines_never_seen_are_told_apart_by_their_words(
    command: Command, tmp_path: Path
) -> None:
    texts = ["pump {} melted"] * 4 + ["valve {} is stuck at its seat"] * 4
    records = [
        record(f"s{i}", UNSEEN, evidence=[
            {"template": UNSEEN, "message": t.format(i), "surprise_nats": 9.0}
        ])
        for i, t in enumerate(texts)
    ]  # fmt: skip
    model = load_bundle(trained(command, tmp_path, 0))
    found = Discovery.of(records, model, load_catalogue()).records({})
    assert sorted((c["members"], c["name"]) for c in found) == [
        (4, "never-seen event: pump <NUM> melted"),
        (4, "never-seen event: valve <NUM> is stuck at its seat"),
    ]


def test_what_is_applied_names_what_comes_next_and_outlives_a_training(
    command: Command, tmp_path: Path
) -> None:
    model = trained(command, tmp_path, 0)
    version = load_bundle(model).version
    odd = logs(tmp_path / "odd", [melted(f"m{i}") for i in range(5)])
    verdicts = tmp_path / "verdicts"
    told = command("classify", odd, "--model", model, "--out", verdicts, *KEY)
    assert told.code == 0, told.err
    assert {json.loads(v)["known"] for v in verdicts.read_text().splitlines()} == {
        False
    }
    lineage = (model / "lineage.json").read_bytes()
    live = LiveModel(model, lambda: Classifier(load_bundle(model)))
    assert command("classes", "discover", verdicts, "--model", model).code == 0
    assert (model / "lineage.json").read_bytes() == lineage, "it only proposes"
    told = command("classes", "discover", verdicts, "--model", model, "--apply")
    assert (told.code, "c03 (new), 5" in told.out) == (0, True), told.err
    assert load_bundle(model).version == version
    taken_up = live.other_than(version)
    assert taken_up is not None, "a running service takes them up"
    assert taken_up.model.lineage.late[0].class_id == "c03"
    assert live.other_than(version) is None
    told = command("classes", "rename", "c03", "melted pump", "--model", model)
    assert told.code == 0, told.err
    later = logs(tmp_path / "later", [melted("m77"), stuck("v1")])
    command("classify", later, "--model", model, "--out", verdicts, *KEY)
    first, other = map(json.loads, verdicts.read_text().splitlines())
    assert (first["class_id"], first["known"], first["class_name"]) == (
        "c03", True, "melted pump",
    )  # fmt: skip
    assert not other["known"], "another line never seen is not of it"
    trained(command, tmp_path, 1)
    after = by_id(command, model)
    assert after["c03"]["name"] == "melted pump", "kept: these logs do not hold it"
    told = command("classes", "show", "c03", "--model", model)
    assert "taken on" in told.out


def melted(key: str) -> Session:
    steps = (FLOW[0], FLOW[1], "pump {n} melted", FLOW[4])
    return session(key, [fill(step, random.Random(key)) for step in steps])


def stuck(key: str) -> Session:
    steps = (FLOW[0], FLOW[1], "valve {n} is stuck at its seat", FLOW[4])
    return session(key, [fill(step, random.Random(key)) for step in steps])


def test_findings_of_others_and_withdrawn_ones_teach_nothing() -> None:
    own = {"source": "db", "class": {"known": False}, "session": {"id": "s"}}
    documents = [
        {"elkwatch": own},
        {"elkwatch": own | {"source": "other"}},
        {"elkwatch": own | {"status": "withdrawn"}},
        {"elkwatch": own | {"class": {"known": True}}},
    ]
    assert [u["session"] for u in unknown_findings(documents, "db")] == ["s"]


def test_discover_of_what_is_no_output_of_classify(
    command: Command, tmp_path: Path
) -> None:
    model = trained(command, tmp_path, 0)
    bad = written(tmp_path / "x", "{")
    told = command("classes", "discover", bad, "--model", model)
    assert (told.code, "not what `elkwatch classify --out` writes" in told.line) == (
        1,
        True,
    )
    good = written(
        tmp_path / "v",
        "\n".join(json.dumps(record(f"a{i}", "disk full")) for i in range(4)),
    )
    told = command("classes", "discover", good, "--model", model)
    assert told.code == 0, told.err
    assert "c03 (new), 4: disk full" in told.out
    told = command("classes", "discover", good, "--model", model, "--relabel")
    assert (told.code, "--relabel goes with --apply" in told.line) == (2, True)
