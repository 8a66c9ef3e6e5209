"""Whatever happens, in whatever order and however often: a few things always hold."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting import FindingNotice
from tests.alerting.makers import Recorder, Wordless, World, minutes, notice

FINDINGS = st.builds(
    lambda one, name, ago, gone: (one, name, ago, gone),
    st.sampled_from("abcdef"),
    st.sampled_from(["c07", "c08"]),
    st.sampled_from([0, 5, 50, 90, 500]),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.lists(FINDINGS, min_size=1, max_size=4)),
        st.tuples(st.just("advance"), st.integers(-30, 30)),
        st.tuples(st.sampled_from(["replay", "restart", "sum up", "deliver"])),
        st.tuples(st.just("wait"), st.sampled_from([1, 20, 70, 300])),
    ),
    max_size=25,
)


def _notice(world: World, one: str, name: str, ago: int, gone: bool) -> FindingNotice:
    return notice(
        one,
        world.clock.now() - minutes(ago),
        fingerprint=f"{name}/shop-db",
        class_id=name,
        status="withdrawn" if gone else "open",
    )


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_what_always_holds(steps: list[tuple[object, ...]]) -> None:
    world = World(composer=Wordless(), channels={"mail": Recorder()})
    told: list[FindingNotice] = []
    last: dict[str, FindingNotice] = {}
    for step in steps:
        now = world.clock.now()
        match step:
            case ("note", list(findings)):
                told = [_notice(world, *one) for one in findings]
                last |= {one.finding_id: one for one in told}
                world.tracker.note(told, now)
            case ("replay",):
                before = world.tracker.episodes()
                world.tracker.note(told, now)
                assert _figures(world.tracker.episodes()) == _figures(before)
            case ("advance", int(offset)):
                world.tracker.advance("shop-db", now + minutes(offset), now)
            case ("restart",):
                world = world.restarted()
            case ("sum up",):
                world.tracker.catch_up_done("shop-db", now)
            case ("deliver",):
                world.outbox.deliver(now)
            case ("wait", int(length)):
                world.clock.forward(minutes(length))
    _check(world, last)


def _figures(episodes: list) -> list[tuple[object, ...]]:  # type: ignore[type-arg]
    return [(e.episode_id, e.findings, e.withdrawn, e.silent.total) for e in episodes]


def _check(world: World, last: dict[str, FindingNotice]) -> None:
    episodes = world.tracker.episodes()
    homes = Counter(one for e in episodes for one in e.finding_ids)
    open_ids = {one for one, told in last.items() if told.status == "open"}
    assert homes == dict.fromkeys(open_ids, 1), "each open finding has one home"
    for episode in episodes:
        held = [last[one] for one in episode.finding_ids]
        assert {one.fingerprint for one in held} <= {episode.fingerprint}
        assert episode.findings == len(held)
        assert episode.resolved or held, "an episode without findings is over"
    numbers = Counter((e.fingerprint, e.state == "resolved") for e in episodes)
    assert all(n <= 1 for (_, over), n in numbers.items() if not over), "one at a time"

    end = world.clock.forward(timedelta(hours=2))
    world.tracker.catch_up_done("shop-db", end)
    world.outbox.deliver(end)
    messages = world.channels["mail"].messages
    assert max(Counter(m.row_id for m in messages).values(), default=1) == 1
    summed_up = sum(
        m.document["data"]["findings"] for m in messages if m.kind == "catch-up"
    )
    assert summed_up >= sum(e.silent.told for e in world.tracker.episodes())
    assert all(e.silent.pending == 0 for e in world.tracker.episodes())
    for episode in episodes:
        mine = [m for m in messages if m.row_id.startswith(episode.episode_id)]
        kinds = [m.kind for m in mine]
        assert [m.document["data"]["sequence"] for m in mine] == sorted(
            m.document["data"]["sequence"] for m in mine
        )
        assert kinds.count("opened") == episode.announced
        assert kinds[:1] == ["opened"] * episode.announced
        assert kinds.count("resolved") == (episode.announced and episode.resolved)
