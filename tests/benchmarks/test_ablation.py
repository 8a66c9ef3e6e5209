"""The table of options: complete, and by which setting each row differs."""

from __future__ import annotations

from dataclasses import fields

from benchmarks.ablation import table
from benchmarks.ablation_kinds import KINDS, STAGE_4
from benchmarks.ablation_network import NEXT_EVENT, STAGE_1


def test_each_row_changes_one_setting_alone_and_one_all_that_is_off() -> None:
    for base, rows in ((NEXT_EVENT, STAGE_1), (KINDS, STAGE_4)):
        for name, config in rows.items():
            changed = [
                field.name
                for field in fields(config)
                if getattr(config, field.name) != getattr(base, field.name)
            ]
            several = 6 if name == "all that is off, on" else 1
            assert len(changed) == (name != "defaults") * several, name


def test_a_figure_that_was_not_measured_is_left_empty() -> None:
    rows = {
        "defaults": [{"f1": 0.5, "seconds": 2.0}, {"f1": 1.0, "seconds": 4.0}],
        "top-k": [{"f1": 0.25}, {"f1": 0.25}],
    }
    assert list(table(rows)) == [
        "| option | F1 | seconds |",
        "|---|---|---|",
        "| defaults | 0.750 ± 0.250 | 3.0 |",
        "| top-k | 0.250 ± 0.000 |  |",
    ]
