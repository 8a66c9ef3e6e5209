"""Log files as documents: NDJSON or plain text, gzip or not, `-` for standard input.

    for document in read_documents(["app.ndjson.gz", "-"], Decoder(spec), report):
        ...
    for line in report.lines(): ...     # what was left out, for people

A line that is a JSON object is a document. Any other line is plain text, the whole line
its message; a file may hold both. Blank lines are skipped. What looks like a JSON
object but is broken is left out and counted; the rest goes on.

Plain text gets its time from an ISO time at its beginning (UTC where it has no offset).
A line without one gets the time of the line before it plus a microsecond, so that it
stays with it; where no line before has a time, the lines are one second apart from
1970-01-01T00:00:00Z on, in the order of the files: five minutes are then 300 lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import orjson

from connector import Decoder, LogDocument, UndatedDocument
from elkwatch.errors import FileError
from elkwatch.log_streams import LineTroubles, check_paths, open_lines, shown

MAX_EXAMPLES = 3

_LEADING_TIME = re.compile(
    r"\s*\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?"
    r"\s?(Z|UTC|[+-]\d\d:?\d\d)?(?![\w:])"
)
_LIKE_AN_OBJECT = re.compile(rb'\{\s*(?:"|\}|$)')
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_A_LINE = timedelta(seconds=1)
_NEXT_TO_IT = timedelta(microseconds=1)


@dataclass(slots=True)
class ReadReport:
    """What became of the lines of all files.

    `documents` were given out, `text_lines` of them plain text. Left out: `broken`
    (JSON that does not parse) and `undated` documents. `overlong` lines were cut.
    `line` is the number of the line given out last, counted through all files.
    `examples` name the first lines left out, `notes` what happened to whole files.
    """

    documents: int = 0
    text_lines: int = 0
    broken: int = 0
    undated: int = 0
    overlong: int = 0
    line: int = 0
    examples: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """Lines that were no use."""
        return self.broken + self.undated

    def lines(self) -> list[str]:
        """What a person should know, one line each; empty when all went well."""
        found = list(self.notes)
        if self.broken:
            found.append(f"{_count(self.broken, 'broken NDJSON line')} left out")
        if self.undated:
            found.append(f"{_count(self.undated, 'document')} without a time left out")
        if self.overlong:
            found.append(f"{_count(self.overlong, 'line')} over 8 MB cut")
        return found + [f"  {example}" for example in self.examples]


def read_documents(
    paths: Sequence[str],
    decoder: Decoder,
    report: ReadReport | None = None,
    *,
    stdin: BinaryIO | None = None,
) -> Iterator[LogDocument]:
    """Every log line of the files, decoded, in order; `doc_id` is `file:line`.

    The paths are tried at once, the files read as the iterator goes, in bounded memory.
    `report` is filled on the way. Raises FileError for a file that cannot be read, is
    not text, or when all files together hold no usable line.
    """
    check_paths(paths)
    report = report if report is not None else ReadReport()
    return _Reader(decoder, report, stdin).read(paths)


class _Reader:
    """One pass over the files; knows the time of the line before."""

    def __init__(
        self, decoder: Decoder, report: ReadReport, stdin: BinaryIO | None
    ) -> None:
        self._decoder = decoder
        self._report = report
        self._stdin = stdin
        self._message_field = decoder.spec.message_field
        self._time_field = decoder.spec.time_field
        self._last: datetime | None = None
        self._synthetic = _BEGINNING

    def read(self, paths: Sequence[str]) -> Iterator[LogDocument]:
        for path in paths:
            yield from self._read_file(path)
        if not self._report.documents:
            raise FileError(self._nothing(paths))

    def _read_file(self, path: str) -> Iterator[LogDocument]:
        name, report, troubles = shown(path), self._report, LineTroubles()
        given_before, left_out_before = report.documents, report.left_out
        self._last = None
        has_objects, lines_before = False, report.line
        with open_lines(path, troubles, self._stdin) as lines:
            for number, line in enumerate(lines, 1):
                report.line = lines_before + number
                line = line.strip()
                if not line:
                    continue
                place = f"{name}:{number}"
                source = parse_object(line)
                has_objects = has_objects or source is not None
                if source is None:
                    if _is_broken_object(line, has_objects):
                        self._leave_out_broken(place, line)
                        continue
                    document = self._decode(self._from_text(line), place, name)
                    report.text_lines += 1
                else:
                    document = self._decode(source, place, name)
                    self._last = document.time if document else self._last
                if document is not None:
                    report.documents += 1
                    yield document
        report.overlong += troubles.overlong
        given = report.documents - given_before
        if troubles.broken_off:
            kept = f"the {_count(given, 'line')} before that were kept"
            report.notes.append(f"{name}: {troubles.broken_off}; {kept}")
        elif not given and report.left_out == left_out_before:
            report.notes.append(f"{name}: is empty")

    def _decode(
        self, source: dict[str, Any], place: str, name: str
    ) -> LogDocument | None:
        try:
            document = self._decoder.decode(source, doc_id=place, index=name)
        except UndatedDocument as e:
            self._report.undated += 1
            self._example(place, str(e))
            return None
        return document

    def _from_text(self, line: bytes) -> dict[str, Any]:
        text = line.decode("utf-8", "surrogateescape")
        time = leading_time(text)
        if time is None and self._last is not None:
            time = self._last + _NEXT_TO_IT
        self._last = time
        if time is None:
            time = self._synthetic
            self._synthetic += _A_LINE
        return {self._message_field: text, self._time_field: time.isoformat()}

    def _leave_out_broken(self, place: str, line: bytes) -> None:
        self._report.broken += 1
        self._example(place, _json_fault(line))

    def _example(self, place: str, reason: str) -> None:
        if len(self._report.examples) < MAX_EXAMPLES:
            self._report.examples.append(f"{place}: {reason}")

    def _nothing(self, paths: Sequence[str]) -> str:
        report = self._report
        where = shown(paths[0]) if len(paths) == 1 else f"all {len(paths)} files"
        first = f" (first: {report.examples[0]})" if report.examples else ""
        if report.undated:
            return (
                f"{where}: no document has a time in {self._time_field}; name the "
                f"field with --time-field{first}"
            )
        if report.broken:
            return f"{where}: no line could be read; give NDJSON or plain text{first}"
        broken_off = [note.partition("; ")[0] for note in report.notes if ";" in note]
        if broken_off:
            return f"{broken_off[0]} before its first line; fetch it again"
        return f"{where}: empty; there is nothing to read"


def parse_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object on a line; None where there is none.

    What orjson is too strict for (lone surrogates, NaN, bytes that are not UTF-8,
    control characters in text) is read all the same.
    """
    if not line.startswith(b"{"):
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            value = json.loads(line.decode("utf-8", "surrogateescape"), strict=False)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def leading_time(text: str) -> datetime | None:
    """The ISO time a line begins with (`[` before it or not), UTC; else None."""
    found = _LEADING_TIME.match(text)
    if found is None:
        return None
    day, clock, fraction, offset = found.groups()
    zone = "+00:00" if offset in (None, "Z", "UTC") else offset
    micros = (fraction or "")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_broken_object(line: bytes, has_objects: bool) -> bool:
    """Whether a line that does not parse was meant to be a JSON object.

    In a file with objects, a line is also broken that has only one end of one.
    """
    if _LIKE_AN_OBJECT.match(line):
        return True
    is_tail = line.endswith(b"}") and b'":' in line
    return has_objects and (line.startswith(b"{") or is_tail)


def _json_fault(line: bytes) -> str:
    try:
        json.loads(line.decode("utf-8", "replace"), strict=False)
    except json.JSONDecodeError as e:
        return f"not JSON: {e.msg.lower()} at column {e.colno}"
    except (ValueError, RecursionError):
        return "not JSON that can be read: nested too deep or a number too long"
    return "not a JSON object"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
