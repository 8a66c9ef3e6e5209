from collections import Counter

import numpy as np
import pytest

from model import load_catalogue
from model.catalogue import Entry
from model.class_description import well_known

ENTRIES = {rule.entry.entry_id: rule.entry for rule in load_catalogue().rules}
LOCK, CRASH = ENTRIES["postgresql-lock-timeout"], ENTRIES["postgresql-crash"]


def named(
    rows: list[tuple[int, Entry | None]], elsewhere: list[Entry | None]
) -> str | None:
    """The rule that names a class of these sessions: of which face, showing what."""
    entries = [*(entry for _, entry in rows), *elsewhere]
    faces = np.array([*(face for face, _ in rows), *(99 for _ in elsewhere)])
    total = Counter(entry.entry_id for entry in entries if entry is not None)
    found = well_known(faces, np.arange(len(rows)), entries, total)
    return None if found is None else found.entry_id


QUIET: tuple[int, None] = (0, None)


@pytest.mark.parametrize(
    ("rows", "elsewhere", "rule"),
    [
        ([(0, LOCK), (0, LOCK), QUIET], [], LOCK),
        # one face of two tells for all, wherever else its line is seen
        ([*[QUIET] * 20, (1, CRASH)], [CRASH] * 5, CRASH),
        # of many that wait, few are told why; that line is seen nowhere else
        ([*[QUIET] * 20, *[(0, LOCK)] * 3], [], LOCK),
        ([*[QUIET] * 20, *[(0, LOCK)] * 3], [LOCK], None),
        # too few, or too small a share of the class
        ([*[QUIET] * 10, *[(0, LOCK)] * 2], [], None),
        ([*[QUIET] * 40, *[(0, LOCK)] * 4], [], None),
        ([QUIET, QUIET], [LOCK], None),
    ],
)
def test_a_well_known_line_names_a_class(
    rows: list[tuple[int, Entry | None]],
    elsewhere: list[Entry | None],
    rule: Entry | None,
) -> None:
    assert named(rows, elsewhere) == (None if rule is None else rule.entry_id)
