"""What becomes of an episode: pure decisions, each with its reason.

    opened ──more findings──▶ ongoing ──source delivered, all quiet──▶ resolved
       ├──────────────────── every finding withdrawn ──────────────────▶
       └──────── it was about a state, and that is over ───────────────▶

Values in, values out: an episode, notices, the time and a policy give a ``Decision``
or None where nothing changes. Who stores it, and who is told, is the tracker's matter.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from alerting.episode import Episode, new_episode
from alerting.gathering import Gathering
from alerting.records import FindingNotice, TransitionKind

MAX_CAUSE = 200

MessageKind = Literal["opened", "ongoing", "resolved", "catch-up"]


@dataclass(frozen=True, slots=True)
class Policy:
    """When people are told.

    max_alert_age: findings that ended longer ago are summed up instead. resolve_after:
    quiet time of the source's own clock that ends an episode. repeat_interval: the
    least time between two messages of one open episode. catch_up_interval: the least
    time between two catch-up messages of one source.
    """

    max_alert_age: timedelta = timedelta(hours=1)
    resolve_after: timedelta = timedelta(minutes=15)
    repeat_interval: timedelta = timedelta(hours=4)
    catch_up_interval: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """The episode as it is to be stored, and whether people are told.

    message: the kind of message owed, None for none. cause: what made it owed (finding
    ids, or the state that ended); tells a replay of this very transition from another.
    """

    episode: Episode
    kind: TransitionKind
    reason: str
    message: MessageKind | None = None
    cause: tuple[str, ...] = ()


def parted(
    episode: Episode, notices: Sequence[FindingNotice], policy: Policy
) -> tuple[list[FindingNotice], list[FindingNotice]]:
    """The findings that are of this episode, and those that are of a new one.

    All are of an episode that is not over. Of a resolved one are those that it holds
    and, because they come late, those that ended in its time.
    """
    if not episode.resolved:
        return list(notices), []
    known = episode.known_ids()
    first, last = episode.first_seen, episode.last_seen
    mine: list[FindingNotice] = []
    new: list[FindingNotice] = []
    for notice in notices:
        late = (
            first is not None
            and last is not None
            and first - policy.resolve_after <= notice.end <= last
        )
        (mine if late or notice.finding_id in known else new).append(notice)
    return mine, new


def open_episode(
    number: int,
    notices: Sequence[FindingNotice],
    now: datetime,
    policy: Policy,
    told: Collection[str] = (),
) -> Decision:
    """A new episode of these findings (at least one, of one fingerprint).

    told: findings whose announcement is owed already (a replay), however old by now.
    """
    gathering = Gathering(new_episode(notices[0], number, now))
    recent = []
    for notice in notices:
        silent = _silent(notice, now, policy, told)
        gathering.add(notice, silent=silent)
        if not silent:
            recent.append(notice)
    episode = gathering.episode()
    if not recent:
        return Decision(episode, "opened", _too_old_reason(policy))
    return _announced(episode, "opened", recent, now, f"opened: episode {number}")


def join(
    episode: Episode,
    notices: Sequence[FindingNotice],
    now: datetime,
    policy: Policy,
    told: Collection[str] = (),
) -> Decision | None:
    """The episode with these findings counted or amended; None if it knew them all."""
    gathering, active = Gathering(episode), []
    for notice in notices:
        ended = gathering.end_of(notice.finding_id)
        silent = _silent(notice, now, policy, told)
        if not gathering.add(notice, silent=silent) or silent:
            continue
        if ended is None or notice.end > ended:
            active.append(notice)
    changed = gathering.episode()
    if changed is episode:
        return None
    changed = replace(changed, changed_at=now)
    if episode.resolved:
        reason = f"counted: it belongs to episode {episode.number}, which is resolved"
        return Decision(changed, "amended", reason)
    if changed.findings > episode.findings:
        changed = replace(changed, state="ongoing")
    return _progress(episode, changed, active, now, policy)


def _progress(
    before: Episode,
    after: Episode,
    active: Sequence[FindingNotice],
    now: datetime,
    policy: Policy,
) -> Decision:
    """Whether an unresolved episode that changed is worth a message."""
    grew = after.findings > before.findings
    if active and not before.announced:
        reason = "announced: a recent finding joined an episode that opened silently"
        return _announced(after, "opened", active, now, reason)
    if active and before.notified_at is not None:
        due = before.notified_at + policy.repeat_interval
        if now >= due:
            reason = f"reminder: still going on {span(policy.repeat_interval)} later"
            return _announced(after, "ongoing", active, now, reason)
        reason = f"counted: no reminder before {due:%Y-%m-%d %H:%M:%S} UTC"
        return Decision(after, "ongoing" if grew else "amended", reason)
    if grew:
        return Decision(after, "ongoing", _too_old_reason(policy))
    return Decision(
        after, "amended", "amended: a finding changed, nothing new happened"
    )


def leave(
    episode: Episode, finding_ids: Sequence[str], now: datetime, why: str
) -> Decision | None:
    """The episode without these findings; resolved as withdrawn if none is left."""
    changed = episode
    for finding_id in finding_ids:
        changed = changed.without_finding(finding_id)
    if changed is episode:
        return None
    changed = replace(changed, changed_at=now)
    if changed.findings or episode.resolved:
        return Decision(changed, "amended", f"amended: {why}")
    changed = replace(
        changed, state="resolved", resolution="withdrawn", resolved_at=now
    )
    cause = ("withdrawn", *sorted(finding_ids)[:MAX_CAUSE])
    return _resolved(changed, now, cause, f"withdrawn: {why}, none is left")


def quiet(
    episode: Episode, delivered_until: datetime, now: datetime, policy: Policy
) -> Decision | None:
    """Resolved, if the source delivered ``resolve_after`` of quiet; else None."""
    last = episode.last_seen
    if episode.resolved or episode.lasts or last is None:
        return None
    if delivered_until - last <= policy.resolve_after:
        return None
    changed = replace(
        episode,
        state="resolved",
        resolution="quiet",
        resolved_at=now,
        changed_at=now,
    )
    reason = f"resolved: quiet for {span(policy.resolve_after)} of delivered logs"
    return _resolved(changed, now, (f"quiet since {last.isoformat()}",), reason)


def over(episode: Episode, now: datetime, why: str) -> Decision | None:
    """Resolved, because the state that it is about is over; None where it is."""
    if episode.resolved:
        return None
    changed = replace(
        episode, state="resolved", resolution="over", resolved_at=now, changed_at=now
    )
    return _resolved(changed, now, ("over",), f"over: {why}")


def span(length: timedelta) -> str:
    """A length of time for people: ``4 h``, ``15 min``, ``1 h 30 min``, ``20 s``."""
    seconds = round(length.total_seconds())
    parts = [
        (seconds // 86400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    ]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def too_old(notice: FindingNotice, now: datetime, policy: Policy) -> bool:
    """Whether the finding ended too long ago to be sent on its own."""
    return notice.end < now - policy.max_alert_age


def _silent(
    notice: FindingNotice, now: datetime, policy: Policy, told: Collection[str]
) -> bool:
    return too_old(notice, now, policy) and notice.finding_id not in told


def _too_old_reason(policy: Policy) -> str:
    return f"suppressed: older than max_alert_age ({span(policy.max_alert_age)})"


def _announced(
    episode: Episode,
    kind: Literal["opened", "ongoing"],
    active: Sequence[FindingNotice],
    now: datetime,
    reason: str,
) -> Decision:
    sequence = episode.sequence + 1
    opening = sequence if kind == "opened" else episode.opening_sequence
    told = replace(
        episode, sequence=sequence, opening_sequence=opening, notified_at=now
    )
    ids = [n.finding_id for n in sorted(active, key=lambda n: (n.end, n.finding_id))]
    return Decision(told, kind, reason, message=kind, cause=tuple(ids[:MAX_CAUSE]))


def _resolved(
    episode: Episode, now: datetime, cause: tuple[str, ...], reason: str
) -> Decision:
    if not episode.announced:
        reason = f"{reason}; nobody had been told of it"
        return Decision(episode, "resolved", reason)
    told = replace(episode, sequence=episode.sequence + 1, notified_at=now)
    return Decision(told, "resolved", reason, message="resolved", cause=cause)
