"""Labels: which sessions people know to be anomalous, and of what kind.

CSV with a header, `session,anomaly` (0 or 1) or `session,kind` (`normal`, `ignore` or
a kind's name). A kind may not be a name that elkwatch gives itself.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.errors import LabelError
from model.events import Session

NORMAL, IGNORE, ANOMALOUS = "normal", "ignore", "anomalous"
RESERVED_IDS = frozenset(
    {
        "new-event",
        "rare-event",
        "repetition",
        "missing-step",
        "broken-order",
        "rate-change",
        "flatline",
        "service-rate",
        "template-rate",
        "slight-deviation",
        ANOMALOUS,
    }
)
MAX_KIND_CHARS = 100
_DISCOVERED = re.compile(r"c\d+")


@dataclass(frozen=True, slots=True)
class Labels:
    """Session → `normal`, `ignore`, a kind's name, or `anomalous` where unnamed."""

    by_session: Mapping[str, str]
    named: bool

    def of(self, session: Session) -> str | None:
        """The label of a session or window, None where it has none."""
        return self.by_session.get(session.unit, self.by_session.get(session.key))

    def check_used(self, sessions: Iterable[Session], what: str = "labels") -> int:
        """How many labels belong to none of the sessions, which may be well.

        Raises LabelError where none belongs to any: those are other logs' labels.
        """
        unused = set(self.by_session)
        for session in sessions:
            unused -= {session.unit, session.key}
        strange = len(unused)
        if strange and strange == len(self.by_session):
            example = next(iter(self.by_session))
            raise LabelError(
                f"{what}: none of its {strange} sessions is in these logs (first: "
                f"{_shown(example)}); check --session-field and the labels' first "
                "column"
            )
        return strange

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the kinds, sorted."""
        others = {NORMAL, IGNORE, ANOMALOUS}
        return tuple(sorted(set(self.by_session.values()) - others))


NO_LABELS = Labels({}, named=False)


def read_labels(path: Path) -> Labels:
    """Reads a labels file. Raises LabelError with the line at fault."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise LabelError(
                f"labels {path}: not UTF-8 text; save it as CSV in UTF-8"
            ) from error
        reason = getattr(error, "strerror", None) or error
        raise LabelError(
            f"labels {path}: not readable ({reason}); check the path"
        ) from error
    rows = _rows(text, path)
    _, first = next(rows, (1, []))
    header = [cell.strip().lower() for cell in first]
    if header not in (["session", "anomaly"], ["session", "kind"]):
        found = f", not {_shown(','.join(first))}" if first else "; the file is empty"
        raise LabelError(
            f"labels {path}:1: the first line must be session,anomaly or "
            f"session,kind{found}"
        )
    named = header[1] == "kind"
    return Labels(_labels(rows, named, path), named)


def _rows(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text with the number of their last line, empty ones left out.

    Spreadsheets write `;` where the comma is the decimal sign; then that parts them.
    """
    start = text.partition("\n")[0]
    delimiter = ";" if ";" in start and "," not in start else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise LabelError(
            f"labels {path}:{reader.line_num}: not CSV: {error}"
        ) from error


def _labels(
    rows: Iterable[tuple[int, list[str]]], named: bool, path: Path
) -> dict[str, str]:
    labels: dict[str, str] = {}
    for number, row in rows:
        where = f"labels {path}:{number}"
        if len(row) != 2 or not row[0].strip():
            raise LabelError(
                f"{where}: expected two values, a session and its label, "
                f"got {_shown(','.join(row))}"
            )
        session, label = row[0].strip(), row[1].strip()
        if named:
            check_kind(label, where)
        elif label in ("0", "1"):
            label = ANOMALOUS if label == "1" else NORMAL
        else:
            raise LabelError(f"{where}: anomaly is 0 or 1, not {_shown(label)}")
        if labels.setdefault(session, label) != label:
            raise LabelError(
                f"{where}: session {_shown(session)} has another label further up; "
                "keep one of the two"
            )
    return labels


def check_kind(label: str, where: str) -> None:
    """Raises LabelError, beginning with `where`, for what can be no kind's name."""
    if not label:
        raise LabelError(
            f"{where}: the kind is empty; write normal, ignore or the kind's name"
        )
    small = label.lower()
    if small in RESERVED_IDS or _DISCOVERED.fullmatch(small):
        raise LabelError(
            f"{where}: {label!r} is a name that elkwatch gives itself; choose another"
        )
    if small in (NORMAL, IGNORE) and label != small:
        raise LabelError(f"{where}: write {small} for {label!r}, in small letters")
    if len(label) > MAX_KIND_CHARS or not label.isprintable():
        raise LabelError(
            f"{where}: a kind is a name of at most {MAX_KIND_CHARS} printable "
            f"characters, not {_shown(label)}"
        )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
