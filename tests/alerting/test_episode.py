"""One episode as a value: counts follow from its findings, and it stays small."""

from __future__ import annotations

import json

import pytest

from alerting import FindingNotice
from alerting.episode import (
    MAX_IDS,
    Episode,
    episode_from,
    episode_id,
    new_episode,
)
from alerting.gathering import Gathering
from alerting.members import MAX_MEMBERS, MAX_NAMES, MAX_SAMPLES
from tests.alerting.makers import T0, minutes, notice


def _joined(episode: Episode, told: FindingNotice, *, silent: bool) -> Episode:
    gathering = Gathering(episode)
    gathering.add(told, silent=silent)
    return gathering.episode()


def _with(*ids: str) -> Episode:
    episode = new_episode(notice("a"), 1, T0)
    for at, one in enumerate(ids):
        told = notice(one, T0 + minutes(at), risk=50 + at, host=f"db{at}")
        episode = _joined(episode, told, silent=False)
    return episode


def test_the_id_depends_on_source_fingerprint_and_number_only() -> None:
    assert episode_id("s", "f", 1) == episode_id("s", "f", 1)
    ids = {
        episode_id(source, print_, number)
        for source in ("s", "t")
        for print_ in ("f", "g")
        for number in (1, 2)
    }
    assert len(ids) == 8
    assert new_episode(notice("a"), 1, T0).episode_id == (
        new_episode(notice("z", T0 + minutes(9)), 1, T0 + minutes(9)).episode_id
    )


def test_figures_follow_from_the_findings() -> None:
    episode = _with("a", "b", "c")
    assert episode.findings == 3
    assert (episode.first_seen, episode.last_seen) == (T0 - minutes(1), T0 + minutes(2))
    assert episode.risk == 52
    assert episode.hosts == ("db0", "db1", "db2")
    assert episode.services == ("shop-db",)


def test_told_twice_changes_nothing() -> None:
    episode = _with("a", "b")
    again = notice("b", T0 + minutes(1), risk=51, host="db1", detected_at=T0)
    assert _joined(episode, again, silent=True) is episode


def test_amended_replaces_what_was_counted() -> None:
    amended = _joined(_with("a", "b"), notice("b", T0, risk=99), silent=False)
    assert amended.findings == 2
    assert amended.risk == 99
    assert amended.last_seen == T0
    assert amended.hosts == ("db0", "db1")
    assert amended.samples[0].finding_id == "b"


def test_withdrawn_leaves_no_trace_but_the_count() -> None:
    episode = _with("a", "b").without_finding("b")
    assert (episode.findings, episode.withdrawn) == (1, 1)
    assert episode.risk == 50
    assert [s.finding_id for s in episode.samples] == ["a"]
    assert episode.without_finding("b") is episode
    assert episode.without_finding("a").first_seen is None


def test_samples_are_the_riskiest_and_the_first() -> None:
    episode = _with("a", "b", "c", "d", "e")
    assert len(episode.samples) == MAX_SAMPLES
    assert [s.finding_id for s in episode.samples] == ["e", "d", "a"]


def test_everything_is_bounded() -> None:
    episode = new_episode(notice("a"), 1, T0)
    long = "x" * 100_000
    count = MAX_IDS + 300
    for number in range(count):
        told = notice(
            f"{number:032d}",
            T0 + minutes(number),
            risk=number % 100,
            host=f"host{number:05d}",
            service=long,
            session=long,
            advice=long,
            class_name="c",
            causes=(long,) * 50,
            missing=(long,) * 50,
            evidence=tuple(
                type(line)(at, long, long, 1.0, ((long, 0.5),) * 9)
                for at, line in enumerate(notice("a").evidence * 20)
            )
            if number % 500 == 0
            else (),
        )
        episode = _joined(episode, told, silent=number % 2 == 0)
    assert episode.findings == count
    assert len(episode.members) == MAX_MEMBERS
    assert len(episode.finding_ids) == MAX_IDS
    assert len(episode.hosts) == MAX_NAMES
    assert episode.first_seen == T0 - minutes(1)
    assert episode.risk == 99
    assert episode.silent.total == count / 2
    assert len(json.dumps(episode.body())) < 600_000


def test_a_folded_finding_is_still_known() -> None:
    episode = new_episode(notice("a"), 1, T0)
    for number in range(MAX_MEMBERS + 1):
        episode = _joined(episode, notice(f"f{number}", T0), silent=False)
    gone = next(i for i in episode.finding_ids if episode.member(i) is None)
    assert _joined(episode, notice(gone, T0), silent=False) is episode
    less = episode.without_finding(gone)
    assert less.findings == episode.findings - 1
    assert not less.holds(gone)


@pytest.mark.parametrize("silent", [True, False])
def test_stored_and_read_it_is_the_same(silent: bool) -> None:
    episode = _joined(_with("a", "b"), notice("z"), silent=silent)
    body = json.loads(json.dumps(episode.body()))
    assert episode_from(body) == episode
    assert body["finding_ids"] == ["a", "b", "z"]
    assert body["catch_up"] == ("pending" if silent else "none")
