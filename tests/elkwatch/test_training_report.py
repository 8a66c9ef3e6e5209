"""The page of a training: what it says, what it refuses to run, how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from elkwatch.report.page import page_environment
from elkwatch.training_report import Comparison, build_training_report
from elkwatch.training_report.alarms import expected_alarms
from elkwatch.training_report.charts import (
    epoch_chart,
    map_chart,
    nice_step,
    score_chart,
)
from elkwatch.training_report.data import ClassRow
from elkwatch.training_report.verdict import verdict_of
from elkwatch.training_report.words import rounded
from model import share_of
from tests.elkwatch.browser import browse, needs_browser, without_policy
from tests.elkwatch.html_page import Page, assert_nothing_runs
from tests.elkwatch.report_samples import EVIL
from tests.elkwatch.training_samples import (
    CONFIGURATION,
    comparison,
    epoch,
    figures,
    group,
    report,
)


def changed(part: str, **changes: Any) -> dict[str, Any]:
    """Figures with changes in one part of them."""
    return figures(**{part: figures()[part] | changes})


# -- how many alarms -----------------------------------------------------------------


def test_alarms_a_day_by_hand() -> None:
    # 2,000 sessions in 4 days are 500 a day; 2 of 200 held out are flagged: 1 %, so 5
    # a day. Clopper and Pearson's bounds of 2 in 200 are 0.121 % and 3.565 %: 0.6 and
    # 17.8 a day. 4 of 2,000 were left out: 1 a day.
    alarms = expected_alarms(figures())
    assert alarms is not None
    assert alarms.normal is not None
    assert alarms.sessions_a_day == 500
    assert alarms.a_day == pytest.approx((5.0, 0.61, 17.83), abs=0.01)
    assert alarms.unusual_a_day == pytest.approx(1.0)
    assert not alarms.is_rough


def test_none_flagged_is_not_none_to_come() -> None:
    share = share_of(0, 100)
    assert share is not None
    assert (share.share, share.low) == (0, 0)
    assert share.high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert share_of(0, 0) is None


def test_undated_and_short_logs_give_no_figure_a_day_to_trust() -> None:
    undated = {"from": "1970-01-01T00:00:00+00:00", "to": "1970-01-01T02:00:00+00:00"}
    alarms = expected_alarms(figures(span=undated))
    assert alarms is not None
    assert alarms.a_day is None
    assert alarms.unusual_a_day is None
    at_once = dict.fromkeys(("from", "to"), "2026-11-22T00:00:00+00:00")
    alarms = expected_alarms(figures(span=at_once))
    assert alarms is not None
    assert (alarms.a_day, alarms.span) == (None, timedelta(0))
    hour = {"from": "2026-11-22T00:00:00+00:00", "to": "2026-11-22T01:00:00+00:00"}
    text = " ".join(verdict_of(figures(span=hour), CONFIGURATION).sentences)
    assert "about 10 alarms in 1,000 normal sessions (1.2 to 36;" in text
    assert "Were all day like these 60 minutes, that would be 480 a day" in text


def test_figures_of_an_older_elkwatch_tell_no_alarms() -> None:
    assert expected_alarms({"sessions": 10, "epochs": []}) is None


@pytest.mark.parametrize(
    ("rate", "told"),
    [(0, "0"), (0.04, "0.0"), (3.14159, "3.1"), (42.4, "42"), (9123.0, "9,100")],
)
def test_rates_are_told_as_well_as_they_are_known(rate: float, told: str) -> None:
    assert rounded(rate) == told


# -- the verdict ---------------------------------------------------------------------


def test_a_good_training_is_fit_and_says_what_to_expect() -> None:
    verdict = verdict_of(figures(), CONFIGURATION)
    assert (verdict.fitness, verdict.warnings) == ("fit", ())
    assert verdict.headline == "Fit to run"
    assert verdict.sentences[1] == (
        "Expect about 5.0 alarms a day on normal sessions (0.6 to 18; 2 of 200 "
        "held-out normal sessions would be flagged), and 1.0 a day more if sessions "
        "as unusual as the 4 left out keep coming."
    )


UNFIT, CARE = "unfit", "doubtful"


@pytest.mark.parametrize(
    ("given", "fitness", "said"),
    [
        (figures(sessions=40), CARE, "Only 40 sessions"),
        (
            changed("scores", held_out=group([0.1] * 5)),
            CARE,
            "Only 5 normal sessions held out",
        ),
        (figures(cleaned_out=300), CARE, "300 of 2,000 sessions are unlike the others"),
        (figures(cleaned_out=1200), UNFIT, "1,200 of 2,000 sessions are unlike"),
        (figures(templates=1), UNFIT, "All lines have one template"),
        (changed("likeness", different_sessions=1), CARE, "All sessions are alike"),
        (changed("likeness", commonest=1900), CARE, "1,900 of 2,000 sessions are the"),
        (changed("likeness", median_events=1.0), CARE, "Most sessions have one line"),
        (changed("unseen", sessions_with_single=150), CARE, "150 of 2,000 sessions"),
        (changed("unseen", overflow=7), CARE, "7 lines found no room"),
        (changed("unseen", unknown_events=200), CARE, "5.0% of the held-out lines"),
        (changed("unseen", unknown_events=2400), UNFIT, "60.0% of the held-out lines"),
        (figures(best_epoch=0), UNFIT, "The network did not learn"),
        (
            figures(epochs=[epoch(1.0)] * 50, best_epoch=50),
            CARE,
            "still getting better after 50 epochs",
        ),
        (figures(epochs=[epoch(0.2, 2.0)], best_epoch=1), CARE, "it learned by heart"),
        (
            changed("scores", held_out=group([2.0] * 20, sessions=200, flagged=20)),
            CARE,
            "50 alarms a day on normal sessions are more than people read",
        ),
        (
            changed("span", to="2026-11-18T03:00:00+00:00"),
            CARE,
            "The logs span 3.0 hours",
        ),
        (
            figures(
                labelled=[
                    {
                        "kind": "crash", "sessions": 10, "judged": 10, "detected": 3,
                        "held_out": 2, "right": 1,
                    }
                ]
            ),
            CARE,
            "Of the kind crash, 3 of 10 labelled sessions would be flagged",
        ),
    ],
)  # fmt: skip
def test_every_warning_has_its_rule(
    given: dict[str, Any], fitness: str, said: str
) -> None:
    verdict = verdict_of(given, CONFIGURATION)
    assert verdict.fitness == fitness
    (found,) = [w for w in verdict.warnings if said in w.text]
    assert found.is_grave == (fitness == UNFIT)
    assert verdict.warnings[0].is_grave == (fitness == UNFIT)


def test_many_weak_kinds_do_not_bury_the_verdict() -> None:
    row = {"sessions": 9, "judged": 9, "detected": 0, "held_out": 0, "right": 0}
    weak = [{"kind": f"k{i}"} | row for i in range(10)]
    warnings = verdict_of(figures(labelled=weak), CONFIGURATION).warnings
    assert len(warnings) == 7
    assert warnings[-1].text.startswith("4 more such figures")


# -- the page ------------------------------------------------------------------------


def test_the_page_says_what_is_asked_of_it() -> None:
    page = Page(build_training_report(report()))
    assert page.open == []
    for said in (
        "Fit to run", "Logs from 2026-11-18 00:00:00 to 2026-11-22 00:00:00",
        "Model 0123456789ab", "Times in UTC", "5.0 false alarms a day",
        "4 left out too unusual, 1.0 a day",
        "0.6 to 18, 95 % sure", "2 of 200 held-out normal sessions",
        "between 0.12 % and 3.57 % (Clopper–Pearson)", "500 sessions a day",
        "epoch 2 kept", "Learning rate", "threshold",
        "50 % and 30 % of the differences",
        "user <ID> logged in", "taught by labels", "No labels were given",
        "lines that no other session has", "4 of 4,000 lines of the held-out sessions",
        "so few training sessions that a line of them is flagged: 1",
        "Beside the model before it", "by the older model alone: 30",
        "29 more not shown", "Templates that are new: 1", "Templates that are gone: 2",
        "in both", "gone", "miner · masks",
    ):  # fmt: skip
        assert said in page.text, said


def test_nothing_is_loaded_and_nothing_runs() -> None:
    html = build_training_report(report())
    page = Page(html)
    assert_nothing_runs(page)
    assert all((a["href"] or "").startswith("#") for a in page.all("a"))
    anchors = {attrs.get("id") for _, attrs in page.tags}
    assert {(a["href"] or "")[1:] for a in page.all("a")} <= anchors


def labelled(kind: str) -> dict[str, Any]:
    """Figures with labels of one kind."""
    return {
        "labelled": [
            {
                "kind": kind, "sessions": 20, "judged": 20, "detected": 19,
                "held_out": 4, "right": 3,
            }
        ],
        "confusion": {
            "columns": ["normal", kind, "unknown kind"],
            "rows": [
                {"kind": "normal", "counts": [198, 0, 2]},
                {"kind": kind, "counts": [0, 3, 1]},
            ],
        },
    }  # fmt: skip


def test_text_of_logs_and_labels_is_only_text() -> None:
    evil = EVIL + "\u202egnp.exe\x1b[31m\x00"
    html = build_training_report(report(evil, **labelled(evil)))
    page = Page(html)
    assert page.open == []
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert "⟨U+202E⟩gnp.exe⟨U+001B⟩[31m" in page.text


def test_labels_are_counted_in_the_table() -> None:
    assert Page(build_training_report(report(**labelled("disk_full_x")))).open == []
    text = Page(build_training_report(report(**labelled("crash")))).text
    assert "crash 20 19 95 % 4 3 75 %" in text
    assert "normal 198 · 2" in text
    assert "crash · 3 1" in text
    assert "No labels were given" not in text


NOTHING: dict[str, Any] = {
    "classes": 0, "suspects": 0, "class_epochs": [], "class_best_epoch": 0,
    "cleaned_out": 0, "class_map": {"points": [], "shares": [0.0, 0.0]},
    "scores": {"threshold": 1.0} | dict.fromkeys(
        ("held_out", "held_out_unusual", "cleaned_out", "deviants"), group([])
    ),
}  # fmt: skip


def test_zero_classes_and_nothing_held_out() -> None:
    empty = replace(report(**NOTHING), classes=(), cleaned=(), comparison=None)
    page = Page(build_training_report(empty))
    assert page.open == []
    for said in (
        "No classes: nothing deviates", "no score to show",
        "no normal session was held out", "every session is like enough others",
    ):  # fmt: skip
        assert said in page.text, said
    assert "Class network" not in page.text
    assert "Beside the model" not in page.text


def test_one_class_one_epoch_and_losses_that_are_no_numbers() -> None:
    odd = report(
        classes=1,
        epochs=[epoch(float("nan"), float("inf"))],
        best_epoch=0,
        class_epochs=[epoch(1.0)],
        class_best_epoch=1,
        class_map={"points": [[0.0, 0.0, 0]] * 3, "shares": [1.0, 0.0]},
    )
    html = build_training_report(replace(odd, classes=odd.classes[:1]))
    assert Page(html).open == []
    assert 'points="nan' not in html
    assert "Not fit to run yet" in html


def test_an_older_bundle_that_cannot_be_read_is_told() -> None:
    unread = Comparison("abc", problem="model m: manifest.json is damaged; restore it")
    text = Page(build_training_report(replace(report(), comparison=unread))).text
    assert "There is nothing to compare with: model m: manifest.json is damaged" in text


def test_the_same_data_give_the_same_page() -> None:
    assert build_training_report(report()) == build_training_report(report())


def test_the_environment_is_that_of_the_report_of_a_period() -> None:
    environment = page_environment(report().zone, "elkwatch.training_report")
    assert environment.autoescape is True


# -- the charts ----------------------------------------------------------------------


def test_curves_go_where_their_values_say() -> None:
    chart = epoch_chart(
        {"trained": [2.0, 1.0, 0.0]}, 3, width=376, height=246, label=lambda v: f"{v:g}"
    )
    assert chart is not None
    assert [row.label for row in chart.rows] == ["0", "0.5", "1", "1.5", "2"]
    assert chart.curves[0].points == "52.0,16.0 208.0,116.0 364.0,216.0"
    assert chart.kept is not None
    assert (chart.kept.at, chart.kept.label) == (364.0, "epoch 3 kept")
    assert epoch_chart({"a": []}, 0, width=9, height=9, label=str) is None


def test_bars_count_the_scores_on_their_side_of_the_threshold() -> None:
    scores = figures()["scores"] | {
        "threshold": 2.0,
        "held_out": group([0.2, 0.2, 2.0, 2.1]),
    }
    chart = score_chart(scores, {"held_out": "normal"}, width=1040, columns=12)
    assert chart is not None
    (panel,) = chart.panels
    assert [(b.hint, b.colour) for b in panel.bars] == [
        ("0.0 to 0.1: 50.0%", 4),
        ("0.9 to 1.0: 25.0%", 4),
        ("1.0 to 1.1: 25.0%", 0),
    ]
    assert panel.bars[1].x + panel.bars[1].width < chart.threshold < panel.bars[2].x
    assert panel.bars[0].height == 2 * panel.bars[1].height


def test_equal_points_are_one_bubble_and_labels_do_not_cover_each_other() -> None:
    classes = [ClassRow(f"c{i:02}", "", "", "low", False, 1, i) for i in range(5)]
    points = [(0.1, 0.1, i) for i in range(5)] * 3 + [(0.9, 0.9, -1)]
    chart = map_chart(points, classes, width=400, height=300)
    assert chart is not None
    assert [b.colour for b in chart.bubbles] == [0, 1, 2, 3, 4, None]
    assert chart.bubbles[0].radius > chart.bubbles[-1].radius
    heights = sorted(label.y for label in chart.labels)
    assert all(b - a >= 12 for a, b in pairwise(heights))
    assert map_chart([], classes, width=400, height=300) is None


@pytest.mark.parametrize(
    ("rough", "step"), [(0, 1), (0.013, 0.02), (0.5, 0.5), (3.1, 5), (70, 100)]
)
def test_steps_of_an_axis(rough: float, step: float) -> None:
    assert nice_step(rough) == pytest.approx(step)


# -- in a real browser ---------------------------------------------------------------


def long_names() -> str:
    return build_training_report(
        replace(
            report("x" * 500, **labelled("a_kind_with_a_long_name" * 4)),
            comparison=comparison("y" * 400),
        )
    )


@needs_browser
def test_the_console_stays_silent(tmp_path: Path) -> None:
    dom, console = browse(tmp_path, build_training_report(report(EVIL)))
    assert console == ""
    assert "<title>Training of model 0123456789ab" in dom


@needs_browser
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize(
    "page",
    [
        lambda: build_training_report(report(**labelled("crash"))),
        lambda: build_training_report(report(EVIL, **labelled(EVIL))),
        long_names,
    ],
)
def test_no_sideways_scrolling(
    tmp_path: Path, width: int, page: Callable[[], str]
) -> None:
    html = page()
    # In a frame of the wanted width, without the policy, so that it can be measured.
    bare = without_policy(html)
    (tmp_path / "inner.html").write_text(bare, "utf-8")
    measure = (
        f"<iframe src='inner.html' width={width} height=900 style='border:0'></iframe>"
        "<script>onload = () => { const d = frames[0].document.documentElement;"
        "document.title = 'over:' + (d.scrollWidth - d.clientWidth) + ' narrow:' +"
        "(frames[0].matchMedia('(max-width: 760px)').matches) }</script>"
    )
    dom, console = browse(
        tmp_path, measure, "--allow-file-access-from-files", "--window-size=1500,1200"
    )
    assert console == ""
    assert f"<title>over:0 narrow:{'true' if width == 390 else 'false'}" in dom
