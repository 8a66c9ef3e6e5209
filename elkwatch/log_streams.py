"""Bytes of log files as lines: plain or gzip, from disk, a pipe or standard input.

Whether a file is compressed is told by its first bytes, not by its name. Memory is
bounded: a line is at most `MAX_LINE_BYTES` long, the rest of it is dropped and counted.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO, cast

from elkwatch.errors import FileError

MAX_LINE_BYTES = 8 * 1024 * 1024
STANDARD_INPUT = "-"

_HEAD_BYTES = 8192
_BUFFER_BYTES = 256 * 1024
_SKIP_BYTES = 1024 * 1024
_BINARY_SHARE = 0.03  # random bytes have 0.1 of these, logs next to none
_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc FILE | elkwatch … -"),
    b"BZh": ("bzip2", "bzcat FILE | elkwatch … -"),
    b"\xfd7zXZ\x00": ("xz", "xzcat FILE | elkwatch … -"),
    b"PK\x03\x04": ("zip", "unzip -p FILE | elkwatch … -"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4cat FILE | elkwatch … -"),
    b"\xff\xfe": ("UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | elkwatch … -"),
    b"\xfe\xff": ("UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | elkwatch … -"),
}
# Bytes that no text holds: control characters other than \a \b \t \n \v \f \r \e.
_CONTROL_BYTES = bytes(set(range(32)) - {7, 8, 9, 10, 11, 12, 13, 27}) + b"\x7f"


class _Stream(Protocol):
    """What the readers of plain and of gzip files have in common."""

    def read1(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


@dataclass(slots=True)
class LineTroubles:
    """What was wrong with the bytes of one file.

    `overlong`: lines that were cut. `broken_off`: why reading ended before the end of
    the file, as a phrase; None when it did not.
    """

    overlong: int = 0
    broken_off: str | None = None


def check_paths(paths: Sequence[str]) -> None:
    """Raise FileError for the first path that cannot be read, before any is."""
    if list(paths).count(STANDARD_INPUT) > 1:
        raise FileError("standard input (-) can be read once; name it once")
    for path in paths:
        # A pipe with a name is left alone: opening it would disturb who writes to it.
        if path != STANDARD_INPUT and not Path(path).is_fifo():
            _open(path).close()


@contextmanager
def open_lines(
    path: str, troubles: LineTroubles, stdin: BinaryIO | None = None
) -> Iterator[Iterator[bytes]]:
    """The lines of a file, without their ends; `-` is `stdin` (default: the process's).

    Raises FileError for what is missing, not allowed, a directory or not text. A file
    that breaks off (half a gzip) gives what could be read, and says so in `troubles`.
    """
    if path == STANDARD_INPUT:
        source = stdin if stdin is not None else _standard_input()
        yield _lines_of(source, path, troubles)
        return
    with _open(path) as source:
        yield _lines_of(source, path, troubles)


def shown(path: str) -> str:
    """The path as it is shown in messages."""
    if path == STANDARD_INPUT:
        return "standard input"
    return path if path.isprintable() else repr(path)


def _standard_input() -> BinaryIO:
    stdin: TextIO | None = sys.stdin
    if stdin is None:
        raise FileError("standard input (-) is closed; pipe the logs in, or name files")
    return stdin.buffer


def _open(path: str) -> BinaryIO:
    try:
        if Path(path).is_dir():
            raise FileError(
                f"{shown(path)}: is a directory; name the files in it, "
                f"e.g. {shown(path).rstrip('/')}/*.log"
            )
        return cast(BinaryIO, open(path, "rb"))
    except FileNotFoundError as e:
        raise FileError(f"{shown(path)}: no such file; check the path") from e
    except PermissionError as e:
        raise FileError(
            f"{shown(path)}: permission denied; let elkwatch read it"
        ) from e
    except (OSError, ValueError) as e:
        reason = os.strerror(e.errno or 0) if isinstance(e, OSError) else str(e)
        raise FileError(f"{shown(path)}: cannot be opened: {reason.lower()}") from e


def _lines_of(source: BinaryIO, path: str, troubles: LineTroubles) -> Iterator[bytes]:
    raw = io.BufferedReader(_Peeked(source), _BUFFER_BYTES)
    if raw.peek(_HEAD_BYTES).startswith(_GZIP):
        with gzip.GzipFile(fileobj=raw) as unpacked:
            yield from _bounded_lines(unpacked, path, troubles)
    else:
        yield from _bounded_lines(raw, path, troubles)


def _bounded_lines(
    stream: _Stream, path: str, troubles: LineTroubles
) -> Iterator[bytes]:
    try:
        # read1, because read would lose what a broken gzip still gives.
        head = stream.read1(_HEAD_BYTES)
        _refuse_what_is_no_text(head, path)
        *whole, start = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        yield from whole
        while line := start + stream.readline(MAX_LINE_BYTES):
            start = b""
            if line.endswith(b"\n"):
                yield line[:-1]
                continue
            if len(line) >= MAX_LINE_BYTES:
                _skip_line(stream)
                troubles.overlong += 1
            yield line
    except EOFError:
        troubles.broken_off = "the gzip file is cut short"
    except (gzip.BadGzipFile, zlib.error):
        troubles.broken_off = "the gzip data is damaged"
    except OSError as e:
        troubles.broken_off = f"reading failed ({os.strerror(e.errno or 0).lower()})"


def _skip_line(stream: _Stream) -> None:
    while piece := stream.readline(_SKIP_BYTES):
        if piece.endswith(b"\n"):
            return


def _refuse_what_is_no_text(head: bytes, path: str) -> None:
    for magic, (name, way) in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise FileError(f"{shown(path)}: is {name}; convert it first: {way}")
    if _is_wide(head):
        raise FileError(
            f"{shown(path)}: is UTF-16 without a mark of its byte order; convert it "
            "first: iconv -f UTF-16LE -t UTF-8 FILE | elkwatch … - (or UTF-16BE)"
        )
    control = len(head) - len(head.translate(None, _CONTROL_BYTES))
    if control > max(2, _BINARY_SHARE * len(head)):
        raise FileError(
            f"{shown(path)}: is a binary file, not logs; give NDJSON or plain text, "
            "gzip or not"
        )


def _is_wide(head: bytes) -> bool:
    """Whether every other byte is NUL, as in UTF-16 of mostly Latin text."""
    halves = sorted((half.count(0), len(half)) for half in (head[::2], head[1::2]))
    (fewest, _), (most, length) = halves
    return length > 1 and most > 0.7 * length and fewest < 0.1 * length


class _Peeked(io.RawIOBase):
    """A raw stream over any binary one, so that a buffer can look ahead on a pipe.

    Fills the first read up, because a pipe may hand out a single byte.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._started = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = len(buffer)
        if self._started:
            data = self._read_some(size)
        else:
            data = self._source.read(min(size, _HEAD_BYTES))
            self._started = True
        buffer[: len(data)] = data
        return len(data)

    def _read_some(self, size: int) -> bytes:
        read1 = getattr(self._source, "read1", self._source.read)
        return cast(bytes, read1(size))
