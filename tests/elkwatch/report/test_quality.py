"""The quality of each source's model, as a report shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from elkwatch.config import SourceSettings
from elkwatch.model_quality import model_quality
from elkwatch.report import build_report
from model import save_bundle, train
from tests.elkwatch.html_page import Page
from tests.elkwatch.report_samples import DAY, whole
from tests.model.builders import shop
from tests.model.conftest import CONFIG


def test_the_quality_of_each_sources_model(trained_bundle: Path) -> None:
    sources = [
        SourceSettings.model_validate({"name": name, "index": "logs-*", "model": model})
        for name, model in (("shop", trained_bundle), ("lost", "/nowhere"))
    ]
    bare = SourceSettings.model_validate({"name": "bare", "index": "logs-*"})
    table = model_quality([*sources, bare])
    assert table is not None
    first, lost = table.rows
    assert first[0] == "shop"
    assert first[3] == "60"
    assert 0 < float(first[5]) < 3
    assert float(first[6]) >= 1
    assert first[7] == "0"
    assert lost[:2] == ("lost", "/nowhere cannot be read")
    assert model_quality([bare]) is None
    text = Page(build_report(whole(quality=table))).text
    assert "Held-out loss" in text


@pytest.fixture
def trained_bundle(tmp_path: Path) -> Path:
    save_bundle(train(shop(60), CONFIG), tmp_path / "bundle", now=DAY)
    return tmp_path / "bundle"
