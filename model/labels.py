"""Labels: which sessions people know to be anomalous, and of what kind.

CSV with a header, `session,anomaly` (0 or 1) or `session,kind` (`normal`, `ignore` or
a kind's name). A kind may not be a name that elkwatch gives itself.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
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
        "slight-deviation",
        ANOMALOUS,
    }
)
_DISCOVERED = re.compile(r"c\d+")


@dataclass(frozen=True, slots=True)
class Labels:
    """Session → `normal`, `ignore`, a kind's name, or `anomalous` where unnamed."""

    by_session: Mapping[str, str]
    named: bool

    def of(self, session: Session) -> str | None:
        """The label of a session or window, None where it has none."""
        return self.by_session.get(session.unit, self.by_session.get(session.key))

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
    except OSError as error:
        raise LabelError(
            f"labels {path}: not readable ({error.strerror}); check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise LabelError(f"labels {path}: not UTF-8 text") from error
    rows = list(csv.reader(text.splitlines()))
    header = [cell.strip() for cell in rows[0]] if rows else []
    if header not in (["session", "anomaly"], ["session", "kind"]):
        raise LabelError(
            f"labels {path}: the first line must be session,anomaly or session,kind"
        )
    named = header[1] == "kind"
    return Labels(dict(_labels(rows[1:], named, path)), named)


def _labels(
    rows: Iterable[list[str]], named: bool, path: Path
) -> Iterable[tuple[str, str]]:
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != 2 or not row[0].strip():
            raise LabelError(f"labels {path}:{number}: expected two values, got {row}")
        session, label = row[0].strip(), row[1].strip()
        if named:
            yield session, _checked_kind(label, path, number)
        elif label in ("0", "1"):
            yield session, ANOMALOUS if label == "1" else NORMAL
        else:
            raise LabelError(
                f"labels {path}:{number}: anomaly is 0 or 1, not {label!r}"
            )


def _checked_kind(label: str, path: Path, number: int) -> str:
    if not label:
        raise LabelError(f"labels {path}:{number}: the kind is empty")
    if label in RESERVED_IDS or _DISCOVERED.fullmatch(label):
        raise LabelError(
            f"labels {path}:{number}: {label!r} is a name that elkwatch gives itself; "
            "choose another"
        )
    return label
