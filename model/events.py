"""Log events and the units that are classified: sessions and windows.

    LogEvent … ─▶ group_sessions ─▶ Session ─▶ (template ids) ─▶ EncodedSession

A *session* holds all events of a key that ends (a request, a block, a connection).
A *window* holds the events of a key that never ends, cut on bounds that are aligned
to the epoch, so that they are the same after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEYLESS_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One log line: its UTC time, its text, and what it belongs to."""

    time: datetime
    message: str
    key: str | None = None
    severity: str | None = None
    service: str | None = None
    host: str | None = None
    sequence: int | None = None
    doc_id: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """The unit that is scored: the events of one key, in order.

    `starts` and `ends` say whether the first and last event are the true bounds of
    the key's life; an open session is never blamed for what may still come, nor a
    window for what came before. `window_start` is set where the unit is a window.
    """

    key: str
    events: tuple[LogEvent, ...]
    starts: bool = True
    ends: bool = True
    window_start: datetime | None = None

    @property
    def start(self) -> datetime:
        """Time of the first event, UTC."""
        return self.events[0].time

    @property
    def end(self) -> datetime:
        """Time of the last event, UTC."""
        return self.events[-1].time

    @property
    def unit(self) -> str:
        """The name of the unit in reports: the key, with its window if it is one."""
        if self.window_start is None:
            return self.key
        return f"{self.key}@{self.window_start:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class EncodedSession:
    """A session as the model sees it: event ids, and whether its bounds are true."""

    ids: tuple[int, ...]
    starts: bool = True
    ends: bool = True


def distinct(
    sessions: Sequence[EncodedSession],
) -> tuple[list[EncodedSession], list[int]]:
    """Each session once, and the place among these of each one given.

    A page of sessions has few distinct ones: whatever is decided by event ids alone is
    decided once for all that are equal.
    """
    index: dict[EncodedSession, int] = {}
    places = [index.setdefault(session, len(index)) for session in sessions]
    return list(index), places


def in_order(events: Iterable[LogEvent]) -> tuple[LogEvent, ...]:
    """Events by time, then by the sequence number of their source, then as given."""
    return tuple(sorted(events, key=_order))


def window_start(time: datetime, length: timedelta) -> datetime:
    """The start of the epoch-aligned window of this length that holds the time."""
    return EPOCH + ((time - EPOCH) // length) * length


def group_sessions(
    events: Iterable[LogEvent],
    *,
    window: timedelta | None = None,
    keyless_window: timedelta = KEYLESS_WINDOW,
) -> list[Session]:
    """Events of a batch → sessions, in order of their first event's arrival.

    A key's events are one session however far apart in time; with `window` they are
    cut on epoch-aligned windows. Events without a key are always cut, on
    `keyless_window`, per service and host.
    """
    groups: dict[tuple[str, datetime | None], list[LogEvent]] = {}
    for event in events:
        length = window if event.key is not None else (window or keyless_window)
        start = None if length is None else window_start(event.time, length)
        groups.setdefault((unit_key(event), start), []).append(event)
    return [
        Session(
            key=key,
            events=in_order(members),
            starts=start is None,
            ends=start is None,
            window_start=start,
        )
        for (key, start), members in groups.items()
    ]


def unit_key(event: LogEvent) -> str:
    """The session key of an event; without one, its service and host."""
    if event.key is not None:
        return event.key
    return "|".join(("-", event.service or "", event.host or ""))


def _order(event: LogEvent) -> tuple[datetime, int]:
    return event.time, -1 if event.sequence is None else event.sequence
