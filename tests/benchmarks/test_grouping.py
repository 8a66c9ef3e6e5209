"""The measures of grouping, by hand; and that the data sets reach what is claimed."""

import os
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks.grouping import ours, score, systems

DATA = os.environ.get("ELKWATCH_DATA", "")


def test_the_measures_by_hand() -> None:
    """True groups {0,1,2} {3} {4,5}; predicted {0,1,2} {3,4} {5}: one is correct."""
    found = score("aaabcc", "xxxyyz")
    assert found.ga == pytest.approx(3 / 6)
    assert found.fga == pytest.approx(2 * 1 / (3 + 3))
    assert (found.true, found.predicted) == (3, 3)


def test_names_do_not_matter() -> None:
    assert score("aab", "zzy") == score("aab", "aab")
    assert score("aab", "zzy").fga == 1


@pytest.mark.skipif(not DATA, reason="ELKWATCH_DATA names no folder with the data sets")
def test_one_configuration_groups_ten_systems_as_well_as_is_claimed() -> None:
    found = [score(s.truth, ours(s.lines)) for s in systems(Path(DATA) / "loghub")]
    assert fmean(one.ga for one in found) > 0.94
    assert fmean(one.fga for one in found) > 0.95
