"""How the pipeline did, by the figures of its runs and rounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connector import RunFigures, TickFigures, run_document, tick_document
from elkwatch.report import build_report, report_data_from_documents
from tests.elkwatch.html_page import Page
from tests.elkwatch.report_samples import DAY, TOMORROW, runs


def test_run_figures_add_up() -> None:
    shop, checkout = sorted(
        report_data_from_documents([], runs(), generated_at=TOMORROW).health,
        key=lambda health: health.failed,
    )
    assert (shop.runs, shop.dead_letters, shop.late) == (240, 1, 27)
    assert shop.unknown_ratio == pytest.approx(0.004)
    assert shop.lag_s == pytest.approx(31.5 + 239 % 7)
    assert checkout.last_failure is not None
    told = report_data_from_documents([], runs(), generated_at=TOMORROW).notifications
    assert told == (("notifications", 12),)


def test_a_source_that_fails_still_is_told_apart() -> None:
    def run(minute: int, failure: str | None) -> dict[str, Any]:
        at = DAY + timedelta(minutes=minute)
        return run_document(
            RunFigures(f"r{minute}", "shop", at, at, failure=failure), "default"
        )

    for last, said in ((None, "(it has worked again since)"), ("gone", "FAILING")):
        documents = [run(1, None), run(2, "gone"), run(3, last)]
        data = report_data_from_documents([], documents, generated_at=TOMORROW)
        text = Page(build_report(data)).text
        assert said in text
        assert ("FAILING" in text) == (last is not None)


def test_rounds_tell_of_messages_and_memory() -> None:
    def tick(minute: int, **figures: Any) -> dict[str, Any]:
        at = DAY + timedelta(minutes=minute)
        return tick_document(TickFigures(f"r{minute}", at, at, **figures), "default")

    documents = [
        tick(1, sent=2, memory_bytes=600_000_000),
        tick(2, retried=3, failed=1, memory_bytes=900_000_000),
        tick(3, gpu_memory_bytes=2_500_000_000),
    ]
    data = report_data_from_documents([], documents, generated_at=TOMORROW)
    text = Page(build_report(data)).text
    for said in (
        "3 rounds", "2 messages sent", "3 attempts", "1 given up",
        "900 MB of memory", "2.5 GB on the GPU", "alerts list --owed",
    ):  # fmt: skip
        assert said in text, said
