from dataclasses import replace

from connector import FeedbackMark
from elkwatch.telling import Standing, has_error_line, told_as
from model import Session
from tests.elkwatch.test_feedback import verdict
from tests.model.builders import shop

UNKNOWN = verdict(
    known=False, pattern="new-event", topic="new-event", severity="medium"
)
OVER = Standing(None, severe=False)


def test_an_unknown_kind_waits_until_its_session_is_over_or_it_is_sure() -> None:
    def told(open_for: int | None) -> str:
        return told_as(UNKNOWN, Standing(open_for, severe=False), None, outdated=False)

    assert [told(times) for times in (1, 2, 3, None)] == ["tentative", *["open"] * 3]


def test_what_is_known_is_told_at_once() -> None:
    first = Standing(1, severe=False)
    right = FeedbackMark("f1", "right", "ada", "seen before")
    known = replace(UNKNOWN, known=True)
    by_rule = replace(UNKNOWN, topic=f"{UNKNOWN.pattern}/disk-full")
    for outdated in (False, True):
        assert told_as(known, first, None, outdated=outdated) == "open"
        assert told_as(by_rule, first, None, outdated=outdated) == "open"
        assert told_as(UNKNOWN, first, right, outdated=outdated) == "open"


def test_a_model_out_of_date_holds_back_but_what_is_grave() -> None:
    assert told_as(UNKNOWN, OVER, None, outdated=True) == "held-back"
    severe = Standing(None, severe=True)
    assert told_as(UNKNOWN, severe, None, outdated=True) == "open"
    critical = replace(UNKNOWN, severity="critical")
    assert told_as(critical, OVER, None, outdated=True) == "open"


def test_an_error_line_is_one_of_error_severity() -> None:
    one: Session = shop(1)[0]
    assert not has_error_line(one)
    events = (*one.events, replace(one.events[0], severity="FATAL"))
    assert has_error_line(replace(one, events=events))


def test_what_may_come_to_be_a_false_alarm_waits_until_its_session_is_over() -> None:
    doubted = Standing(9, severe=True, doubted=True)
    known = replace(UNKNOWN, known=True)
    assert told_as(known, doubted, None, outdated=False) == "tentative"
