"""The built objects: always the same bytes, ids that never change, nothing wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner

from connector import (
    RunFigures,
    TickFigures,
    finding_document,
    run_document,
    tick_document,
)
from elkwatch.cli.dashboards import dashboards
from elkwatch.kibana_objects import known_fields
from kibana import build_objects, check_text, ndjson, source_view_id
from kibana.check.kql import kql_fields
from tests.connector.samples import NOON, at, finding
from tests.kibana.built import WISHES, Built

# Released ids: people link to them, and `uninstall` removes exactly these.
IDS = {
    "index-pattern": ["elkwatch-findings", "elkwatch-runs"],
    "search": ["elkwatch-latest-findings"],
    "dashboard": [
        "elkwatch-overview",
        "elkwatch-class-detail",
        "elkwatch-pipeline-health",
    ],
}


def test_a_rebuild_gives_the_same_bytes() -> None:
    assert ndjson(build_objects(WISHES)) == ndjson(build_objects(WISHES))


def test_the_ids_are_those_that_were_released() -> None:
    built = [(o.type, o.id) for o in build_objects()]
    assert built == [(kind, i) for kind, ids in IDS.items() for i in ids]


def test_each_source_has_the_data_view_that_links_name() -> None:
    ids = [o.id for o in build_objects(WISHES)]
    assert source_view_id("logs-shop-*", "@timestamp") in ids


def test_the_checker_finds_nothing_in_what_is_built() -> None:
    assert check_text(ndjson(build_objects(WISHES)), known_fields()) == []


def test_nothing_newer_than_8_12_is_stamped() -> None:
    stamps = {
        (o["type"], o["coreMigrationVersion"], o["typeMigrationVersion"])
        for o in Built().objects
    }
    assert stamps == {
        ("index-pattern", "8.8.0", "8.0.0"),
        ("search", "8.8.0", "8.0.0"),
        ("dashboard", "8.8.0", "8.9.0"),
    }


def _fields(value: Any) -> set[str]:
    """Every field that charts, queries, columns and controls name."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"sourceField", "fieldName"}:
                found.add(inner)
            elif key == "query" and isinstance(inner, str):
                found |= kql_fields(inner)
            elif key == "columns" and isinstance(inner, list):
                found |= {c for c in inner if isinstance(c, str)}
            found |= _fields(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= _fields(inner)
    return found - {"___records___"}


def _paths(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {prefix}
    return {
        path
        for key, inner in value.items()
        for path in _paths(inner, f"{prefix}.{key}" if prefix else key)
    }


def test_every_field_shown_is_one_that_is_written() -> None:
    stages = dict.fromkeys(("read", "score", "confirm", "classify", "write"), 1.0)
    run = RunFigures("r", "db", NOON, at(1), lag_s=1.0, durations_s=stages)
    round_ = TickFigures("r", NOON, at(1))
    seen = finding(log_url="https://kibana/app/discover#/")
    written = (
        _paths(finding_document(seen, "d"))
        | _paths(run_document(run, "d"))
        | _paths(tick_document(round_, "d"))
    )
    shown = set().union(*(_fields(o["attributes"]) for o in Built().objects))
    assert shown - written == set()
    assert len(shown) > 25


def test_no_address_of_a_machine_is_in_the_file() -> None:
    assert re.search(r"https?://", ndjson(build_objects(WISHES))) is None


def test_build_and_check_as_commands(tmp_path: Any) -> None:
    call = CliRunner().invoke
    out = tmp_path / "elkwatch.ndjson"
    built = call(dashboards, ["build", "--out", str(out)])
    assert built.exit_code == 0, built.output
    checked = call(dashboards, ["check", str(out)])
    assert "no defect" in checked.output
    out.write_text(out.read_text("utf-8").replace("8.9.0", "10.3.0"), "utf-8")
    told = call(dashboards, ["check", str(out), "--json"], standalone_mode=False)
    assert told.return_value == 1
    assert len(json.loads(told.stdout)) == 3


@pytest.mark.parametrize("given", ["", "\n\n", '{"exportedCount": 3}\n'])
def test_a_file_without_objects_is_told_of(given: str) -> None:
    (defect,) = check_text(given, known_fields())
    assert "holds no saved object" in str(defect)
