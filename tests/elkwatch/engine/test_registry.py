"""Which engines live, by their records and locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from elkwatch.engine import EngineOptions, EngineRecord, Which, background, registry
from elkwatch.engine.errors import EngineStartError


def a_record(directory: Path, keeper_pid: int | None = None) -> EngineRecord:
    return EngineRecord(
        url="http://127.0.0.1:9200",
        version="8.19.8",
        pid=1,
        keeper_pid=keeper_pid or os.getpid(),
        data_dir="",
        directory=str(directory),
    )


@pytest.fixture
def book(tmp_path: Path) -> registry.Registry:
    return registry.Registry(tmp_path)


def test_an_engine_lives_as_long_as_its_lock_is_held(book: registry.Registry) -> None:
    directory, lock = book.new()
    registry.write_record(a_record(directory.path))
    assert [record.url for record in book.running()] == ["http://127.0.0.1:9200"]
    os.close(lock)
    # The process id in the record lives: it is that of this test.
    assert book.running() == []
    assert book.dead() == [directory]


def test_what_the_dead_left_goes_and_the_living_stay(book: registry.Registry) -> None:
    living, lock = book.new()
    dead, dead_lock = book.new()
    os.close(dead_lock)
    book.sweep()
    assert living.path.is_dir()
    assert not dead.path.exists()
    os.close(lock)


def test_a_damaged_record_is_no_engine(book: registry.Registry) -> None:
    directory, lock = book.new()
    directory.record.write_text('{"url": ')
    assert book.running() == []
    os.close(lock)


def test_stopping_a_stale_record_signals_nobody(book: registry.Registry) -> None:
    directory, lock = book.new()
    os.close(lock)
    program = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(program) as innocent:
        registry.stop(a_record(directory.path, innocent.pid))
        innocent.kill()
    assert innocent.returncode == -signal.SIGKILL  # and not of a SIGTERM before


def test_a_running_engine_that_differs_is_not_passed_off_as_the_one_asked_for(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    monkeypatch.delenv("ELKWATCH_ENGINE_VERSION", raising=False)
    monkeypatch.setenv("ELKWATCH_CACHE", str(open_directory))
    directory, lock = registry.Registry(open_directory).new()
    record = a_record(directory.path)
    registry.write_record(record)
    assert background.start_in_background(EngineOptions()) == (record, False)
    same = EngineOptions(version="8.19.8", port=9200)
    assert background.start_in_background(same) == (record, False)
    for options in (
        EngineOptions(version="9.2.4"),
        EngineOptions(version="9.2.4", port=9200),
        EngineOptions(port=9200, data_dir=open_directory / "data"),
    ):
        with pytest.raises(EngineStartError, match="elkwatch engine stop"):
            background.start_in_background(options)
    os.close(lock)


@pytest.fixture
def two(book: registry.Registry) -> Iterator[list[EngineRecord]]:
    """Two engines that live, by the book; this process is the keeper of neither."""
    held, records = [], []
    for port in (9200, 9201):
        directory, lock = book.new()
        record = replace(
            a_record(directory.path),
            url=f"http://127.0.0.1:{port}",
            data_dir=str(book.root / f"data-{port}"),
        )
        registry.write_record(record)
        held.append(lock)
        records.append(record)
    yield records
    for lock in held:
        os.close(lock)


def test_the_engine_that_is_named_is_the_one_that_is_meant(
    two: list[EngineRecord],
) -> None:
    first, second = two
    data = Path(second.data_dir)
    for which, meant in (
        (Which(), [first, second]),
        (Which(port=9201), [second]),
        (Which(data_dir=data), [second]),
        (Which(port=9200, data_dir=data), []),
        (Which(port=9202), []),
    ):
        assert [record for record in two if which.means(record)] == meant, which
    assert Which(port=9200, data_dir=data).touches(second)
    assert not Which(port=9202).touches(second)
