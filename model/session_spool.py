"""Sessions on disk, for logs that do not fit into memory.

    events ─▶ 128 parts by a hash of their key ─▶ sessions, part by part
                                                    └─▶ one file, read by place

A key's events lie in one part, so that only one part at a time is in memory. What the
spool holds is a sequence of sessions in order of arrival, the same that
`group_sessions` gives; each is read when it is asked for. In memory are its index, 8
bytes a session, and nothing else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO, overload
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from model.errors import SpoolError
from model.events import KEYLESS_WINDOW, LogEvent, Session, group_sessions, unit_key

IN_MEMORY = 1_000_000
PARTS = 128
BUFFER_BYTES = 1 << 18
_SIZE = 4

_encoder = msgspec.msgpack.Encoder()
_events = msgspec.msgpack.Decoder(tuple[int, LogEvent])
_sessions = msgspec.msgpack.Decoder(Session)


def spool_sessions(
    events: Iterable[LogEvent],
    folder: Path,
    *,
    window: timedelta | None = None,
    keyless_window: timedelta = KEYLESS_WINDOW,
    in_memory: int = IN_MEMORY,
) -> Sequence[Session]:
    """`group_sessions`, on disk below `folder` where there are more than `in_memory`
    events. Raises SpoolError where the disk is full."""
    rest = iter(events)
    first = list(islice(rest, in_memory + 1))
    if len(first) <= in_memory:
        return group_sessions(first, window=window, keyless_window=keyless_window)
    spool = SessionSpool(folder)
    try:
        spool.fill(_drained(first), rest, window, keyless_window)
    except OSError as error:
        spool.close()
        raise SpoolError(
            f"no room for the sessions below {folder} "
            f"({(error.strerror or str(error)).lower()}): reading the logs takes about "
            "twice their size on disk; choose another --out, or fewer logs"
        ) from error
    return spool


class SessionSpool(Sequence[Session]):
    """A sequence of sessions in a file that goes when the spool does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = Path(tempfile.mkdtemp(prefix=".sessions-", dir=folder))
        self._offsets: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._file = (self._path / "sessions").open("w+b")
        self._removed = weakref.finalize(self, _remove, self._file, self._path)

    def fill(
        self,
        first: Iterable[LogEvent],
        rest: Iterable[LogEvent],
        window: timedelta | None,
        keyless_window: timedelta,
    ) -> None:
        """Takes all events, once."""
        parts = _Parts(self._path)
        for events in (first, rest):
            for event in events:
                parts.add(event)
        arrivals: list[NDArray[np.int64]] = []
        offsets: list[NDArray[np.int64]] = []
        for number in range(PARTS):
            rows = []
            for arrival, session in parts.sessions(number, window, keyless_window):
                rows.append((arrival, self._file.tell()))
                content = _encoder.encode(session)
                self._file.write(len(content).to_bytes(_SIZE, "little"))
                self._file.write(content)
            found = np.array(rows, dtype=np.int64).reshape(-1, 2)
            arrivals.append(found[:, 0])
            offsets.append(found[:, 1])
        self._file.flush()
        order = np.argsort(np.concatenate(arrivals), kind="stable")
        self._offsets = np.concatenate(offsets)[order]

    def close(self) -> None:
        """Removes the file."""
        self._removed()

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, place: int) -> Session: ...
    @overload
    def __getitem__(self, place: slice) -> list[Session]: ...
    def __getitem__(self, place: int | slice) -> Session | list[Session]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        offset = int(self._offsets[place])
        size = int.from_bytes(os.pread(self._file.fileno(), _SIZE, offset), "little")
        content = os.pread(self._file.fileno(), size, offset + _SIZE)
        return _sessions.decode(content)

    def __iter__(self) -> Iterator[Session]:
        return (self[place] for place in range(len(self)))


class _Parts:
    """Events on their way into sessions: a file for each part."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"part-{number}" for number in range(PARTS)]
        self._buffers = [bytearray() for _ in range(PARTS)]
        self._taken = 0

    def add(self, event: LogEvent) -> None:
        number = crc32(unit_key(event).encode("utf-8", "replace")) % PARTS
        buffer = self._buffers[number]
        content = _encoder.encode((self._taken, _clean(event)))
        buffer += len(content).to_bytes(_SIZE, "little") + content
        self._taken += 1
        if len(buffer) > BUFFER_BYTES:
            self._write(number)

    def sessions(
        self, number: int, window: timedelta | None, keyless_window: timedelta
    ) -> Iterator[tuple[int, Session]]:
        """The sessions of a part with the arrival of their first event."""
        self._write(number)
        events, arrivals = [], {}
        for arrival, event in self._read(number):
            arrivals[id(event)] = arrival
            events.append(event)
        self._paths[number].unlink()
        for session in group_sessions(
            events, window=window, keyless_window=keyless_window
        ):
            yield min(arrivals[id(event)] for event in session.events), session

    def _write(self, number: int) -> None:
        with self._paths[number].open("ab") as file:
            file.write(self._buffers[number])
        self._buffers[number] = bytearray()

    def _read(self, number: int) -> Iterator[tuple[int, LogEvent]]:
        with self._paths[number].open("rb") as file:
            while size := file.read(_SIZE):
                yield _events.decode(file.read(int.from_bytes(size, "little")))


def _remove(file: BinaryIO, folder: Path) -> None:
    with suppress(OSError):  # what was not written yet has no room either
        file.close()
    shutil.rmtree(folder, ignore_errors=True)


def _clean(event: LogEvent) -> LogEvent:
    """Half characters, which JSON may hold and no UTF-8 text does, become `?`."""
    try:
        event.message.encode()
    except UnicodeEncodeError:
        message = event.message.encode("utf-8", "replace").decode()
        return replace(event, message=message)
    return event


def _drained(events: list[LogEvent]) -> Iterator[LogEvent]:
    """The events, each let go of when it was taken."""
    events.reverse()
    while events:
        yield events.pop()
