"""The file that `elkwatch init` writes, and what may stand in it."""

from __future__ import annotations

from pathlib import Path

from elasticsearch import Elasticsearch

from elkwatch.cli.shell import run
from elkwatch.config import load_config
from tests.elkwatch.proposals_samples import connections, otel
from tests.integration.init.calls import LATELY, Init, put_many

HOSTILE = "session id: x\n- evil #\x1b[31m'\"{}[]&!|>%@`"


def test_hostile_names_and_texts_stay_data(
    es: Elasticsearch, init: Init, prefix: str
) -> None:
    """A field name cannot add a key to the file, nor move the cursor of a terminal."""
    readable = "session: {evil: yes} # \"'\\"
    index = f"{prefix}&a'%{{x}}"
    documents = (
        {
            "@timestamp": d["@timestamp"],
            "message": f"{d['message']}\x1b[2J\x07\nsources: []",
            readable: d["postgresql"]["log"]["session_id"],
            HOSTILE: d["postgresql"]["log"]["session_id"],
            "host": {"name": "\x1b]0;owned\x07"},
        }
        for d in connections(150, start=LATELY)
    )
    put_many(es, index, documents)
    told = init()
    assert told.code == 0, told.err
    assert all(c.isprintable() or c == "\n" for c in told.out)
    (written,) = load_config(told.file, {}).sources
    assert written.index == index
    assert written.session is not None
    assert written.session.field == readable
    assert all(c.isprintable() or c == "\n" for c in told.file.read_text("utf-8"))


class TestTheFile:
    def test_folders_on_the_way_are_made(
        self, es: Elasticsearch, init: Init, prefix: str, tmp_path: Path
    ) -> None:
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        out = tmp_path / "with space" / "deep" / "own.yml"
        told = init("--out", str(out))
        assert told.code == 0, told.err
        assert f"elkwatch config check --config '{out}'" in told.out
        assert load_config(out, {}).sources[0].index == f"{prefix}otel"
        assert run(["config", "check", "--config", str(out)]) == 0

    def test_one_that_is_there_is_kept(
        self, es: Elasticsearch, init: Init, prefix: str, tmp_path: Path
    ) -> None:
        own = tmp_path / "elkwatch.yml"
        own.write_text("mine", "utf-8")
        told = init()
        assert told.code == 2
        assert told.err.startswith("elkwatch: elkwatch.yml is already there")
        assert own.read_text("utf-8") == "mine"
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        assert init("--force").code == 0
        assert load_config(own, {}).sources

    def test_on_standard_output(
        self, es: Elasticsearch, init: Init, prefix: str, tmp_path: Path
    ) -> None:
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        told = init("--out", "-")
        assert told.code == 0
        copy = tmp_path / "copy.yml"
        copy.write_text(told.out, "utf-8")
        assert load_config(copy, {}).sources[0].index == f"{prefix}otel"
        assert "otel: good" in told.err

    def test_a_dry_run_writes_none(
        self, es: Elasticsearch, init: Init, prefix: str
    ) -> None:
        put_many(es, f"{prefix}otel", otel(800, start=LATELY))
        told = init("--dry-run")
        assert told.code == 0
        assert "otel: good" in told.out
        assert not told.file.exists()
