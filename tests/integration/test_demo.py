"""The demo is the product's promise: it is run as it stands, and counted."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from elkwatch.cli.shell import run
from elkwatch.demo import show
from elkwatch.demo.logs import demo_file, shifted, write_ndjson

SECRETS = {
    "mail of grace.hopper@navy.example.org bounced": "grace.hopper@navy.example.org",
    "card 4111 1111 1111 1111 declined": "4111 1111 1111 1111",
    "retry with password=hunter22hunter, giving up": "hunter22hunter",
}
# The logs themselves and the model that was made of them; they never leave.
_INPUTS = {"live.ndjson.gz", "model/templates.json"}


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions with secrets in all logs of the demo, in those of training too."""

    def live(now: datetime, margin: timedelta) -> list[dict[str, Any]]:
        return _with_secrets(shifted(now, margin))

    def training(name: str) -> Path:
        with gzip.open(demo_file(name), "rt", encoding="utf-8") as stream:
            documents = _with_secrets([json.loads(line) for line in stream])
        write_ndjson(documents, tmp_path / f"{name}.ndjson.gz")
        return tmp_path / f"{name}.ndjson.gz"

    monkeypatch.setattr(show, "shifted", live)
    monkeypatch.setattr(show, "demo_file", training)


def _with_secrets(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two copies of the last session that is whole, each with the secrets in it."""
    key = documents[-1]["postgresql"]["log"]["session_id"]
    last = [d for d in documents if d["postgresql"]["log"]["session_id"] == key]
    more = []
    for name in ("grace.hopper@navy.example.org", "leak.2"):
        for document, text in zip(last * 4, [*_texts(last), *SECRETS], strict=False):
            copy = json.loads(json.dumps(document))
            copy["postgresql"]["log"]["session_id"] = name
            copy["message"] = text
            more.append(copy)
    return [*documents, *more]


def _texts(documents: list[dict[str, Any]]) -> list[str]:
    return [document["message"] for document in documents]


@pytest.mark.usefixtures("engine_programs", "planted")
def test_the_demo_loses_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    assert run(["demo", "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["engine"]["name"] == "elasticsearch"
    assert summary["lost"] == summary["duplicates"] == 0
    assert summary["logs_read"] == summary["logs_indexed"] > 20_000
    assert summary["findings"] == sum(summary["classes"].values()) > 100
    assert "PostgreSQL deadlock" in summary["classes"]
    assert summary["mails_received"] == summary["webhooks_received"] > 5
    assert summary["second_run"] == {"findings": 0, "notifications": 0}
    report = (out / "report.html").read_text()
    assert "disk full" in report
    assert "<script" not in report
    assert summary["dashboards"]["objects"] == 7
    assert summary["dashboards"]["defects"] == []
    assert set(summary["seconds"]) >= {"train", "run", "dashboards", "preview"}
    assert '"elkwatch-overview"' in (out / "dashboards.ndjson").read_text()
    preview = Path(summary["preview"]).read_text()
    assert f'<b class=""><bdi>{summary["findings"]}</bdi></b>' in preview
    assert "PostgreSQL deadlock" in preview
    told = capsys.readouterr().out
    assert "What to do" in told
    assert "0 lost, 0 doubled" in told
    trained = (out / "model" / "report.html").read_text()
    assert summary["training_report"] == str(out / "model" / "report.html")
    _no_secret_is_in(out, told)
    assert "&lt;token:" in report
    for page in (report, trained):
        assert "&lt;email:" in page


def _no_secret_is_in(out: Path, told: str) -> None:
    texts = {"what it said": told}
    for path in out.rglob("*"):
        name = str(path.relative_to(out))
        if path.is_file() and name not in _INPUTS:
            texts[name] = path.read_bytes().decode("utf-8", "replace")
    assert {"report.html", "preview.html", "mail.html", "webhook.json"} < set(texts)
    found = {n: [s for s in SECRETS.values() if s in t] for n, t in texts.items()}
    assert {name: hits for name, hits in found.items() if hits} == {}
