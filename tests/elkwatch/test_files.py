"""Log files of every kind, whole and broken, through the real decoder."""

from __future__ import annotations

import gzip
import io
import os
import resource
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import orjson
import pytest

from connector import Decoder, LogDocument, SessionRule, SourceSpec
from elkwatch.errors import FileError
from elkwatch.files import ReadReport, leading_time, parse_object, read_documents
from elkwatch.log_streams import MAX_LINE_BYTES, check_paths

FIRST = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def ndjson(count: int = 3) -> bytes:
    lines = [
        orjson.dumps(
            {
                "@timestamp": (FIRST + timedelta(seconds=i)).isoformat(),
                "message": f"step {i}",
                "trace": {"id": "t1"},
            }
        )
        for i in range(count)
    ]
    return b"\n".join(lines) + b"\n"


def read(
    paths: Sequence[Path | str],
    spec: SourceSpec | None = None,
    stdin: BinaryIO | None = None,
) -> tuple[list[LogDocument], ReadReport]:
    spec = spec or SourceSpec("f", "f", session=SessionRule(field="trace.id"))
    report = ReadReport()
    names = [str(path) for path in paths]
    documents = list(read_documents(names, Decoder(spec), report, stdin=stdin))
    return documents, report


def test_ndjson_documents_come_in_order_and_know_their_line(tmp_path: Path) -> None:
    file = tmp_path / "app.ndjson"
    file.write_bytes(ndjson())
    documents, report = read([file])
    assert [d.message for d in documents] == ["step 0", "step 1", "step 2"]
    assert [d.doc_id for d in documents] == [f"{file}:{i}" for i in (1, 2, 3)]
    assert {d.key for d in documents} == {"t1"}
    assert report.lines() == []


def test_gzip_is_told_by_its_bytes_not_by_its_name(tmp_path: Path) -> None:
    packed, plain = tmp_path / "packed.log", tmp_path / "plain.gz"
    packed.write_bytes(gzip.compress(ndjson()))
    plain.write_bytes(ndjson())
    assert read([packed])[0] == [
        LogDocument(
            **{f: getattr(d, f) for f in d.__struct_fields__}
            | {
                "doc_id": d.doc_id.replace("plain.gz", "packed.log"),
                "index": str(packed),
            }
        )
        for d in read([plain])[0]
    ]


def test_concatenated_gzip_is_one_file(tmp_path: Path) -> None:
    file = tmp_path / "rotated.gz"
    file.write_bytes(gzip.compress(ndjson(2)) + gzip.compress(ndjson(2)))
    assert len(read([file])[0]) == 4


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(pack: type[bytes]) -> None:
    documents, _ = read(["-"], stdin=io.BytesIO(pack(ndjson())))
    assert [d.doc_id for d in documents] == [f"standard input:{i}" for i in (1, 2, 3)]


def test_a_pipe_that_hands_out_single_bytes() -> None:
    class Drip(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.data = data

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            piece, self.data = self.data[:1], self.data[1:]
            buffer[: len(piece)] = piece
            return len(piece)

    pipe = io.BufferedReader(Drip(gzip.compress(ndjson())))
    assert len(read(["-"], stdin=pipe)[0]) == 3


def test_a_named_pipe_is_not_opened_before_it_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Opening it would wait for a writer, and take the writer's only reader away.
    check = threading.Thread(target=check_paths, args=([str(pipe)],), daemon=True)
    check.start()
    check.join(timeout=5)
    assert not check.is_alive()
    writer = threading.Thread(target=pipe.write_bytes, args=(ndjson(),), daemon=True)
    writer.start()
    assert len(read([pipe])[0]) == 3
    writer.join(timeout=5)


def test_plain_text_takes_the_whole_line_and_its_leading_time(tmp_path: Path) -> None:
    file = tmp_path / "app.log"
    file.write_bytes(
        b"2026-11-22 10:00:00,250 [main] started blk_7\r\n"
        b"\n"
        b"  at com.example.Main\n"
        b"[2026-11-22T18:00:01+08:00] done blk_7\n"
    )
    spec = SourceSpec("f", "f", session=SessionRule(pattern=r"blk_\d+"))
    documents, report = read([file], spec)
    assert [d.message for d in documents] == [
        "2026-11-22 10:00:00,250 [main] started blk_7",
        "at com.example.Main",
        "[2026-11-22T18:00:01+08:00] done blk_7",
    ]
    first = FIRST + timedelta(milliseconds=250)
    assert [d.time for d in documents] == [
        first,
        first + timedelta(microseconds=1),
        FIRST + timedelta(seconds=1),
    ]
    assert [d.key for d in documents] == ["blk_7", None, "blk_7"]
    assert report.text_lines == 3


def test_text_without_any_time_is_a_second_apart_across_files(tmp_path: Path) -> None:
    one, two = tmp_path / "1.log", tmp_path / "2.log"
    one.write_text("a\nb\n")
    two.write_text("c\n")
    times = [d.time for d in read([one, two])[0]]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert times == [epoch + timedelta(seconds=i) for i in range(3)]


def test_a_file_may_mix_objects_and_text(tmp_path: Path) -> None:
    file = tmp_path / "mixed"
    file.write_bytes(ndjson(1) + b'panic: oh\n[1, 2]\n"quoted"\n42\n' + ndjson(1))
    documents, report = read([file])
    assert [d.message for d in documents] == [
        "step 0", "panic: oh", "[1, 2]", '"quoted"', "42", "step 0",
    ]  # fmt: skip
    assert report.text_lines == 4
    # Text stays with the document before it.
    assert documents[1].time == FIRST + timedelta(microseconds=1)


def test_broken_lines_are_counted_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    whole = ndjson(1).strip()
    half = len(whole) // 2
    file = tmp_path / "broken.ndjson"
    lines = [whole, whole[:half], whole[half:], b"{oops}", b"{", whole]
    file.write_bytes(b"\n".join(lines))
    documents, report = read([file])
    assert len(documents) == 2
    assert (report.broken, report.text_lines) == (4, 0)
    assert report.lines()[0] == "4 broken NDJSON lines left out"
    assert report.lines()[1].startswith(f"  {file}:2: not JSON: ")
    assert len(report.examples) == 3


def test_braces_in_plain_text_are_no_json(tmp_path: Path) -> None:
    file = tmp_path / "text.log"
    file.write_text("{worker-1} started\n{worker-2} started\n")
    assert read([file])[1].text_lines == 2


def test_what_orjson_refuses_is_read_all_the_same() -> None:
    assert parse_object(b'{"a": NaN}') is not None
    assert parse_object(b'{"m": "\\ud800"}') == {"m": "\ud800"}
    assert parse_object(b'{"m": "\xff"}') == {"m": "\udcff"}
    assert parse_object(b"[1]") is None
    assert parse_object(b'{"a":' * 100_000) is None


def test_bad_unicode_is_replaced_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "latin.log"
    file.write_bytes(b'caf\xe9\n{"@timestamp": "2026-11-22", "message": "\xff"}\n')
    spec = SourceSpec("f", "f")
    decoder = Decoder(spec)
    messages = [d.message for d in read_documents([str(file)], decoder)]
    assert messages == ["caf\ufffd", "\ufffd"]
    assert decoder.counts.bad_unicode == 2


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    file = tmp_path / "bom.ndjson"
    file.write_bytes(b"\xef\xbb\xbf" + ndjson(1))
    assert read([file])[1].broken == 0


def test_half_a_gzip_keeps_what_could_be_read(tmp_path: Path) -> None:
    packed = gzip.compress(ndjson(20_000))
    file = tmp_path / "half.gz"
    file.write_bytes(packed[: len(packed) // 2])
    documents, report = read([file])
    assert 5_000 < len(documents) < 15_000
    assert [d.message for d in documents] == [
        f"step {i}" for i in range(len(documents))
    ]
    assert report.lines() == [
        f"{file}: the gzip file is cut short; the {len(documents):,} lines before "
        "that were kept"
    ]


def test_a_short_gzip_cut_near_its_end_keeps_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "short.gz"
    file.write_bytes(gzip.compress(ndjson(3))[:-6])
    assert len(read([file])[0]) == 3


def test_damaged_gzip_data(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(ndjson(20_000)))
    packed[len(packed) // 2] ^= 0xFF
    file = tmp_path / "damaged.gz"
    file.write_bytes(packed)
    documents, report = read([file])
    assert documents
    assert "the gzip data is damaged" in report.lines()[0]


def test_undated_documents_are_left_out_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "undated.ndjson"
    file.write_bytes(ndjson(1) + b'{"message": "when?"}\n{"@timestamp": "soon"}\n')
    documents, report = read([file])
    assert len(documents) == 1
    assert report.undated == 2
    assert report.lines()[0] == "2 documents without a time left out"


def test_very_long_lines_are_cut_and_memory_stays_bounded(tmp_path: Path) -> None:
    file = tmp_path / "long.log"
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with file.open("wb") as out:
        for _ in range(32):
            out.write(b"x" * MAX_LINE_BYTES)
        out.write(b"\nafter\n")
    documents, report = read([file])
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert [len(d.message) for d in documents] == [32 * 1024, 5]
    assert report.lines() == ["1 line over 8 MB cut"]
    assert grown_kib < 8 * MAX_LINE_BYTES // 1024


def test_an_empty_file_among_others_is_only_noted(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.write_bytes(b"")
    full.write_bytes(ndjson())
    documents, report = read([empty, full])
    assert len(documents) == 3
    assert report.lines() == [f"{empty}: is empty"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty; there is nothing to read"),
        (b"\n \n\r\n", "empty; there is nothing to read"),
        (gzip.compress(b""), "empty; there is nothing to read"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), "is a binary file, not logs"),
        (gzip.compress(bytes(range(256)) * 40), "is a binary file, not logs"),
        ("{}\n".encode("utf-16"), "is UTF-16; convert it first: iconv"),
        (b"\x28\xb5\x2f\xfd\x00", "is zstd; convert it first: zstd -dc"),
        (gzip.compress(ndjson())[:12], "the gzip file is cut short before its first"),
        (b'{"a": 1\n{"b"', "no line could be read; give NDJSON or plain text (first:"),
        (b'{"a": 1}\n', "no document has a time in @timestamp; name the field with"),
    ],
)
def test_a_file_of_no_use_is_told_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read([file])
    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    decoder = Decoder(SourceSpec("f", "f"))
    full = tmp_path / "full"
    full.write_bytes(ndjson())
    with pytest.raises(FileError, match="missing: no such file; check the path"):
        read_documents([str(full), str(tmp_path / "missing")], decoder)
    with pytest.raises(
        FileError, match=r"is a directory; name the files in it, e\.g\."
    ):
        read_documents([str(tmp_path)], decoder)
    with pytest.raises(FileError, match="can be read once"):
        read_documents(["-", "-"], decoder)
    with pytest.raises(FileError, match="cannot be opened"):
        read_documents([str(full) + "/below"], decoder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission_denied(tmp_path: Path) -> None:
    file = tmp_path / "secret.log"
    file.write_bytes(ndjson())
    file.chmod(0)
    with pytest.raises(FileError, match="permission denied; let elkwatch read it"):
        read([file])


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T10:00:00Z x", FIRST),
        ("2026-11-22T10:00:00.000000000Z x", FIRST),
        ("2026-11-22 10:00:00 UTC [1] LOG: x", FIRST),
        ("[2026-11-22 12:00:00 +0200] x", FIRST),
        ("2026-11-22 10:00:00: x", None),
        ("2026-13-22 10:00:00 x", None),
        ("x 2026-11-22 10:00:00", None),
        ("0001-01-01T00:00:00+08:00 x", None),
    ],
)
def test_leading_times(text: str, time: datetime | None) -> None:
    assert leading_time(text) == time
