"""Many findings at once leave the episode that one after the other would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting import FindingNotice
from alerting.episode import Episode, new_episode
from alerting.gathering import Gathering
from alerting.members import Folded, by_end, kept_samples, member_of
from tests.alerting.makers import T0, minutes, notice

MEMBERS, IDS = 5, 9

NOTICES = st.builds(
    lambda one, at, risk, name, detected: notice(
        one,
        T0 + minutes(at),
        risk=risk,
        severity=["low", "high", "odd"][risk % 3],
        host=f"db{risk}" if risk % 4 else None,
        class_name=name,
        advice=name * 3000,
        session=name * 700,
        service=f"s{risk}" * 130,
        detected_at=T0 + minutes(detected),
    ),
    st.sampled_from([f"f{number}" for number in range(14)]),
    st.integers(-20, 20),
    st.integers(0, 9),
    st.sampled_from(["a", "b"]),
    st.integers(0, 2),
)
TOLD = st.lists(st.tuples(NOTICES, st.booleans()), max_size=40)


def _with_one(episode: Episode, told: FindingNotice, silent: bool) -> Episode:
    """What taking in a finding means, without a thought of what it costs."""
    told = told.bounded()
    known = episode.member(told.finding_id)
    if known is None and episode.holds(told.finding_id):
        return episode
    member = member_of(told, silent=known.silent if known else silent)
    samples = [s for s in episode.samples if s.finding_id == told.finding_id]
    if member == known and all(
        replace(told, detected_at=sample.detected_at) == sample for sample in samples
    ):
        return episode
    rest = (m for m in episode.members if m is not known)
    members = tuple(sorted((*rest, member), key=by_end))
    changed = replace(
        episode,
        class_id=told.class_id,
        class_name=told.class_name,
        pattern=told.pattern,
        known=told.known,
        advice=told.advice,
        members=members,
        samples=kept_samples(episode.samples, told),
    )
    if known is not None:
        return changed
    return replace(
        changed,
        finding_ids=(*episode.finding_ids, told.finding_id)[-IDS:],
        silent=episode.silent.plus(member) if silent else episode.silent,
        folded=episode.folded.plus(members[:-MEMBERS]),
        members=members[-MEMBERS:],
    )


@contextmanager
def _small_limits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alerting.gathering.MAX_MEMBERS", MEMBERS)
        patch.setattr("alerting.gathering.MAX_IDS", IDS)
        yield


@settings(max_examples=300, deadline=None)
@given(TOLD, TOLD)
def test_many_at_once_are_as_one_by_one(
    first: list[tuple[FindingNotice, bool]], then: list[tuple[FindingNotice, bool]]
) -> None:
    expected = new_episode(notice("a"), 1, T0)
    episode = expected
    with _small_limits():
        for told in (first, then):
            together = Gathering(episode)
            for one, silent in told:
                known = expected.member(one.finding_id)
                assert together.end_of(one.finding_id) == (known and known.end)
                after = _with_one(expected, one, silent)
                assert together.add(one, silent=silent) == (after is not expected)
                expected = after
            before, episode = episode, together.episode()
            assert episode == expected
            assert (episode is before) or told


def test_nothing_new_leaves_the_very_same_episode() -> None:
    episode = _with_one(new_episode(notice("a"), 1, T0), notice("a"), False)
    again = Gathering(episode)
    assert not again.add(notice("a", detected_at=T0 + minutes(9)), silent=True)
    assert again.episode() is episode


def test_new_advice_alone_is_an_amendment() -> None:
    episode = _with_one(new_episode(notice("a"), 1, T0), notice("a"), False)
    again = Gathering(episode)
    assert again.add(notice("a", advice="Call the owner."), silent=False)
    amended = again.episode()
    assert (amended.findings, amended.advice) == (1, "Call the owner.")
    assert [sample.advice for sample in amended.samples] == ["Call the owner."]


def test_what_is_folded_is_summed_up() -> None:
    with _small_limits():
        together = Gathering(new_episode(notice("a"), 1, T0))
        for number in range(8):
            at = T0 + minutes(number)
            together.add(notice(f"f{number}", at, risk=90 - number), silent=False)
    episode = together.episode()
    assert episode.findings == 8
    assert [m.finding_id for m in episode.members] == ["f3", "f4", "f5", "f6", "f7"]
    assert episode.folded != Folded()
    assert (episode.risk, episode.first_seen) == (90, T0 - minutes(1))
