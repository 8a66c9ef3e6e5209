"""The demo is the product's promise: it is run as it stands, and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from elkwatch.cli.shell import run


@pytest.mark.usefixtures("engine_programs")
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
