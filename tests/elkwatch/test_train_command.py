"""`elkwatch train` and the page it leaves, from files."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from elkwatch.training_progress import TrainingProgress
from model import Session, Step, load_bundle
from tests.elkwatch.bad_input import KEY, Command, documents, ndjson, written
from tests.elkwatch.html_page import Page
from tests.model.applications import SIGNS, applications
from tests.model.builders import deadlocked, looping, session, shop

FAST = (*KEY, "--epochs", "2", "--device", "cpu")


def logs(path: Path, sessions: Iterable[Session]) -> Path:
    return written(path, ndjson(documents(sessions)))


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text("utf-8"))


def odd_ones(count: int = 8) -> list[Session]:
    rng = random.Random(7)
    return [deadlocked(f"d{i}", rng) for i in range(count)] + [
        looping(f"l{i}", rng) for i in range(count)
    ]


def test_the_page_lies_in_the_bundle_and_is_no_part_of_it(
    command: Command, tmp_path: Path
) -> None:
    normal = logs(tmp_path / "n", shop(80))
    odd = logs(tmp_path / "o", odd_ones())
    told = command("train", normal, "--discover", odd, "--out", tmp_path / "m", *FAST)
    assert told.code == 0, told.err
    assert f"report: {tmp_path / 'm' / 'report.html'}" in told.out
    assert "Fit to run, with care. Expect about" in told.out
    page, model = page_of(tmp_path / "m"), load_bundle(tmp_path / "m")
    assert page.open == []
    for said in (
        "80 sessions", "Fit to run, with care", "PostgreSQL deadlock",
        f"Model {model.version}", "No labels were given", "Only 80 sessions",
    ):  # fmt: skip
        assert said in page.text, said
    assert "Beside the model before it" not in page.text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m", "n", "o"]
    (tmp_path / "m" / "report.html").write_text("written over")
    assert load_bundle(tmp_path / "m").version == model.version
    (tmp_path / "m" / "report.html").unlink()
    assert load_bundle(tmp_path / "m").version == model.version


def test_training_again_compares_old_and_new(command: Command, tmp_path: Path) -> None:
    old, new = shop(60, seed=1), [*shop(60, seed=2), *odd_ones(40)[:40]]
    odd = logs(tmp_path / "o", odd_ones(4))
    for normal in (old, new):
        path = logs(tmp_path / "n", normal)
        told = command("train", path, "--discover", odd, "--out", tmp_path / "m", *FAST)
        assert told.code == 0, told.err
    before = json.loads((tmp_path / "m" / "manifest.json").read_text())
    (kept,) = tmp_path.glob("m.*")
    text = page_of(tmp_path / "m").text
    assert f"Before it {load_bundle(kept).version}" in text
    assert before["version"] != kept.name[2:]
    assert "Sessions 60 100" in text
    # Deadlocks are everyday life to the new model; the old one flags all four.
    counts = re.search(
        r"Flagged by both: (\d+); by the older model alone: (\d+); by the new one "
        r"alone: (\d+)",
        text,
    )
    assert counts is not None
    assert int(counts[2]) >= 4
    assert "Flagged by the older model alone" in text
    assert "PostgreSQL deadlock" in text


def test_an_older_bundle_without_such_figures_is_compared_as_far_as_it_goes(
    command: Command, tmp_path: Path
) -> None:
    path, folder = logs(tmp_path / "n", shop(60)), tmp_path / "m"
    assert command("train", path, "--out", folder, *FAST).code == 0
    kept = ("sessions", "events", "templates", "cleaned_out", "suspects", "epochs")
    figures = json.loads((folder / "figures.json").read_text())
    content = json.dumps({name: figures[name] for name in kept}).encode()
    (folder / "figures.json").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["figures.json"] = hashlib.sha256(content).hexdigest()
    manifest["version"] = "0ldversion00"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "report.html").unlink()
    assert command("train", path, "--out", folder, *FAST).code == 0
    text = page_of(folder).text
    assert "Before it 0ldversion00" in text
    assert "Sessions 60 60" in text
    assert "Logs from not recorded 2026-11-22 12:00" in text


def test_a_damaged_older_bundle_does_not_stop_the_training(
    command: Command, tmp_path: Path
) -> None:
    path, folder = logs(tmp_path / "n", shop(60)), tmp_path / "m"
    assert command("train", path, "--out", folder, *FAST).code == 0
    (folder / "network.safetensors").write_bytes(b"broken")
    assert command("train", path, "--out", folder, *FAST).code == 0
    text = page_of(folder).text
    assert "There is nothing to compare with" in text
    assert "network.safetensors is truncated or was changed" in text
    assert load_bundle(folder)


def test_labels_are_judged_on_sessions_that_taught_nothing(
    command: Command, tmp_path: Path
) -> None:
    odd = odd_ones(10)
    path = logs(tmp_path / "n", [*shop(80), *odd])
    names = {"d": "deadlock", "l": "loop"}
    rows = [f"{s.key},{names[s.key[0]]}" for s in odd]
    labels = written(tmp_path / "l.csv", "\n".join(["session,kind", *rows]))
    told = command("train", path, "--labels", labels, "--out", tmp_path / "m", *FAST)
    assert told.code == 0, told.err
    text = page_of(tmp_path / "m").text
    assert "What held-out sessions are called" in text
    assert re.search(r"deadlock 10 \d+ \d+ % 2 \d", text)
    assert re.search(r"loop 10 \d+ \d+ % 2 \d", text)


def test_who_decides_is_told_where_few_labelled_sessions_leave_a_choice(
    command: Command, tmp_path: Path
) -> None:
    made, told_of = applications()
    given = logs(tmp_path / "a", made)
    rows = [f"{session},{kind}" for session, kind in told_of.by_session.items()]
    labels = written(tmp_path / "l.csv", "\n".join(["session,kind", *rows]))
    out = tmp_path / "m"
    told = command("train", given, "--labels", labels, "--out", out, *FAST)
    assert told.code == 0, told.err
    said = "Which templates a session holds decides, no threshold. Macro-F1:"
    for text in (told.out, page_of(out).text):
        assert said in text
        assert "each of 26 labelled sessions told by the others" in text
    assert "told once by weights that had not learned it" in page_of(out).text
    argv = ("--session-field", "session.id", "--out", "-")
    verdicts = command("classify", given, "--model", out, *argv).records
    assert {v["class_id"] for v in verdicts} == {"normal", *SIGNS}
    assert {v["threshold"] for v in verdicts} == {1.0}


def test_what_a_configuration_masks_is_masked_in_the_page(
    command: Command, tmp_path: Path
) -> None:
    secret = session("ada@example.org", ["mail to eve@example.org bounced"] * 3)
    path = logs(tmp_path / "n", [*shop(60), secret])
    config = {
        "elasticsearch": {"hosts": ["http://localhost:9200"]},
        "sources": [{"name": "shop", "index": "logs-shop-*"}],
        "privacy": {"mask": ["email"]},
        "alerting": {"time_zone": "Asia/Shanghai"},
    }
    chosen = written(tmp_path / "c.yml", yaml.safe_dump(config))
    out = tmp_path / "m"
    told = command("train", path, "--out", out, "--config", chosen, *FAST)
    assert told.code == 0, told.err
    html = (out / "report.html").read_text("utf-8")
    assert "example.org" not in html
    assert "&lt;email:" in html
    assert "Asia/Shanghai (UTC+08:00)" in html
    assert "example.org" not in (out / "figures.json").read_text("utf-8")


def test_a_bad_configuration_is_told_of_before_hours_of_training(
    command: Command, tmp_path: Path
) -> None:
    path = logs(tmp_path / "n", shop(60))
    chosen = written(tmp_path / "c.yml", "sources: 3\n")
    told = command("train", path, "--out", tmp_path / "m", "--config", chosen, *FAST)
    assert told.code == 2
    assert "c.yml" in told.line


def test_hostile_lines_are_only_text(command: Command, tmp_path: Path) -> None:
    evil = "<script>document.title='hacked'</script><img src=x onerror=alert(1)>"
    path = logs(tmp_path / "n", [*shop(60), session(evil, [evil] * 3)])
    assert command("train", path, "--out", tmp_path / "m", *FAST).code == 0
    html = (tmp_path / "m" / "report.html").read_text("utf-8")
    assert "<script" not in html
    assert "<img" not in html
    assert "<script>document" in page_of(tmp_path / "m").text


def test_why_a_session_was_left_out_is_told(command: Command, tmp_path: Path) -> None:
    usual = shop(100)
    lines = [e.message for e in usual[1].events]
    turned = session("turned", [lines[0], *lines[-2:0:-1], lines[-1]])
    new = session("new", ["the core has melted", *lines])
    path = logs(tmp_path / "n", [*usual, turned, new])
    assert command("train", path, "--out", tmp_path / "m", *FAST).code == 0
    text = page_of(tmp_path / "m").text
    assert "lines that no other session has the core has melted 1 new" in text
    assert re.search(
        r"an order of lines that no other session has .* → .* 1 turned", text
    )
    assert "of 102 sessions did not teach what is normal" in text


@pytest.mark.parametrize("count", [5, 6])
def test_hardly_enough_sessions(command: Command, tmp_path: Path, count: int) -> None:
    path = logs(tmp_path / "n", shop(count))
    told = command("train", path, "--out", tmp_path / "m", *FAST)
    assert told.code == 0, told.err
    page = page_of(tmp_path / "m")
    assert page.open == []
    assert f"Only {count} sessions" in page.text


def test_one_session_is_refused_and_leaves_nothing(
    command: Command, tmp_path: Path
) -> None:
    path = logs(tmp_path / "n", shop(1))
    told = command("train", path, "--out", tmp_path / "m", *FAST)
    assert told.code == 1
    assert "only 1 session" in told.line
    assert [p.name for p in tmp_path.iterdir()] == ["n"]


def test_lines_without_a_time_promise_no_alarms_a_day(
    command: Command, tmp_path: Path
) -> None:
    lines = [f"[{s.key}] {e.message}" for s in shop(60) for e in s.events]
    path = written(tmp_path / "n", "\n".join(lines))
    told = command(
        "train", path, "--out", tmp_path / "m", "--session-pattern", r"^\[(\S+)\]",
        "--epochs", "2", "--device", "cpu",
    )  # fmt: skip
    assert told.code == 0, told.err
    text = page_of(tmp_path / "m").text
    assert "Logs without a usable time" in text
    assert "so there is no figure a day" in text


@pytest.mark.parametrize("stands", [False, True])
def test_ctrl_c_leaves_no_half_bundle(
    command: Command, tmp_path: Path, stands: bool
) -> None:
    path, folder = logs(tmp_path / "n", shop(400)), tmp_path / "m"
    if stands:
        assert command("train", path, "--out", folder, *FAST).code == 0
    before = sorted(p.name for p in tmp_path.rglob("*"))
    process = subprocess.Popen(
        [
            sys.executable, "-c", "from elkwatch.cli import main; main()", "train",
            str(path), "--out", str(folder), *KEY, "--device", "cpu",
            "--epochs", "100000",
        ],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith("0 templates")
    time.sleep(0.1)  # within stage 1
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out == ""
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
    if stands:
        assert load_bundle(folder)


def test_ctrl_c_between_two_renames_keeps_the_older_bundle(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = logs(tmp_path / "n", shop(60)), tmp_path / "m"
    assert command("train", path, "--out", folder, *FAST).code == 0
    version = load_bundle(folder).version
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if target == folder and self.name.startswith("."):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    told = command("train", path, "--out", folder, *FAST, "--seed", "3")
    assert told.code == 130
    assert load_bundle(folder).version == version
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m", "n"]


def test_the_bar_shows_stage_epoch_loss_and_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.console import Console

    console = Console(force_terminal=True, width=120, stderr=True)
    with TrainingProgress(console) as progress:
        for number in range(1, 6):
            progress(Step("1 next event", number, 50, 0.5 / number, 0.25, 0.004))
            time.sleep(0.15)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert "1 next-event network" in shown
    assert re.search(r"\d/50 loss 0\.\d{4}, held out 0\.2500 0:00:0\d left", shown)
    assert re.search(r"left 0:00:\d\d", shown)


def test_a_quantised_and_pruned_model_is_made_kept_and_used(
    command: Command, tmp_path: Path
) -> None:
    normal = logs(tmp_path / "n", shop(60))
    out = tmp_path / "m"
    small = ("--quantize", "int8", "--prune", "0.3")
    done = command("train", normal, "--out", out, *FAST, *small)
    assert done.code == 0, done.err
    model = load_bundle(out)
    assert (model.precision, model.configuration["prune"]) == ("int8", 0.3)
    used = command("classify", normal, "--model", out, "--out", tmp_path / "r", *KEY)
    assert used.code in (0, 1), used.err
    wrong = command("train", normal, "--out", out, *FAST, "--prune", "1")
    assert wrong.code == 2
