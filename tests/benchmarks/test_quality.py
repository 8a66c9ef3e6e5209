"""Applications left out once: pieces of work are put together by seed again."""

from __future__ import annotations

from benchmarks.quality import Done, _figures, _parts
from benchmarks.quality_cases import APPLICATIONS, Case, Drawn
from model import Labels, train
from tests.model.applications import applications
from tests.model.test_presence import QUICK


def case() -> Case:
    sessions, truth = applications()

    def draw(number: int) -> Drawn:
        rest = [s for i, s in enumerate(sessions) if i != number]
        told = {s.key: truth.by_session[s.key] for s in rest}
        return Drawn(rest, [sessions[number]], Labels(told, named=True))

    return Case(APPLICATIONS, truth, draw, kinds=True, detects=False)


def test_each_one_left_out_is_one_piece_with_all_seeds() -> None:
    sessions, truth = applications()
    right = [truth.by_session[s.key] for s in sessions]
    assert _parts(case(), 5) == len(sessions) == 26
    done = Done(case())
    done.parts = {i: [kind, "normal"] for i, kind in enumerate(right)}
    first, second = _figures(done, 2)
    assert first["elkwatch: macro-F1"] == 1.0
    assert second["elkwatch: right"] == right.count("normal") / 26


def test_templates_that_were_mined_need_not_be_mined_again() -> None:
    sessions, labels = applications()
    first = train(sessions, QUICK, labels=labels)
    again = train(sessions, QUICK, labels=labels, mined=first.templates)
    assert again.templates is first.templates
    assert again.figures == first.figures
