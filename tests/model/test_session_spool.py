"""Sessions that do not fit into memory: the same ones, from disk."""

from __future__ import annotations

import random
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import torch

from model import (
    NO_LABELS,
    LogEvent,
    SpoolError,
    Step,
    TrainingConfig,
    group_sessions,
    spool_sessions,
    train,
)
from model.class_training import ClassTrainingConfig
from model.language_model import LanguageModelConfig
from model.session_spool import SessionSpool
from model.training_split import split_sessions
from tests.model.builders import START, deadlocked, looping, shop

QUICK = TrainingConfig(
    language_model=LanguageModelConfig(hidden=8, embedding=4, epochs=2),
    classes=ClassTrainingConfig(hidden=8, epochs=2),
)


def interleaved(count: int = 120) -> list[LogEvent]:
    rng = random.Random(3)
    sessions = [*shop(count), *(deadlocked(f"d{i}", rng) for i in range(6))]
    sessions += [looping(f"l{i}", rng) for i in range(6)]
    return sorted((e for s in sessions for e in s.events), key=lambda e: e.time)


def odd_events() -> list[LogEvent]:
    """Without a key, with half a character, with everything there is."""
    return [
        LogEvent(START, "no key", host="h1"),
        LogEvent(START + timedelta(minutes=9), "no key", host="h1"),
        LogEvent(START, "汉字 \U0001f600", "k", "ERROR", "shop", "h2", 7, "doc-1"),
        LogEvent(START - timedelta(days=900), "", "k", sequence=0),
    ]


@pytest.mark.parametrize("window", [None, timedelta(seconds=30)])
def test_the_spool_holds_what_grouping_in_memory_gives(
    tmp_path: Path, window: timedelta | None
) -> None:
    events = [*interleaved(), *odd_events()]
    wanted = group_sessions(events, window=window)
    found = spool_sessions(iter(events), tmp_path, window=window, in_memory=10)
    assert isinstance(found, SessionSpool)
    assert list(found) == wanted
    assert len(found) == len(wanted)
    assert found[3] == wanted[3]
    assert found[-1] == wanted[-1]
    assert found[2:5] == wanted[2:5]
    assert len(list(tmp_path.iterdir())) == 1
    found.close()
    assert list(tmp_path.iterdir()) == []


def test_few_events_never_touch_the_disk(tmp_path: Path) -> None:
    events = interleaved(10)
    found = spool_sessions(events, tmp_path, in_memory=len(events))
    assert found == group_sessions(events)
    assert list(tmp_path.iterdir()) == []


def test_a_spool_nobody_holds_is_gone(tmp_path: Path) -> None:
    spool_sessions(interleaved(10), tmp_path, in_memory=3)
    assert list(tmp_path.iterdir()) == []


def test_half_a_character_does_not_stop_the_spool(tmp_path: Path) -> None:
    events = [LogEvent(START, "odd \ud800 end", f"k{i}") for i in range(5)]
    found = spool_sessions(events, tmp_path, in_memory=2)
    assert [s.events[0].message for s in found] == ["odd ? end"] * 5


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_on_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with files_of_at_most(1000), pytest.raises(SpoolError, match="no room for the"):
        spool_sessions(interleaved(), tmp_path, in_memory=10)
    assert list(tmp_path.iterdir()) == []


def test_a_model_from_disk_is_the_model_from_memory(tmp_path: Path) -> None:
    events = interleaved()
    wanted = train(group_sessions(events), QUICK)
    found = train(spool_sessions(events, tmp_path, in_memory=10), QUICK)
    assert found.figures == wanted.figures
    assert [c.class_id for c in found.classes] == [c.class_id for c in wanted.classes]
    for name, weights in wanted.network.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], weights)


def test_of_very_many_sessions_so_many_are_drawn_and_that_is_told() -> None:
    sessions = shop(100)
    steps: list[Step] = []
    few = replace(QUICK, max_sessions=40)
    found = train(sessions, few, progress=steps.append)
    told = "40 of 100 sessions are drawn to teach what is normal (max_sessions)"
    assert [s.trouble for s in steps if s.trouble] == [told]
    assert found.figures["sessions"] == 40
    again = train(sessions, few)
    other = train(sessions, replace(QUICK, max_sessions=40, seed=1))
    assert found.figures == again.figures
    assert found.figures["likeness"] != other.figures["likeness"]


def test_what_is_kept_of_each_session_before_some_are_drawn_is_a_few_bytes() -> None:
    """Ten million sessions would take 100 bytes each as lists of numbers."""
    count = 40_000
    sessions = shop(1) * count
    tracemalloc.start()
    split = split_sessions(sessions, NO_LABELS, seed=0, held_out_share=0.15, most=50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(split.unlabelled) == count
    assert len(split.pool) == 50
    assert peak < 40 * count
