"""The figures of how a model does in a run."""

from __future__ import annotations

from elkwatch.run_quality import MAX_SCORES, QualityBook


def test_scores_are_told_in_thresholds() -> None:
    book = QualityBook()
    book.screened([0.5, 1.0, 1.5, 6.0], 2.0)
    book.confirmed("c01", known=True)
    book.confirmed("new-event", known=False)
    figures = book.figures({"c01": 0.5})
    assert figures is not None
    assert (figures.scores["p50"], figures.scores["max"]) == (0.625, 3.0)
    assert figures.deviating_share == 0.25
    assert figures.unknown_kinds_share == 0.5
    assert figures.class_shares == {"c01": 0.5, "new-event": 0.5}
    assert figures.precision == {"c01": 0.5}


def test_no_sessions_no_figures() -> None:
    assert QualityBook().figures({}) is None


def test_of_many_scores_an_even_sample_is_kept() -> None:
    book = QualityBook()
    count = 5 * MAX_SCORES
    book.screened((at / count for at in range(count)), 1.0)
    assert len(book.scores) == MAX_SCORES
    figures = book.figures({})
    assert figures is not None
    assert 0.47 < figures.scores["p50"] < 0.53
